"""What preparing takes, told before it: from the headers of the images alone."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from metaunetr.bundle import Preprocessing
from metaunetr.engine.resample import model_shape
from metaunetr.engine.turn import Turn
from metaunetr.errors import InputError
from metaunetr.io.read import read_grid
from metaunetr.orientation import Orientation
from metaunetr_training.data.case import Case

STORED = 3  # bytes on disk for a voxel: float16 image and uint8 label
PICTURE = 100_000  # bytes on disk, with points and record
# Bytes of memory; measured on 300 × 512 × 512 voxels: 6 for a voxel of a float32 source, and 21 for
# one at the model spacing, beside 342 MB for the program.
SOURCE_VOXEL, MODEL_VOXEL, PROCESS = 8, 24, 400e6


@dataclass(frozen=True)
class Need:
    """Of one case: voxels of the source, bytes on disk (at most; the body's box is not known
    yet) and bytes of memory."""

    voxels: int = 0
    disk: int = 0
    memory: int = 0


def need(case: Case, preprocessing: Preprocessing) -> Need:
    """Nothing for a case whose header cannot be read: it will fail."""
    try:
        grid = read_grid(case.image)
    except (InputError, OSError):
        return Need()
    canonical = Orientation.of(grid).canonical(grid)
    shape = model_shape(canonical, preprocessing.spacing)
    turn = Turn.needed(canonical, shape, preprocessing.spacing)
    made = math.prod(turn.shape if turn else shape)
    voxels = math.prod(grid.shape)
    return Need(voxels, made * STORED + PICTURE, voxels * SOURCE_VOXEL + made * MODEL_VOXEL)


def free_disk(folder: Path) -> int:
    """Bytes where `folder` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def processes(needs: Iterable[Need]) -> int:
    """How many cases can be prepared beside each other: by processors and free memory."""
    memory = [need.memory for need in needs]
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 1
    if free := _free_memory():
        count = min(count, int(free / (PROCESS + max(memory, default=0))))
    return max(1, min(count, len(memory)))


def _free_memory() -> int | None:
    """Bytes; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines
                    if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
