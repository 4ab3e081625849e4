"""A small CT, a result, and DICOM series made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from metaunetr import organs
from metaunetr.image import Grid, Image
from metaunetr.result import OrganResult, Result

SHAPE = (12, 40, 48)  # (D, H, W)


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Rotations about the three axes, in degrees, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians([x, y, z])):
        a, b = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


@pytest.fixture
def ct() -> Image:
    """An elliptic body with fat, soft tissue, spine and noise in air; 5 mm slices, LPS axes."""
    noise = np.random.default_rng(7).normal(0, 12, SHAPE)
    _, y, x = np.indices(SHAPE)
    radius = np.hypot((y - 20) / 15, (x - 24) / 20)
    hu = np.select([radius < 0.7, radius < 1.0], [50.0, -100.0], -1000.0)
    hu[np.hypot(y - 28, x - 24) < 4] = 400
    hu = np.clip(hu + noise, -1024, 3071).astype(np.int16)
    return Image(hu, Grid(SHAPE, (8.0, 7.5, 5.0), (-120.5, -80.25, 300.125)))


@pytest.fixture
def result(ct: Image) -> Result:
    """Spleen, both kidneys and a liver as boxes; the gallbladder was not found."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:6, 10:14, 30:36] = 1
    labels[1:4, 22:26, 12:16] = 2
    labels[1:4, 22:26, 32:36] = 3
    labels[4:10, 8:20, 8:24] = 6
    items = []
    for number in (1, 2, 3, 4, 6):
        voxels = int((labels == number).sum())
        items.append(OrganResult(
            organs.BY_NUMBER[number], voxels, voxels * ct.grid.voxel_volume, 50.0, 12.0, 0.9375,
            ("touches the border | of the image",) if number == 6 else (),
        ))
    record = {"model": "abdomen13-2mm", "model_sha256": "ab" * 32, "note": "Größe | \"quoted\""}
    grid = Grid(SHAPE, ct.grid.spacing, ct.grid.origin, rotation(5, -10, 20))
    return Result(Image(labels, grid), tuple(items), record)


@pytest.fixture
def write_series() -> Callable[..., list[Path]]:
    """See `dicom_series.write_series`."""
    return pytest.importorskip("dicom_series").write_series
