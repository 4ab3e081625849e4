"""Images with geometry: voxels never travel without the grid they lie on.

Arrays are (D, H, W) = (k, j, i), as SimpleITK and Slicer hand them over; spacing, origin and
direction are in ITK's order (i, j, k) and in LPS millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an array lie in the patient.

    Attributes:
        shape: voxels (D, H, W) = along (k, j, i).
        spacing: mm along (i, j, k).
        origin: LPS mm of the centre of voxel (0, 0, 0).
        direction: 3×3 matrix; column n is the unit vector of axis n of (i, j, k) in LPS.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))

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
        return cls(
            shape=tuple(int(n) for n in shape),
            spacing=tuple(float(s) for s in spacing),
            origin=tuple(float(o) for o in np.asarray(affine)[:3, 3]),
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
    """Where the slices of a series with a tilted gantry lie in the upright image made of them.

    Slice k is, voxel by voxel, the part of plane k of the image that begins at `offsets[k]`; it
    lies there within half a voxel of its true place. Around it is air.

    Attributes:
        size: rows and columns (H, W) of a slice.
        offsets: (D, 2), row and column of the image at which each slice begins.
    """

    size: tuple[int, int]
    offsets: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W) of the upright image."""
        rows, columns = self.offsets.max(axis=0) + self.size
        return len(self.offsets), int(rows), int(columns)

    def upright(self, slices: np.ndarray, fill: float) -> np.ndarray:
        """The upright array of `slices` (D, H, W), `fill` around them."""
        array = np.full(self.shape, fill, slices.dtype)
        for k, plane in enumerate(slices):
            array[self._at(k)] = plane
        return array

    def slices(self, array: np.ndarray) -> np.ndarray:
        """The slices (D, H, W) of an upright array."""
        return np.stack([array[self._at(k)] for k in range(len(self.offsets))])

    def _at(self, k: int) -> tuple[int, slice, slice]:
        (row, column), (height, width) = self.offsets[k], self.size
        return k, slice(row, row + height), slice(column, column + width)


@dataclass(frozen=True)
class Image:
    """Voxels (D, H, W) on their grid: HU for a CT, organ numbers for a label map.

    Attributes:
        source: the file or folder it came from, None when made in memory.
        dicom_files: the files of a DICOM series, in the order of k; empty otherwise.
        warnings: sentences about what had to be left out or changed to read it.
        shear: of a series with a tilted gantry, where its slices lie in `array`; None otherwise.
    """

    array: np.ndarray
    grid: Grid
    source: Path | None = None
    dicom_files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shear: Shear | None = None

    def __post_init__(self) -> None:
        if tuple(self.array.shape) != tuple(self.grid.shape):
            raise ValueError(
                f"array and grid must have one shape: {self.array.shape} and {self.grid.shape}"
            )

    def on_slices(self) -> np.ndarray:
        """The voxels (D, H, W) of the DICOM slices that the image was made of."""
        return self.array if self.shear is None else self.shear.slices(self.array)
