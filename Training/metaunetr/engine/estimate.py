"""How long a run will take and how much memory it will need, told before it starts."""

from __future__ import annotations

import math
import time

import torch

from metaunetr.engine.device import Runner
from metaunetr.engine.windows import Windows
from metaunetr.image import Image

# Seconds for a whole window against a trial of an eighth or so, per voxel (measured)
WHOLE_WINDOW = 1.0
# Seconds to resample, restore and measure a million voxels of the input grid (measured)
RESTORE = 0.03
# Bytes the network holds at its peak for each voxel of a window and each feature (measured)
NETWORK_BYTES = 24
# Bytes for each voxel and class of the box that a row of windows covers: blending and restoring
BLENDING_BYTES = 20


def estimate(runner: Runner, windows: Windows, image: Image, channels: int, features: int) -> dict:
    """Seconds until the labels are there, and memory (MB) above the loaded interpreter.

    The speed of the network is measured on a part of a window, which also warms it up.
    """
    trial = tuple(max(16, n // 32 * 16) for n in windows.patch)
    runner.run([torch.zeros(trial)])
    start = time.perf_counter()
    runner.run([torch.zeros(trial)])
    per_voxel = (time.perf_counter() - start) / math.prod(trial)
    voxels = math.prod(windows.patch)
    seconds = len(windows) * voxels * per_voxel * WHOLE_WINDOW
    seconds += RESTORE * image.array.size / 1e6
    row = windows.patch[0] * windows.size[1] * windows.size[2]
    memory = image.array.nbytes + image.array.size  # the image and its labels
    memory += NETWORK_BYTES * features * voxels + BLENDING_BYTES * channels * row
    return {"seconds": round(seconds, 1), "memory_mb": round(memory / 1e6)}
