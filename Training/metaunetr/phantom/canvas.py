"""Slabs of the CT grid on which anatomy is painted, and random fields for its texture."""

from __future__ import annotations

import numpy as np

AIR = -1000.0
_PERIOD = 48  # lattice nodes after which a field repeats itself


class View:
    """A box of a slab: coordinates of its points in patient space (mm), HU and labels.

    Attributes:
        x, y, z: (S, H, W) to Left, to Posterior, to Superior of the centre of vertebra L1.
        hu: (S, H, W), painted so far. labels: (S, H, W) organ numbers so far.
    """

    def __init__(self, slab: Slab, box: tuple[slice, slice, slice]):
        self._slab, self._box = slab, box
        self.patient, self.edge = slab.patient, slab.edge
        self.x, self.y, self.z = slab.x[box], slab.y[box], slab.z[box]
        self.hu, self.labels = slab.hu[box], slab.labels[box]
        self.shape = self.x.shape

    def view(self, low, high) -> View | None:
        """The part of this view between two corners; None when it is empty."""
        box = self._slab.indices(low, high)
        box = tuple(_overlap(a, b) for a, b in zip(box, self._box, strict=True))
        return View(self._slab, box) if all(s.stop > s.start for s in box) else None

    def window(self, low, high) -> tuple[slice, slice, slice] | None:
        """Slices of this view's arrays that cover the box between two corners."""
        box = self._slab.indices(low, high)
        box = tuple(_overlap(a, b) for a, b in zip(box, self._box, strict=True))
        if any(s.stop <= s.start for s in box):
            return None
        starts = [own.start for own in self._box]
        return tuple(
            slice(s.start - start, s.stop - start) for s, start in zip(box, starts, strict=True)
        )

    def noise(self, name: str) -> np.ndarray:
        """Values of a random field of the patient, (S, H, W), zero mean and unit SD."""
        return self._slab.patient.fields[name].on(
            *(axis[s] for axis, s in zip(self._slab.axes, self._box, strict=True))
        )

    def field(self, name: str, compute) -> np.ndarray:
        """A quantity that many structures use, computed once for the trunk in the slab."""
        trunk = self._slab.trunk()
        if name not in self._slab.cache:
            self._slab.cache[name] = compute(trunk)
        starts = [s.start for s in trunk._box]
        box = (slice(s.start - n, s.stop - n) for s, n in zip(self._box, starts, strict=True))
        return self._slab.cache[name][tuple(box)]

    def only(self, mask: np.ndarray) -> Points:
        """The points of this view where `mask` is true."""
        return Points(self, mask)

    def paint(self, distance: np.ndarray, hu, label: int | None = None) -> None:
        """Fills the inside of a shape; edges are blurred over a pixel.

        Args:
            distance: mm to the surface, negative inside.
            hu: a number or an array of the view's shape.
            label: organ number; 0 erases labels, None keeps those painted before.
        """
        self.hu += (hu - self.hu) * coverage(distance, self.edge)
        if label is not None:
            np.copyto(self.labels, np.uint8(label), where=distance < 0)


class Points:
    """Selected points of a view, with the interface of a view on 1-D arrays."""

    def __init__(self, view: View, mask: np.ndarray):
        self._view, self._mask = view, mask
        self.patient = view.patient
        self.x, self.y, self.z = view.x[mask], view.y[mask], view.z[mask]
        self.edge = view.edge

    def noise(self, name: str) -> np.ndarray:
        return self._view.noise(name)[self._mask]

    def field(self, name: str, compute) -> np.ndarray:
        return self._view.field(name, compute)[self._mask]

    def paint(self, distance: np.ndarray, hu, label: int | None = None) -> None:
        """As `View.paint`."""
        painted = self._view.hu[self._mask]
        painted += (hu - painted) * coverage(distance, self.edge)
        self._view.hu[self._mask] = painted
        if label is not None:
            labels = self._view.labels[self._mask]
            labels[distance < 0] = label
            self._view.labels[self._mask] = labels


class Slab:
    """Consecutive slices, each sampled at `samples` heights within its thickness."""

    def __init__(self, patient, grid, first: int, last: int):
        self.patient = patient
        dx, dy, dz = grid.spacing
        self.samples = self.samples_per_slice(dz)
        depth, height, width = last - first, *grid.shape[1:]
        self.edge = max(1.2, float(np.sqrt(dx * dy)))
        step = dz / self.samples
        heights = (np.arange(depth * self.samples) - self.samples // 2) * step + first * dz
        self.axes = (
            grid.origin[2] + heights,
            grid.origin[1] + np.arange(height) * dy,
            grid.origin[0] + np.arange(width) * dx,
        )
        self.x, self.y, self.z = patient.to_patient(*self.axes)
        self.hu = np.full(self.x.shape, AIR, np.float32)
        self.labels = np.zeros(self.x.shape, np.uint8)
        self.cache: dict[str, np.ndarray] = {}
        self._slice_shape = (depth, self.samples, height, width)

    def trunk(self) -> View:
        """The view that contains the patient."""
        return View(self, self.indices(*self.patient.box))

    @staticmethod
    def samples_per_slice(thickness: float) -> int:
        """Odd, so that one sample is the middle, and at most about 2 mm apart."""
        return 1 if thickness <= 2.0 else 3

    def everything(self) -> View:
        return View(self, tuple(slice(0, n) for n in self.x.shape))

    def indices(self, low, high) -> tuple[slice, slice, slice]:
        """Index ranges (k, j, i) that contain the box between two corners."""
        low, high = self.patient.to_scanner_box(low, high)
        ranges = []
        for axis, lo, hi in zip(self.axes, low[::-1], high[::-1], strict=True):
            start = int(np.searchsorted(axis, lo - self.edge))
            ranges.append(slice(start, int(np.searchsorted(axis, hi + self.edge))))
        return tuple(ranges)

    def slices(self) -> tuple[np.ndarray, np.ndarray]:
        """HU averaged over the thickness and labels at the middle, both (D, H, W)."""
        hu = self.hu.reshape(self._slice_shape).mean(1)
        return hu, self.labels.reshape(self._slice_shape)[:, self.samples // 2]


def coverage(distance: np.ndarray, edge: float) -> np.ndarray:
    """Share of a pixel, `edge` mm wide, that is inside a shape."""
    share = distance * np.float32(-1 / edge)
    share += np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def _overlap(a: slice, b: slice) -> slice:
    return slice(max(a.start, b.start), min(a.stop, b.stop))


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
    """a (N, K) @ b (..., K, M), in products that are too small for BLAS to start threads.

    The slabs of a phantom are computed in parallel already.
    """
    n, k = a.shape
    rows = max(1, min(n, 200_000 // (k * b.shape[-1])))
    padded = np.zeros((-(-n // rows) * rows, k), np.float32)
    padded[:n] = a
    product = padded.reshape(-1, rows, k) @ b[..., None, :, :]
    return product.reshape(*b.shape[:-2], len(padded), b.shape[-1])[..., :n, :]
