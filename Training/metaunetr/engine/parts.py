"""Connected parts of an organ on the model grid, and stray fragments that are none.

A model that has seen only the abdomen finds an aorta in the hip now and then. A piece much
smaller than an organ's largest is such a stray more often than it is anatomy: on four labelled
CTs and three phantoms, dropping what is below a fifth raised mean Dice from 0.677 to 0.694 and
lowered none; below two fifths, true parts of pancreas, gallbladder and kidneys went too.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

FRAGMENT = 0.2  # of an organ's largest part; what is smaller is dropped


def drop_fragments(scores: Tensor) -> None:
    """Lowers the scores (C, D, H, W) of classes below background's where they win as fragments.

    Twice, because the runner-up that takes a fragment's place may be a fragment there as well.
    """
    for _ in range(2):
        classes = scores.argmax(dim=0).to(torch.uint8).numpy()
        for channel in range(1, scores.shape[0]):
            box, parts = label_parts(classes == channel)
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0  # outside
            small = np.flatnonzero(sizes < FRAGMENT * sizes.max())[1:]
            if len(small):
                where = torch.from_numpy(np.isin(parts, small))
                scores[(channel, *box)][where] = scores[(0, *box)][where] - 1


def count_parts(mask: np.ndarray) -> int:
    """Connected parts (26 neighbours) of a mask (D, H, W) that are no fragments."""
    sizes = np.bincount(label_parts(mask)[1].ravel())[1:]
    return int((sizes >= FRAGMENT * sizes.max()).sum()) if len(sizes) else 0


def label_parts(mask: np.ndarray) -> tuple[tuple[slice, ...], np.ndarray]:
    """The box of a mask (D, H, W), and in it the parts numbered from 1 (0 outside)."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        box.append(slice(used[0], used[-1] + 1) if len(used) else slice(0, 1))
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask[tuple(box)]).astype(np.uint8))
    return tuple(box), sitk.GetArrayFromImage(sitk.ConnectedComponent(image, True))
