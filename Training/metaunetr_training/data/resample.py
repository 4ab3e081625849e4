"""CT and labels → arrays at the model spacing.

The image is preprocessed by the functions of the engine, so training and inference are consistent.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.ndimage import find_objects
from torch import Tensor

from metaunetr.boxes import bounding_box
from metaunetr.bundle import Preprocessing
from metaunetr.engine.resample import SLAB, body_box, matrices, model_shape, to_model_input
from metaunetr.engine.rotate import Rotation
from metaunetr.fill import as_air
from metaunetr.image import Grid, Image
from metaunetr.orientation import Orientation
from metaunetr_training.data.prepared import BRIGHTEST

Box = tuple[slice, slice, slice]


def to_model_arrays(
    image: Image, labels: Image, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray]:
    """The network's input and its labels, cropped to the body and all labelled voxels.

    Args:
        image: HU. labels: organ numbers, on the same grid up to the order of axes.

    Returns:
        image uint8 (D, H, W), 0 to BRIGHTEST; labels uint8 (D, H, W).
    """
    orientation = Orientation.of(image.grid)
    grid = orientation.canonical(image.grid)
    volume = to_model_input(orientation.view(as_air(image).array), grid, preprocessing)
    rotation = Rotation.needed(grid, tuple(volume.shape), preprocessing.spacing)
    if rotation:
        volume = rotation.to_patient(volume)
    view = Orientation.of(labels.grid).view(labels.array)
    drawn = resample_labels(view, grid, preprocessing, rotation)
    box = body_box(volume, preprocessing.body_crop)
    if drawn.any():
        box = tuple(slice(min(a.start, b.start), max(a.stop, b.stop))
                    for a, b in zip(box, bounding_box(drawn), strict=True))
    image = (volume[box] * BRIGHTEST).round_().to(torch.uint8)
    return image.numpy(), np.ascontiguousarray(drawn[box])


def resample_labels(
    view: np.ndarray, grid: Grid, preprocessing: Preprocessing, rotation: Rotation | None = None
) -> np.ndarray:
    """Labels at the model spacing; a voxel gets the label, or background, that covers most of it.

    Args:
        view: canonical labels (D, H, W) on `grid`.

    Returns:
        uint8 (D, H, W) at the model spacing; on the patient's axes where there is a rotation.
    """
    shape = rotation.shape if rotation else model_shape(grid, preprocessing.spacing)
    labels = torch.zeros(shape, dtype=torch.uint8)
    most, background = torch.zeros(shape), torch.ones(shape)
    for number, place, cover in _covers(view, grid, preprocessing, rotation):
        labels[place].masked_fill_(cover > most[place], number)
        torch.maximum(most[place], cover, out=most[place])
        background[place] -= cover
    return labels.masked_fill_(background >= most, 0).numpy()


def _covers(
    view: np.ndarray, grid: Grid, preprocessing: Preprocessing, rotation: Rotation | None
) -> Iterator[tuple[int, Box, Tensor]]:
    """For each label its number, a box at the model spacing, and its share of each voxel there."""
    along = matrices(grid, preprocessing)
    for number, source in enumerate(find_objects(view), start=1):
        if source is None:
            continue
        place, cover = _resample_mask(view[source] == number, source, along)
        if rotation:
            whole = torch.zeros(rotation.own_shape)
            whole[place] = cover
            place, cover = (slice(None),) * 3, rotation.to_patient(whole)
        yield number, place, cover


def _resample_mask(
    mask: np.ndarray, source: Box, along: tuple[Tensor, Tensor, Tensor]
) -> tuple[Box, Tensor]:
    """The box at the model spacing of a mask that fills the box `source`, and the mask there."""
    place, parts = [], []
    for matrix, part in zip(along, source, strict=True):
        columns = matrix[:, part]
        rows = columns.any(dim=1).nonzero().flatten()
        place.append(slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0))
        parts.append(columns[place[-1]])
    along_d, along_h, along_w = parts
    in_plane = torch.empty(len(mask), len(along_h), len(along_w))
    for first in range(0, len(mask), SLAB):  # bounds memory on long scans
        slab = torch.from_numpy(mask[first : first + SLAB].astype(np.float32))
        in_plane[first : first + SLAB] = along_h @ (slab @ along_w.T)
    return tuple(place), (along_d @ in_plane.flatten(1)).view(
        len(along_d), len(along_h), len(along_w))
