"""Smooth random fields in patient space: the same anatomy on every grid it is sampled on."""

from __future__ import annotations

import numpy as np

_PERIOD = 48  # lattice nodes before a field repeats itself


def spline_weights(positions: np.ndarray, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (m,) of a periodic lattice and their cubic B-spline weights (n, m) at n positions."""
    t = np.asarray(positions, np.float64) / pitch
    cell = np.floor(t).astype(np.int64)
    f = t - cell
    basis = (
        (1 - f) ** 3,
        3 * f**3 - 6 * f**2 + 4,
        -3 * f**3 + 3 * f**2 + 3 * f + 1,
        f**3,
    )
    first = cell.min() - 1
    count = min(int(cell.max()) + 3 - first, _PERIOD)
    weights = np.zeros((t.size, count), np.float32)
    rows = np.arange(t.size)
    for step, values in enumerate(basis):
        weights[rows, (cell - 1 + step - first) % count] += values / 6
    return (first + np.arange(count)) % _PERIOD, weights


class Field:
    """A random field with zero mean, unit SD and details of about `pitch` mm and larger."""

    def __init__(self, rng: np.random.Generator, pitch: float):
        self.pitch = pitch
        lattice = rng.standard_normal((_PERIOD,) * 3).astype(np.float32)  # (y, z, x)
        self._lattice = lattice * np.float32(0.479**-1.5)  # the mean sum of squared weights

    def on(self, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Values (D, H, W) on the grid spanned by three axes of coordinates in mm."""
        nodes, (along_z, along_y, along_x) = zip(
            *(spline_weights(axis, self.pitch) for axis in (z, y, x)), strict=True
        )
        rows = _product(along_z, self._lattice[np.ix_(nodes[1], nodes[0], nodes[2])])
        planes = _product(along_y, rows.swapaxes(0, 1))  # (D, H, x nodes)
        flat = planes.reshape(-1, planes.shape[-1])
        return _product(flat, np.ascontiguousarray(along_x.T)).reshape(len(z), len(y), len(x))


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a (N, K) @ b (..., K, M), cut into products so small that BLAS starts no threads.

    The slabs of a phantom already keep all cores busy; threads below them only wait for others.
    """
    n, k = a.shape
    rows = max(1, min(n, 200_000 // (k * b.shape[-1])))
    padded = np.zeros((-(-n // rows) * rows, k), np.float32)
    padded[:n] = a
    product = padded.reshape(-1, rows, k) @ b[..., None, :, :]
    return product.reshape(*b.shape[:-2], len(padded), b.shape[-1])[..., :n, :]
