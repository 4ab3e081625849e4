"""Miniature data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from metaunetr import io
from metaunetr.image import Grid, Image

SHAPE = (6, 8, 10)  # (D, H, W)
GRID = Grid(SHAPE, (30.0, 25.0, 20.0), (-135.0, -90.0, 400.0))


@pytest.fixture
def tree(tmp_path) -> Callable[..., Path]:
    """Writes images or label maps by their names below a folder, and returns the folder.

    Label maps hold each of `labels` in one voxel.
    """

    def write(*names: str, labels: tuple[int, ...] = (1, 2)) -> Path:
        array = np.zeros(SHAPE, np.uint8)
        array.flat[range(0, 7 * len(labels), 7)] = labels
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            io.write_image(tmp_path / name, Image(array, GRID))
        return tmp_path

    return write


@pytest.fixture
def messages() -> list[str]:
    """What a reader has reported, when its `append` is the report."""
    return []
