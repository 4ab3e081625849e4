"""The description of an image file that `metaunetr info` prints."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from metaunetr.errors import InputError
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image
from metaunetr.io import formats, seg_nrrd
from metaunetr.io.read import read_header, read_image


def describe(path: str | PathLike[str]) -> dict[str, Any]:
    """Kind, geometry and content of the file or DICOM folder at `path`, ready for JSON.

    Returns:
        path, kind, size (i, j, k), spacing_mm, origin_mm (of the centre of the first voxel),
        coordinates (the convention of origin_mm: always "LPS"), axes (the sides of the patient
        that i, j and k increase towards, such as "RAS"), range; for an image also warnings of the
        input guard and refused (its reason, or None); for a segmentation also segments and record.

    Raises:
        InputError: the file cannot be read.
    """
    path = Path(path)
    kind = formats.readable(path)
    segmentation = formats.suffix_of(path) in formats.SEGMENTATION
    image = _segments(path) if segmentation else read_image(path)
    facts: dict[str, Any] = {
        "path": str(path),
        "kind": kind.name if kind else "DICOM series",
        "size": list(reversed(image.grid.shape)),
        "spacing_mm": [float(s) for s in image.grid.spacing],
        "origin_mm": [float(o) for o in image.grid.origin],
        "coordinates": "LPS",
        "axes": axis_letters(image.grid.direction),
        "range": [float(np.min(image.array)), float(np.max(image.array))],
    }
    if segmentation:
        facts["segments"], facts["record"] = seg_nrrd.read_segments(path)
        return facts
    facts |= {"warnings": [], "refused": None}
    try:
        facts["warnings"] = inspect_ct(image)
    except InputError as error:
        facts["refused"] = str(error)
    return facts


def _segments(path: Path) -> Image:
    """The voxels of a .seg.nrrd as they are: its segments may be no organs."""
    header = read_header(path)
    return Image(header.read(), header.grid, path)


def describe_grid(grid: Grid) -> str:
    """Size, spacing, origin and axes of a grid, in one phrase."""
    size = "×".join(str(n) for n in reversed(grid.shape))
    spacing = "×".join(f"{s:.4g}" for s in grid.spacing)
    origin = ", ".join(f"{o:.2f}" for o in grid.origin)
    return (f"{size} voxels of {spacing} mm from ({origin}) mm LPS, axes running towards "
            f"{axis_letters(grid.direction)}")


def axis_letters(direction: np.ndarray) -> str:
    """The side of the patient that each of i, j and k increases towards, such as "LPS"."""
    letters = ("RL", "AP", "IS")  # negative, positive
    strongest = np.abs(direction).argmax(axis=0)
    return "".join(
        letters[row][int(direction[row, column] > 0)] for column, row in enumerate(strongest)
    )
