"""A small picture of a prepared case: the network's input with its labels."""

from __future__ import annotations

import numpy as np

from metaunetr.bundle import Preprocessing
from metaunetr.image import Grid, Image
from metaunetr.report.overlay import Scene, overview_pictures
from metaunetr_training.data.prepared import BRIGHTEST

SIZE = 220  # pixels of the longer side
PLANES = ("coronal", "axial")
STEP = 16  # between colour levels; few levels make small files


def picture(
    volume: np.ndarray, labels: np.ndarray, preprocessing: Preprocessing
) -> np.ndarray:
    """Organs over the CT, uint8 RGB (H, W, 3): coronal and axial, as a radiologist reads them.

    Args:
        volume: (D, H, W) uint8, 0 to BRIGHTEST.
        labels: (D, H, W) uint8, organ numbers.
    """
    low, high = preprocessing.hu_window
    grid = Grid(volume.shape, preprocessing.spacing, (0.0, 0.0, 0.0))
    hu = volume * np.float32((high - low) / BRIGHTEST) + low
    shown = overview_pictures(Scene.of(Image(hu, grid), Image(labels, grid)), SIZE)
    height = max(len(shown[plane]) for plane in PLANES)
    padded = []
    for plane in PLANES:
        above, below = divmod(height - len(shown[plane]), 2)
        padded.append(np.pad(shown[plane], ((above, above + below), (2, 2), (0, 0))))
    return np.concatenate(padded, axis=1) // STEP * STEP
