"""A small picture of a result, for index.html."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from metaunetr.image import Grid, Image
from metaunetr.report.overlay import overlay_montage
from metaunetr.report.png import save_png
from metaunetr.result import Result

SIZE = 240  # pixels of the longest side of the organs' surroundings


def write_thumbnail(path: Path, result: Result, image: Image) -> None:
    """Write a PNG: organs over the CT, coronal and axial, without any text.

    Args:
        image: the CT in HU, on the grid of `result.labels`.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    save_png(path, thumbnail(result.labels, image))


def thumbnail(labels: Image, image: Image) -> np.ndarray:
    """The picture, uint8 (H, W, 3)."""
    step = _step(image.grid)
    return overlay_montage(_coarse(image, step), _coarse(labels, step), ("coronal", "axial"), SIZE)


def _step(grid: Grid) -> tuple[int, int, int]:
    """The stride along (D, H, W): one voxel per pixel is enough."""
    spacing = np.array(grid.spacing[::-1])
    pixel = float((spacing * grid.shape).max()) / SIZE
    return tuple(max(1, int(pixel / s)) for s in spacing)


def _coarse(image: Image, step: tuple[int, int, int]) -> Image:
    array = image.array[tuple(slice(None, None, s) for s in step)]
    affine = image.grid.affine
    affine[:3, :3] *= step[::-1]  # columns are (i, j, k)
    return Image(array, Grid.from_affine(array.shape, affine))
