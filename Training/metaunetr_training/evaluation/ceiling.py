"""The Dice of a perfect mask: the reference itself, resampled to the model spacing and back.

No network with labels at this spacing can do better, which matters for thin organs. The reference
is resampled to the model grid like the labels of a training case, and back to its own grid like the
logits of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np
import torch

from metaunetr.bundle import Preprocessing
from metaunetr.engine.resample import voxel_steps
from metaunetr.engine.upsample import upsample_labels
from metaunetr.image import Image
from metaunetr.metrics import dice
from metaunetr.organs import BY_NAME
from metaunetr.orientation import Orientation
from metaunetr_training.data.resample import resample_labels


def ceilings(
    reference: Image, preprocessing: Preprocessing, organs: Sequence[str]
) -> dict[str, float | None]:
    """Dice of the restored reference by organ; None for organs that it does not hold."""
    best = restored(reference, preprocessing).array
    found = {name: dice(best == BY_NAME[name].number, reference.array == BY_NAME[name].number)
             for name in organs}
    return {name: None if isnan(value) else value for name, value in found.items()}


def restored(reference: Image, preprocessing: Preprocessing) -> Image:
    """Organ numbers on the reference's grid, after the model spacing and back."""
    orientation = Orientation.of(reference.grid)
    grid = orientation.canonical(reference.grid)
    coarse = resample_labels(orientation.view(reference.array), grid, preprocessing)
    numbers = np.concatenate([[0], np.setdiff1d(coarse, 0)]).astype(np.uint8)
    scores = torch.from_numpy(coarse[None] == numbers[:, None, None, None]).half()
    labels = np.zeros(reference.array.shape, np.uint8)
    upsample_labels(scores, (0, 0, 0), voxel_steps(grid, preprocessing.spacing), numbers,
                    orientation.view(labels))
    return Image(labels, reference.grid, reference.source)
