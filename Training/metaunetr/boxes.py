"""Boxes of voxels, and the bounding box of a mask."""

from __future__ import annotations

import numpy as np

Triple = tuple[int, int, int]  # along (D, H, W)
Box = tuple[slice, slice, slice]


def bounding_box(mask: np.ndarray) -> tuple[slice, ...] | None:
    """The smallest box, one slice per axis, around all elements that are not 0; None without."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        occupied = np.flatnonzero(mask.any(axis=others))
        if not occupied.size:
            return None
        box.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return tuple(box)
