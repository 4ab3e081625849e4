"""Which pixel centres lie inside polygons, as programs that read RTSTRUCT ask, in two ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def inside(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): an odd number of lines of the polygon (N, 2) of (i, j) lies right of a pixel."""
    j, i = np.indices(shape)
    odd = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 <= j) != (y1 <= j)
            odd ^= crosses & (i < x0 + (j - y0) * (x1 - x0) / (y1 - y0))
    return odd


def united(polygons: Iterable[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Inside any of them: what plastimatch makes of contours."""
    return np.any([np.zeros(shape, bool), *(inside(item, shape) for item in polygons)], axis=0)


def alternating(polygons: Iterable[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Inside an odd number of them: what dcmrtstruct2nii makes of contours."""
    return np.logical_xor.reduce(
        [np.zeros(shape, bool), *(inside(item, shape) for item in polygons)])
