"""Signed distances (mm, negative inside) of the shapes that make up the anatomy.

They are first-order approximations, exact near the surface, where partial volume depends on them.
Shapes blend with the polynomial smooth minimum of Quilez (iquilezles.org/articles/smin).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

FAR = np.float32(1e3)


def smooth_min(a, b, k: float):
    """Union of two shapes with a fillet of about `k` mm."""
    blend = np.maximum(np.float32(k) - np.abs(a - b), 0)
    return np.minimum(a, b) - blend * blend * np.float32(0.25 / k)


def smooth_max(a, b, k: float):
    """Intersection of two shapes with edges rounded over about `k` mm."""
    blend = np.maximum(np.float32(k) - np.abs(a - b), 0)
    return np.maximum(a, b) + blend * blend * np.float32(0.25 / k)


def rotation(*angles: tuple[str, float]) -> np.ndarray:
    """3×3 matrix of successive rotations ("x", "y" or "z", degrees)."""
    matrix = np.eye(3)
    for axis, degrees in angles:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        step = {
            "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
            "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
            "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
        }[axis]
        matrix = np.array(step) @ matrix
    return matrix


def local(view, centre, axes: np.ndarray | None = None):
    """Coordinates x, y, z relative to `centre`, along the columns of the matrix `axes`."""
    points = (view.x, view.y, view.z)
    x, y, z = (axis - np.float32(c) for axis, c in zip(points, centre, strict=True))
    if axes is None:
        return x, y, z
    m = np.asarray(axes, np.float32)
    return tuple(x * m[0, i] + y * m[1, i] + z * m[2, i] for i in range(3))


def ellipsoid(view, centre, radii, axes: np.ndarray | None = None) -> np.ndarray:
    """Distance to an ellipsoid with radii (mm) along the columns of `axes`."""
    inverse = [np.float32(1 / r) for r in radii]
    u, v, w = (axis * i for axis, i in zip(local(view, centre, axes), inverse, strict=True))
    k = u * u + v * v + w * w
    u, v, w = u * inverse[0], v * inverse[1], w * inverse[2]
    gradient = np.sqrt(u * u + v * v + w * w)
    k = np.sqrt(k)
    return k * (k - 1) / np.maximum(gradient, np.float32(1e-6))


def ellipsoid_box(centre, radii, axes: np.ndarray | None = None, margin: float = 0.0):
    """Corners (low, high) of the box around an ellipsoid."""
    axes = np.eye(3) if axes is None else axes
    half = np.sqrt(((axes * np.asarray(radii)) ** 2).sum(1)) + margin
    return np.asarray(centre) - half, np.asarray(centre) + half


def catmull_rom(points, steps: int) -> np.ndarray:
    """A smooth curve through `points` (N, K): `steps` samples between neighbours."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = (np.arange(steps) / steps)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
               + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*pieces, p[-2:-1]])


class Tube:
    """A tube along a smooth curve, its radius (mm) given at the same points.

    Attributes:
        nodes: (N, 4) x, y, z and radius along the curve.
        box: corners (low, high) around the tube.
    """

    def __init__(self, points, radii, steps: int = 4, flatten=(1.0, 1.0, 1.0)):
        radii = np.broadcast_to(np.asarray(radii, float), (len(points),))
        self.nodes = catmull_rom(np.column_stack([np.asarray(points, float), radii]), steps)
        self.nodes[:, 3] = np.maximum(self.nodes[:, 3], 0.5)
        self.flatten = flatten
        reach = self.nodes[:, 3:] / np.asarray(flatten)
        self.box = (self.nodes[:, :3] - reach).min(0), (self.nodes[:, :3] + reach).max(0)

    def distance(self, view, reach: float = 6.0) -> np.ndarray:
        """Distance of the view's points, exact up to `reach` mm outside the surface."""
        nearest = np.full(view.shape, FAR, np.float32)
        flat = np.asarray(self.flatten)
        for a, b in pairwise(self.nodes):
            margin = max(a[3], b[3]) / flat + reach
            window = view.window(np.minimum(a, b)[:3] - margin, np.maximum(a, b)[:3] + margin)
            if window is not None:
                d = self._segment(view, window, a, b)
                np.minimum(nearest[window], d, out=nearest[window])
        return nearest

    def _segment(self, view, window, a, b):
        scale = [np.float32(f) for f in self.flatten]
        px, py, pz = ((axis[window] - np.float32(o)) * s for axis, o, s in
                      zip((view.x, view.y, view.z), a[:3], scale, strict=True))
        along = ((b - a)[:3] * scale).astype(np.float32)
        length2 = np.float32(max(float(along @ along), 1e-6))
        t = (px * along[0] + py * along[1] + pz * along[2]) / length2
        np.clip(t, 0, 1, out=t)
        px -= along[0] * t
        py -= along[1] * t
        pz -= along[2] * t
        r = np.float32(a[3]) + np.float32(b[3] - a[3]) * t
        return np.sqrt(px * px + py * py + pz * pz) - r
