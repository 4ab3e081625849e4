"""What preparing takes, told before it: from the headers of the images alone."""

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
# Bytes of memory; measured on 300 × 512 × 512 voxels: 6 for a voxel of a float32 source, and 21 for
# one at the model spacing, beside 342 MB for the program.
SOURCE_VOXEL, MODEL_VOXEL, PROCESS = 8, 24, 400e6
FEW = 2  # processes where nobody knows the free memory
MOST_PROCESSES = 61 if sys.platform == "win32" else 1024  # Windows cannot wait for more
PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")


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
        grid = read_header(case.image).grid
    except (InputError, OSError):
        return Need()
    canonical = Orientation.of(grid).canonical(grid)
    shape = model_shape(canonical, preprocessing.spacing)
    rotation = Rotation.needed(canonical, shape, preprocessing.spacing)
    made = math.prod(rotation.shape if rotation else shape)
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
    free = _free_memory()
    room = FEW if free is None else int(free / (PROCESS + max(memory, default=0)))
    return max(1, min(count, room, len(memory)))


def _free_memory() -> int | None:
    """Bytes, the least of the machine's and of its containers'; None where nothing tells."""
    machine = _numbers(PROC / "meminfo").get("MemAvailable:")
    known = [] if machine is None else [machine * 1024]
    for group in _groups():
        with suppress(OSError, ValueError):  # no such group, or without a limit: "max"
            limit, used = (int((group / name).read_text(encoding="ascii"))
                           for name in ("memory.max", "memory.current"))
            files = _numbers(group / "memory.stat").get("inactive_file", 0)
            known.append(limit - used + files)  # copies of files make way
    return min(known, default=None)


def _groups() -> list[Path]:
    """The control groups (v2) that limit this process, as containers and clusters do."""
    try:
        lines = (PROC / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = [GROUPS / line[3:].strip("/") for line in lines if line.startswith("0::")]
    return [group for place in own for group in (place, *place.parents)
            if group.is_relative_to(GROUPS)]


def _numbers(path: Path) -> dict[str, int]:
    """Of lines with a name and a number; {} where there is no such file."""
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return {}
    return {words[0]: int(words[1]) for words in lines
            if len(words) > 1 and words[1].isdecimal()}
