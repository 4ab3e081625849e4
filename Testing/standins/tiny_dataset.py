"""A data set on disk of coarse bodies with four balls as organs, read as kind "general"."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from metaunetr import io
from metaunetr.image import Grid, Image
from metaunetr.organs import BY_NUMBER

SHAPE, SPACING = (40, 48, 56), (6.0, 6.0, 6.0)
# organ number: centre (d, h, w) in voxels, radius in mm, HU; volumes as an adult has them
BALLS = {6: ((24, 20, 16), 70, 110), 1: ((26, 26, 42), 35, 130), 2: ((14, 32, 18), 30, 180),
         3: ((14, 32, 40), 30, 180)}
NAMES = ("a", "b", "c")


def small_case(seed: int = 0, spacing: tuple[float, float, float] = SPACING) -> tuple[Image, Image]:
    """A CT and its labels, (D, H, W) from inferior, anterior and right; another noise by seed."""
    shape = tuple(round(n * SPACING[0] / s) for n, s in zip(SHAPE, spacing[::-1], strict=True))
    d, h, w = np.meshgrid(*((np.arange(n) + 0.5) * s for n, s in
                            zip(shape, spacing[::-1], strict=True)), indexing="ij")
    hu = np.where(np.hypot((h - 144) / 110, (w - 168) / 145) < 1, 30.0, -1000.0)
    labels = np.zeros(shape, np.uint8)
    for number, (centre, radius, value) in BALLS.items():
        z, y, x = (np.array(centre) + 0.5) * SPACING[0]
        ball = (d - z) ** 2 + (h - y) ** 2 + (w - x) ** 2 < radius**2
        hu[ball], labels[ball] = value, number
    hu += np.random.default_rng(seed).normal(0, 8, shape)
    grid = Grid(shape, spacing, (-168.0, -144.0, 0.0))
    return Image(hu.astype(np.int16), grid), Image(labels, grid)


def write_dataset(
    folder: Path, names: Iterable[str] = NAMES, first_seed: int = 0, name: str | None = None
) -> Path:
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for seed, case in enumerate(names, start=first_seed):
        image, labels = small_case(seed)
        io.write_image(folder / "imagesTr" / f"{case}.nii", image)
        io.write_image(folder / "labelsTr" / f"{case}.nii", labels)
    (folder / "dataset.json").write_text(json.dumps({
        "name": name or folder.name,
        "labels": {str(number): BY_NUMBER[number].name for number in BALLS},
    }))
    return folder
