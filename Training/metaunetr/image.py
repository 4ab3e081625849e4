"""A 3-D array and the grid that locates it.

Arrays are (D, H, W) = (k, j, i), as SimpleITK and Slicer hand them over; spacing, origin and
direction are in ITK's order (i, j, k) and in LPS millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Grid:
    """The positions of the voxels of an array in the patient.

    Attributes:
        shape: voxels (D, H, W) = along (k, j, i).
        spacing: mm along (i, j, k).
        origin: LPS mm of the centre of voxel (0, 0, 0).
        direction: 3×3 matrix; column n is the unit vector of axis n of (i, j, k) in LPS.

    Raises:
        ValueError: an argument has another number of values.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        for name, size in (("shape", (3,)), ("spacing", (3,)), ("origin", (3,)),
                           ("direction", (3, 3))):
            if np.shape(getattr(self, name)) != size:
                raise ValueError(f"{name} of a grid must have {'×'.join(map(str, size))} values, "
                                 f"it is {getattr(self, name)!r}")

    @property
    def affine(self) -> np.ndarray:
        """4×4 matrix from voxel indices (i, j, k, 1) to LPS mm."""
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing)
        affine[:3, 3] = self.origin
        return affine

    @classmethod
    def from_affine(cls, shape: tuple[int, int, int], affine: np.ndarray) -> Grid:
        """The grid of an IJK-to-LPS matrix; the lengths of its columns are the spacing."""
        columns = np.asarray(affine, float)[:3, :3]
        spacing = np.linalg.norm(columns, axis=0)
        depth, height, width = map(int, shape)
        along_i, along_j, along_k = map(float, spacing)
        x, y, z = map(float, np.asarray(affine)[:3, 3])
        return cls(
            shape=(depth, height, width),
            spacing=(along_i, along_j, along_k),
            origin=(x, y, z),
            direction=columns / spacing,
        )

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mL (also right for sheared grids)."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def same_as(self, other: Grid, tolerance: float = 1e-3) -> bool:
        """Whether both grids put every voxel at the same place, within `tolerance` mm."""
        if tuple(self.shape) != tuple(other.shape):
            return False
        d, h, w = self.shape
        corners = np.array([[i, j, k, 1] for i in (0, w) for j in (0, h) for k in (0, d)]).T
        return bool(np.abs((self.affine - other.affine) @ corners).max() <= tolerance)


@dataclass(frozen=True)
class Shear:
    """The positions of gantry-tilted slices in the upright image that they are resampled to.

    Slice k is in plane k of the image, with the same directions of rows and columns, surrounded by
    air.

    Attributes:
        size: rows and columns (H, W) of a slice.
        offsets: (D, 2), row and column of the first voxel of each slice in the image; fractional,
            at least 0.
    """

    size: tuple[int, int]
    offsets: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W) of the upright image."""
        rows, columns = np.ceil(self.offsets.max(axis=0)) + self.size
        return len(self.offsets), int(rows), int(columns)

    def upright(self, slices: np.ndarray, fill: float) -> np.ndarray:
        """Resample `slices` (D, H, W) to the upright image, with `fill` around them."""
        _, rows, columns = self.shape
        array = np.empty(self.shape, slices.dtype)
        for plane, out, (row, column) in zip(slices, array, self.offsets, strict=True):
            plane = _shifted(plane.astype(np.float32), row, rows, fill)
            plane = _shifted(plane.T, column, columns, fill).T
            out[:] = np.rint(plane) if out.dtype.kind in "iu" else plane
        return array

    def slices(self, labels: np.ndarray) -> np.ndarray:
        """Resample labels (D, H, W) of the upright image to the slices: nearest neighbours."""
        planes = []
        for plane, offset in zip(labels, self.offsets, strict=True):
            rows, columns = (np.rint(first + np.arange(count)).astype(int)
                             for first, count in zip(offset, self.size, strict=True))
            planes.append(plane[np.ix_(rows, columns)])
        return np.stack(planes)


def _shifted(lines: np.ndarray, offset: float, count: int, fill: float) -> np.ndarray:
    """`count` lines, linearly interpolated so that `lines` begin at index `offset`."""
    at = np.arange(count) - offset  # in `lines`
    first, last = np.floor(at).astype(int), len(lines) - 1
    weight = (at - first).astype(lines.dtype)[:, None]
    moved = (1 - weight) * lines[first.clip(0, last)] + weight * lines[(first + 1).clip(0, last)]
    moved[(at < -0.5) | (at > last + 0.5)] = fill
    return moved


@dataclass(frozen=True)
class Image:
    """Voxels (D, H, W) on their grid: HU for a CT, organ numbers for a label map.

    Attributes:
        source: the file or folder that it was read from; None when made in memory.
        dicom_files: the files of a DICOM series, in the order of k; empty otherwise.
        warnings: sentences about what was left out or changed to read it.
        shear: the positions of gantry-tilted slices in `array`; None for all other images.
        unpacked: the temporary files of `dicom_files`, deleted together with the last reference.
        organs: numbers of the organs that a label map was made for; None where this is unknown.
    """

    array: np.ndarray
    grid: Grid
    source: Path | None = None
    dicom_files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shear: Shear | None = None
    unpacked: object = None
    organs: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if tuple(self.array.shape) != tuple(self.grid.shape):
            raise ValueError(
                f"array and grid must have one shape: {self.array.shape} and {self.grid.shape}"
            )

    def on_slices(self) -> np.ndarray:
        """The labels (D, H, W) on the DICOM slices that the image was made of."""
        return self.array if self.shear is None else self.shear.slices(self.array)
