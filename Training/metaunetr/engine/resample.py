"""HU on the grid of the image become the network's input: model spacing, values 0 to 1."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from metaunetr.bundle import Preprocessing
from metaunetr.image import Grid

SLAB = 8  # slices converted to float at a time: bounds memory on long scans


def interpolation_matrix(
    start: float, step: float, count: int, length: int, sigma: float = 0.0
) -> Tensor:
    """Weights (count, length) that resample an axis of `length` voxels at start + n * step.

    Linear interpolation, after a Gaussian of `sigma` source voxels; edges are replicated.
    """
    positions = start + step * torch.arange(count, dtype=torch.float64)
    positions = positions.clamp(0, length - 1)
    low = positions.floor()
    fraction = positions - low
    radius = math.ceil(4 * sigma)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma) ** 2) if sigma else torch.ones(1).double()
    kernel = kernel / kernel.sum()
    matrix = torch.zeros(count, length, dtype=torch.float64)
    for corner, weight in ((0, 1 - fraction), (1, fraction)):
        columns = (low.long()[:, None] + corner + offsets).clamp(0, length - 1)
        matrix.scatter_add_(1, columns, weight[:, None] * kernel)
    return matrix.float()


def model_shape(grid: Grid, spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """Voxels (D, H, W) that cover a canonical grid at the model spacing (i, j, k in mm).

    The last one may stick out; without it the outermost voxels of the image would get no label.
    """
    return tuple(
        math.ceil(n * s / m - 1e-6)
        for n, s, m in zip(grid.shape, grid.spacing[::-1], spacing[::-1], strict=True)
    )


def voxel_steps(grid: Grid, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """Image voxels per model voxel along (D, H, W) of a canonical grid."""
    return tuple(round(m / s, 9) for s, m in zip(grid.spacing[::-1], spacing[::-1], strict=True))


def antialias_sigma(step: float, preprocessing: Preprocessing) -> float:
    """Gaussian sigma in image voxels; 0 where these are not finer than 3/4 of the model's."""
    return preprocessing.antialias * step if step > 4 / 3 else 0.0


def matrices(grid: Grid, preprocessing: Preprocessing) -> tuple[Tensor, Tensor, Tensor]:
    """Interpolation matrices that resample D, H and W of a canonical grid to the model spacing."""
    return tuple(
        # both grids begin at the same edge, not at the same voxel centre
        interpolation_matrix((step - 1) / 2, step, m, n, antialias_sigma(step, preprocessing))
        for n, m, step in zip(grid.shape, model_shape(grid, preprocessing.spacing),
                              voxel_steps(grid, preprocessing.spacing), strict=True)
    )


def to_model_input(view: np.ndarray, grid: Grid, preprocessing: Preprocessing) -> Tensor:
    """The network's input (D, H, W), float32 in 0..1, from a canonical view in HU.

    It keeps the axes of the view, which may be oblique.
    """
    shape = model_shape(grid, preprocessing.spacing)
    along_d, along_h, along_w = matrices(grid, preprocessing)
    in_plane = torch.empty(grid.shape[0], shape[1], shape[2])
    for first in range(0, grid.shape[0], SLAB):
        slab = scale(view[first : first + SLAB], preprocessing)
        in_plane[first : first + SLAB] = along_h @ (slab @ along_w.T)
    return (along_d @ in_plane.flatten(1)).view(shape)


def nearest_model_input(
    view: np.ndarray, grid: Grid, whole: Grid, preprocessing: Preprocessing
) -> Tensor:
    """Approximate `to_model_input` for the grid `whole`, from a view of every n-th voxel.

    The nearest voxel is taken, because linear interpolation between voxels so far apart would widen
    the body.

    Args:
        grid: of the view, canonical as `whole` is.
    """
    # position of the first voxel of the whole in the view, along (D, H, W)
    first_voxel = (np.linalg.inv(grid.affine) @ [*whole.origin, 1])[2::-1]
    nearest = [
        (first + (step - finer) / 2 + step * np.arange(m)).round().clip(0, n - 1).astype(int)
        for first, finer, step, m, n in zip(
            first_voxel, voxel_steps(grid, whole.spacing), voxel_steps(grid, preprocessing.spacing),
            model_shape(whole, preprocessing.spacing), grid.shape, strict=True)
    ]
    return scale(view[np.ix_(*nearest)], preprocessing)


def scale(hu: np.ndarray, preprocessing: Preprocessing) -> Tensor:
    """HU to 0..1 over the model's window, clipped; contiguous float32."""
    low, high = preprocessing.hu_window
    values = torch.from_numpy(np.ascontiguousarray(hu, dtype=np.float32))
    return values.sub_(low).div_(high - low).clamp_(0, 1)


def body_box(volume: Tensor, body_crop: tuple[float, float]) -> tuple[slice, slice, slice]:
    """The part of the model input (D, H, W) that holds the body; every slice is kept.

    A row or column belongs to the body when more than a share of its voxels exceeds a value, so
    that neither noise nor the table widens the box. An image without any is kept whole.
    """
    value, share = body_crop
    mask = (volume > value).float()
    rows = (mask.mean(dim=(0, 2)) > share).nonzero().flatten()
    columns = (mask.mean(dim=(0, 1)) > share).nonzero().flatten()
    if not len(rows) or not len(columns):
        return tuple(slice(0, n) for n in volume.shape)
    return (
        slice(0, volume.shape[0]),
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
