"""Connected parts of an organ, and stray fragments that are none.

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


def drop_fragments(scores: Tensor, largest_only: bool = False) -> None:
    """Lowers the scores (C, D, H, W) of classes below background's where they win as fragments.

    Twice, because the runner-up that takes a fragment's place may be a fragment there as well.

    Args:
        largest_only: everything but the largest part of a class counts as a fragment.
    """
    for _ in range(2):
        classes = scores.argmax(dim=0).to(torch.uint8).numpy()
        for channel in range(1, scores.shape[0]):
            box, parts = label_parts(classes == channel)
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0  # outside
            dropped = sizes < FRAGMENT * sizes.max()
            if largest_only:
                dropped = np.arange(len(sizes)) != sizes.argmax()
            dropped[0] = False
            if dropped.any():
                where = torch.from_numpy(dropped[parts])
                scores[(channel, *box)][where] = scores[(0, *box)][where] - 1


def keep_largest(labels: np.ndarray) -> None:
    """Leaves of every label (D, H, W) one part, whose voxels touch by their faces.

    Parts by faces, because what is one that way is one for every program that will look at it.
    """
    labels = labels[box_of(labels)]  # a view
    for number in np.unique(labels[labels > 0]):
        box, parts = label_parts(labels == number, by_faces=True)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0  # outside
        labels[box][(parts > 0) & (parts != sizes.argmax())] = 0


def count_parts(mask: np.ndarray) -> int:
    """Connected parts (26 neighbours) of a mask (D, H, W) that are no fragments."""
    sizes = np.bincount(label_parts(mask)[1].ravel())[1:]
    return int((sizes >= FRAGMENT * sizes.max()).sum()) if len(sizes) else 0


def label_parts(
    mask: np.ndarray, by_faces: bool = False
) -> tuple[tuple[slice, ...], np.ndarray]:
    """The box of a mask (D, H, W), and in it the parts numbered from 1 (0 outside).

    Parts hang together by faces, edges and corners, unless only faces count.
    """
    box = box_of(mask)
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask[box]).astype(np.uint8))
    return box, sitk.GetArrayFromImage(sitk.ConnectedComponent(image, not by_faces))


def box_of(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box around what is not 0 (D, H, W); one voxel where all is."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(n for n in range(3) if n != axis)))
        box.append(slice(used[0], used[-1] + 1) if len(used) else slice(0, 1))
    return tuple(box)
