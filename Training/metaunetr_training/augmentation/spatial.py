"""Affine and elastic deformation in one resampling. Positions are mm from the patch's centre.

Patches are never mirrored, since right and left organs have different labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from metaunetr_training.augmentation.separable import along_axes, gaussian

Triple = tuple[float, float, float]


def affine(degrees: Sequence[float], scale: float) -> list[list[float]]:
    """The matrix that rotates about the axes D, H and W (in this order) and scales.

    It maps an old position (d, h, w) in mm to the new one.
    """
    matrix = torch.eye(3, dtype=torch.float64) * scale
    for axis, angle in enumerate(degrees):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        rotation = torch.eye(3, dtype=torch.float64)
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        rotation[first, first] = rotation[second, second] = cos
        rotation[first, second], rotation[second, first] = -sin, sin
        matrix = rotation @ matrix
    return matrix.tolist()


def elastic(shape: Sequence[int], spacing: Triple, sigma_mm: float, pitch_mm: float,
            generator: torch.Generator, device: torch.device) -> Tensor:
    """A smooth random displacement (3, D, H, W) along (d, h, w), mm.

    It is a sum of Gaussians of random height on a grid of `pitch_mm`, with the standard deviation
    `sigma_mm` everywhere. Its gradients have a standard deviation of about 1.2 sigma_mm / pitch_mm,
    so with sigma_mm below a third of pitch_mm the deformation does not fold.
    """
    maps = []
    for length, step in zip(shape, spacing, strict=True):
        positions = torch.arange(length, dtype=torch.float32, device=device) * step
        nodes = int(length * step / pitch_mm) + 5  # two beyond each end
        weights = gaussian(
            positions, (torch.arange(nodes, device=device) - 2) * pitch_mm, 0.6 * pitch_mm
        )
        maps.append(weights / weights.norm(dim=1, keepdim=True))  # unit variance
    heights = torch.randn(3, *(m.shape[1] for m in maps), generator=generator)
    return along_axes(sigma_mm * heights.to(device), tuple(maps))


def deform(image: Tensor, labels: Tensor, spacing: Triple, matrix: Sequence[Sequence[float]],
           shift_mm: Triple, displacement: Tensor | None) -> tuple[Tensor, Tensor]:
    """Deforms a patch by x → matrix x + shift, with a displacement of the source positions.

    Voxels from beyond the patch are air and background in plane; along D, where the body continues,
    the outermost slices are repeated.

    Args:
        image: (D, H, W) float32. labels: (D, H, W) uint8.
        spacing, shift_mm: along (d, h, w), mm.
        displacement: (3, D, H, W) mm.
    """
    grid = _sources(image, spacing, matrix, shift_mm, displacement)
    return _sample(image, grid, "bilinear"), _sample_labels(labels, grid)


def _sources(image: Tensor, spacing: Triple, matrix: Sequence[Sequence[float]],
             shift_mm: Triple, displacement: Tensor | None) -> Tensor:
    """The source of each voxel (D, H, W, 3) in coordinates of `grid_sample`: (w, h, d), -1 to 1."""
    shape = image.shape
    back = torch.linalg.inv(torch.tensor(matrix, dtype=torch.float64))
    halves = [(length - 1) / 2 * step for length, step in zip(shape, spacing, strict=True)]
    axes = [  # mm from the centre, less the shift; each in its own direction of the patch
        (torch.linspace(-half, half, length, device=image.device) - shift).reshape(
            [-1 if other == axis else 1 for other in range(3)]
        )
        for axis, (half, length, shift) in enumerate(zip(halves, shape, shift_mm, strict=True))
    ]
    grid = torch.empty(3, *shape, device=image.device)
    for row, (weights, half) in enumerate(zip(back.tolist(), halves, strict=True)):
        d, h, w = (axis * (weight / half) for axis, weight in zip(axes, weights, strict=True))
        torch.add(d + h, w, out=grid[2 - row])
        if displacement is not None:
            grid[2 - row].add_(displacement[row], alpha=1 / half)
    grid[2].clamp_(-1, 1)
    return grid.permute(1, 2, 3, 0)


def _sample(volume: Tensor, grid: Tensor, mode: str) -> Tensor:
    """The volume (D, H, W) sampled at the positions.

    Slices are passed as samples of a batch, since grid_sample is parallel only over these on CPUs.
    """
    batch = volume.expand(len(grid), 1, *volume.shape)
    return F.grid_sample(batch, grid[:, None], mode, "zeros", align_corners=True)[:, 0, 0]


def _sample_labels(labels: Tensor, grid: Tensor) -> Tensor:
    """(D, H, W) uint8: the label with the largest linear weight among the eight neighbours.

    It removes about a quarter of the noise that nearest-neighbour sampling has at borders: Dice
    against a rotation at 1 mm, of phantoms at 3 mm, is 0.986 instead of 0.980 for the liver and
    0.86 instead of 0.82 for the left adrenal gland (which loses 7% of its volume). It is computed
    only where the neighbours differ, which is where linear and nearest values differ.
    """
    values = labels.float()
    result = _sample(values, grid, "nearest")
    mixed = (_sample(values, grid, "bilinear") - result).abs() > 1e-3
    result[mixed] = _vote(labels, grid[mixed]).float()
    return result.to(torch.uint8)


def _vote(labels: Tensor, points: Tensor) -> Tensor:
    """The label with the largest weight (n,) uint8, at points (n, 3) of the grid."""
    padded = F.pad(labels, (1, 1, 1, 1, 1, 1))
    ends = torch.tensor(labels.shape[::-1], device=points.device) - 1
    position = (points + 1) / 2 * ends + 1  # in `padded`: (w, h, d)
    low = position.floor()
    after = position - low
    w, h, d = low.long().unbind(1)
    weights = torch.stack((1 - after, after)).unbind(2)  # of both neighbours along w, h, d
    corners = [(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    found = torch.stack([padded[d + k, h + j, w + i] for i, j, k in corners])
    shares = torch.stack([weights[0][i] * weights[1][j] * weights[2][k] for i, j, k in corners])
    votes = torch.stack([((found == label) * shares).sum(0) for label in found])
    return found.gather(0, votes.argmax(0, keepdim=True))[0]
