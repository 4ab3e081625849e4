"""The orientation of an image in the patient, and its view in canonical axes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from metaunetr.image import Grid


@dataclass(frozen=True)
class Orientation:
    """The permutation and flips that bring the axes of an array closest to the canonical ones.

    Canonical arrays (D, H, W) run from inferior to superior, from anterior to posterior and from
    the patient's right to left. Models are trained on these (LPS voxel order).

    Attributes:
        axes: array axis that becomes D, H and W.
        flips: whether that axis is reversed.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @classmethod
    def of(cls, grid: Grid) -> Orientation:
        """The orientation for which the image axes lie nearest to the patient's."""
        direction = np.asarray(grid.direction)
        # best[a] is the image axis (i, j or k) that runs most along world axis a of L, P, S
        best = max(
            permutations(range(3)),
            key=lambda axes: round(sum(abs(direction[a, n]) for a, n in enumerate(axes)), 9),
        )
        world = (2, 1, 0)  # D, H, W run along S, P, L
        return cls(
            axes=tuple(2 - best[a] for a in world),  # image axis n is array axis 2 - n
            flips=tuple(bool(direction[a, best[a]] < 0) for a in world),
        )

    def view(self, array: np.ndarray) -> np.ndarray:
        """The canonical (D, H, W) view of `array`; writing to it writes to `array`."""
        backwards = [axis for axis, flip in enumerate(self.flips) if flip]
        return np.flip(array.transpose(self.axes), backwards)

    def canonical(self, grid: Grid) -> Grid:
        """The grid of the canonical view."""
        size = np.array(grid.shape[::-1])  # voxels along i, j, k
        columns, corner = np.zeros((3, 3)), np.zeros(3)
        for position, (axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            image_axis = 2 - axis
            columns[:, 2 - position] = grid.affine[:3, image_axis] * (-1 if flip else 1)
            corner[image_axis] = size[image_axis] - 1 if flip else 0
        affine = np.eye(4)
        affine[:3, :3] = columns
        affine[:3, 3] = (grid.affine @ [*corner, 1])[:3]
        return Grid.from_affine(tuple(grid.shape[axis] for axis in self.axes), affine)


def tilt(grid: Grid) -> float:
    """The angle in degrees between the axes of a canonical grid and the patient's."""
    cosine = (np.trace(np.asarray(grid.direction)) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
