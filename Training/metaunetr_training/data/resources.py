"""Disk and memory that preparation needs, from the headers of the images alone."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from metaunetr.bundle import Preprocessing
from metaunetr.engine.resample import model_shape
from metaunetr.engine.rotate import Rotation
from metaunetr.errors import InputError
from metaunetr.io import read_header
from metaunetr.orientation import Orientation
from metaunetr_training.data.case import Case

STORED = 2  # bytes on disk for a voxel: image and label
PICTURE = 100_000  # bytes on disk, with points and record
# Bytes of memory. Measured on 300 × 512 × 512 voxels: 6 for a voxel of a float32 source, 21 for one
# at the model spacing, and 342 MB for the process.
SOURCE_VOXEL, MODEL_VOXEL, PROCESS = 8, 24, 400e6
DEFAULT_PROCESSES = 2  # where the free memory is unknown
MAX_PROCESSES = 61 if sys.platform == "win32" else 1024  # limit of Windows' wait function
PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Resources:
    """Resources of one case.

    Attributes:
        voxels: of the source.
        disk: bytes, at most: the bounding box of the body is not known yet.
        memory: bytes.
    """

    voxels: int = 0
    disk: int = 0
    memory: int = 0


def estimate(case: Case, preprocessing: Preprocessing) -> Resources:
    """The resources of a case; zero where its header cannot be read, so that it will fail."""
    try:
        grid = read_header(case.image).grid
    except (InputError, OSError):
        return Resources()
    canonical = Orientation.of(grid).canonical(grid)
    shape = model_shape(canonical, preprocessing.spacing)
    rotation = Rotation.needed(canonical, shape, preprocessing.spacing)
    made = math.prod(rotation.shape if rotation else shape)
    voxels = math.prod(grid.shape)
    return Resources(voxels, made * STORED + PICTURE, voxels * SOURCE_VOXEL + made * MODEL_VOXEL)


def free_disk(folder: Path) -> int:
    """Free bytes on the disk of `folder`, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def worker_count(needs: Iterable[Resources]) -> int:
    """Number of cases that can be prepared in parallel, by processors and free memory."""
    memory = [need.memory for need in needs]
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 1
    free = _free_memory()
    room = DEFAULT_PROCESSES if free is None else int(free / (PROCESS + max(memory, default=0)))
    return max(1, min(count, room, len(memory)))


def _free_memory() -> int | None:
    """Free bytes, the minimum of machine and control groups; None where it is unknown."""
    machine = _numbers(PROC / "meminfo").get("MemAvailable:")
    known = [] if machine is None else [machine * 1024]
    for group in _groups():
        with suppress(OSError, ValueError):  # no such group, or no limit ("max")
            limit, used = (int((group / name).read_text(encoding="ascii"))
                           for name in ("memory.max", "memory.current"))
            files = _numbers(group / "memory.stat").get("inactive_file", 0)
            known.append(limit - used + files)  # file cache can be reclaimed
    return min(known, default=None)


def _groups() -> list[Path]:
    """The control groups (v2) of this process, by which containers and clusters limit memory."""
    try:
        lines = (PROC / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = [GROUPS / line[3:].strip("/") for line in lines if line.startswith("0::")]
    return [group for place in own for group in (place, *place.parents)
            if group.is_relative_to(GROUPS)]


def _numbers(path: Path) -> dict[str, int]:
    """The numbers in lines "NAME NUMBER …"; {} where there is no such file."""
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return {}
    return {words[0]: int(words[1]) for words in lines
            if len(words) > 1 and words[1].isdecimal()}
