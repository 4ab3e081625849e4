"""An estimate of the time and memory that a run takes, before it starts."""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from metaunetr.bundle import Bundle
from metaunetr.engine.runner import Runner
from metaunetr.engine.windows import Windows
from metaunetr.errors import InputError
from metaunetr.image import Grid

# All measured, see Testing/benchmarks/end_to_end.py
PREPROCESS = 0.011  # seconds to check and preprocess a million voxels of the image
FINISH = 0.02  # seconds to upsample, measure and write a million voxels of the image
SLOW = 5.0  # seconds for the trial, after which it is not repeated
NETWORK_VALUES = 6  # at the network's peak, for each voxel of a window and channel there
BLENDING_BYTES = 20  # for each voxel and class of a row of windows


def estimate(
    runner: Runner, windows: Windows, grid: Grid, voxel_bytes: int, bundle: Bundle,
    network_s: float | None = None,
) -> dict[str, Any]:
    """Seconds from here until the labels are written, and memory (MB) above the loaded interpreter.

    Args:
        grid, voxel_bytes: of the image that is segmented.
        network_s: seconds of the network, as estimated before. None measures its speed on a part
            of a window, which also warms it up.
    """
    voxels = math.prod(windows.window)
    if network_s is None:
        trial = torch.zeros(trial_size(windows.window, bundle.multiple))
        per_voxel = _seconds(runner, trial) / trial.numel()
        network_s = len(windows) * voxels * per_voxel
    seconds = network_s + FINISH * math.prod(grid.shape) / 1e6
    row = windows.window[0] * windows.size[1] * windows.size[2]
    memory = (voxel_bytes + 1) * math.prod(grid.shape)  # the image and its labels
    architecture = bundle.card["architecture"]
    channels = architecture.get("full_resolution_channels") or architecture["feature_size"]
    memory += NETWORK_VALUES * runner.backend.dtype.itemsize * channels * voxels
    memory += BLENDING_BYTES * (len(bundle.classes) + 1) * row
    return {"windows": len(windows), "seconds": round(seconds, 1),
            "network_s": round(network_s, 1), "memory_mb": round(memory / 1e6),
            "device": str(runner.backend.device)}


def whole_grid(grid: Grid, shape: tuple[int, int, int]) -> Grid:
    """The grid of `shape` of which `grid` holds every n-th voxel along each axis.

    Raises:
        InputError: no grid of `shape` has such a coarse copy.
    """
    every = [math.ceil(fine / coarse) for fine, coarse in zip(shape, grid.shape, strict=True)]
    if any(math.ceil(fine / n) != coarse
           for fine, n, coarse in zip(shape, every, grid.shape, strict=True)):
        sizes = (" × ".join(str(n) for n in reversed(s)) for s in (shape, grid.shape))
        raise InputError("A coarse copy must hold every n-th voxel along each axis; of {} there "
                         "are {}.".format(*sizes))
    spacing = tuple(s / n for s, n in zip(grid.spacing, every[::-1], strict=True))
    return Grid(tuple(shape), spacing, grid.origin, grid.direction)


def trial_size(window: tuple[int, int, int], multiple: int) -> tuple[int, int, int]:
    """The size of half a window, (D, H, W), that the network accepts.

    At least twice `multiple`, because pooling and SwinUNETR fail where a side of their lowest
    level is one voxel.
    """
    return tuple(min(n, max(2 * multiple, n // 2 // multiple * multiple)) for n in window)


def _seconds(runner: Runner, window: torch.Tensor) -> float:
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        runner.trial(window)
        best = min(best, time.perf_counter() - start)
        if best > SLOW:
            break
    return best
