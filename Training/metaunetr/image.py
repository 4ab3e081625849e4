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
class Image:
    """Voxels (D, H, W) on their grid: HU for a CT, organ numbers for a label map.

    Attributes:
        source: the file or folder it came from, None when made in memory.
        dicom_files: the files of a DICOM series, in the order of k; empty otherwise.
        warnings: sentences about what had to be left out to read it.
        organs: of a label map, the numbers of the organs that were looked for; None where it does
            not tell.
    """

    array: np.ndarray
    grid: Grid
    source: Path | None = None
    dicom_files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    organs: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if tuple(self.array.shape) != tuple(self.grid.shape):
            raise ValueError(
                f"array and grid must have one shape: {self.array.shape} and {self.grid.shape}"
            )
