"""How long a run will take and how much memory it will need, told before it starts."""

from __future__ import annotations

import math
import time

import torch

from metaunetr.bundle import Bundle
from metaunetr.engine.device import Runner
from metaunetr.engine.windows import Windows
from metaunetr.image import Image

# All measured, see Testing/benchmarks/end_to_end.py
RESTORE = 0.02  # seconds to restore, measure and write a million voxels of the input grid
NETWORK_BYTES = 24  # at the network's peak, for each voxel of a window and each feature
BLENDING_BYTES = 20  # for each voxel and class of a row of windows


def estimate(runner: Runner, windows: Windows, image: Image, bundle: Bundle) -> dict[str, float]:
    """Seconds until the labels are written, and memory (MB) above the loaded interpreter.

    The speed of the network is measured on a part of a window, which also warms it up.
    """
    trial = torch.zeros([
        max(bundle.multiple, n // 2 // bundle.multiple * bundle.multiple) for n in windows.patch
    ])
    per_voxel = min(_seconds(runner, trial) for _ in range(3)) / trial.numel()
    voxels = math.prod(windows.patch)
    seconds = len(windows) * voxels * per_voxel + RESTORE * image.array.size / 1e6
    row = windows.patch[0] * windows.size[1] * windows.size[2]
    memory = image.array.nbytes + image.array.size  # the image and its labels
    memory += NETWORK_BYTES * bundle.card["architecture"]["feature_size"] * voxels
    memory += BLENDING_BYTES * (len(bundle.classes) + 1) * row
    return {"seconds": round(seconds, 1), "memory_mb": round(memory / 1e6)}


def _seconds(runner: Runner, window: torch.Tensor) -> float:
    start = time.perf_counter()
    runner.run([window])
    return time.perf_counter() - start
