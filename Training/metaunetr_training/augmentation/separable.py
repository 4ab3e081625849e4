"""Linear maps along the axes: one small matrix for each, applied as matrix products.

Blur, resolution and smooth random fields are all of this kind; as matrix products they are
several times faster on CPUs than as convolutions of one channel.
"""

from __future__ import annotations

import torch
from torch import Tensor


def along_axes(volume: Tensor, maps: tuple[Tensor | None, ...]) -> Tensor:
    """Applies to each of the last three axes its matrix (new length, length); None leaves it.

    Args:
        volume: (..., D, H, W) float32.
    """
    along_d, along_h, along_w = maps
    if along_w is not None:
        volume = volume @ along_w.T
    if along_h is not None:
        volume = along_h @ volume
    if along_d is not None:
        *_, d, h, w = volume.shape
        volume = (along_d @ volume.reshape(-1, d, h * w)).reshape(*volume.shape[:-3], -1, h, w)
    return volume


def gaussian(targets: Tensor, sources: Tensor, sigma: float) -> Tensor:
    """(targets, sources): Gaussian weights by distance, in the unit of the positions."""
    return torch.exp(-0.5 * ((targets[:, None] - sources) / sigma) ** 2)


def averaging(weights: Tensor) -> Tensor:
    """Rows that sum to 1: a constant stays, up to the border."""
    return weights / weights.sum(1, keepdim=True)


def blur(length: int, sigma: float, device: torch.device) -> Tensor:
    """(length, length): Gaussian blur by `sigma` voxels."""
    positions = torch.arange(length, dtype=torch.float32, device=device)
    return averaging(gaussian(positions, positions, sigma))


def low_resolution(length: int, factor: float, device: torch.device) -> Tensor:
    """(length, length): sampled `factor` times coarser, and up again linearly.

    What a coarse sample averages over is a Gaussian whose full width at half maximum is the
    coarse step, like the profile of a thick slice.
    """
    fine = torch.arange(length, dtype=torch.float32, device=device)
    steps = max(round(length / factor), 1)
    step = length / steps
    coarse = (torch.arange(steps, dtype=torch.float32, device=device) + 0.5) * step - 0.5
    down = averaging(gaussian(coarse, fine, step / 2.355))
    up = averaging((1 - (fine[:, None] - coarse).abs() / step).clamp_min(0))
    return up @ down
