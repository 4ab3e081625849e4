"""The surface of a voxel mask, as elements with an area: what surface metrics measure.

After Nikolov et al., J Med Internet Res 2021;23:e26151 (arXiv:1809.04430), as released in
DeepMind's `surface-distance`: every corner where eight voxels meet, some inside and some outside,
is one element; its area is that of the marching-cubes patch between the eight voxel centres.
Beyond the image is outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

Spacing = tuple[float, float, float]  # mm along (i, j, k)
CORNERS = tuple(product((0, 1), repeat=3))  # (k, j, i) of the eight voxels around a voxel corner


@dataclass(frozen=True)
class Surface:
    """The surface of one mask.

    Attributes:
        elements: whether each voxel corner lies on the surface, (D+1, H+1, W+1).
        areas: mm² of each element, in the order of `elements`.
    """

    elements: np.ndarray
    areas: np.ndarray
    spacing: Spacing

    @classmethod
    def of(cls, mask: np.ndarray, spacing: Spacing) -> Surface:
        """The surface of a boolean mask (D, H, W)."""
        padded = np.pad(mask, 1).view(np.uint8)
        d, h, w = (n + 1 for n in mask.shape)
        code = np.zeros((d, h, w), np.uint8)
        for bit, (k, j, i) in enumerate(CORNERS):
            code |= padded[k : k + d, j : j + h, i : i + w] << np.uint8(bit)
        elements = (code != 0) & (code != 255)
        return cls(elements, _patch_areas(spacing)[code[elements]], spacing)

    def distances_to(self, other: Surface) -> np.ndarray:
        """Distance (mm) from each element to the nearest element of `other`."""
        import SimpleITK as sitk  # not needed for Dice, so not by training

        image = sitk.GetImageFromArray(other.elements.view(np.uint8))
        image.SetSpacing(self.spacing)
        distance = sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
        # an element that others enclose gets a negative distance: it lies on the surface, at 0
        return np.maximum(sitk.GetArrayFromImage(distance)[self.elements], 0)


@cache
def _patch_areas(spacing: Spacing) -> np.ndarray:
    """Area (mm²) of the marching-cubes patch for each of the 256 patterns of eight voxels."""
    scale = np.array(spacing[::-1])
    patterns = [[bool(code >> bit & 1) for bit in range(8)] for code in range(256)]
    return np.array([
        sum(_polygon_area(np.array(loop) * scale) for loop in _loops(pattern))
        for pattern in patterns
    ])


def _polygon_area(points: np.ndarray) -> float:
    """The largest area that a fan of triangles over these corners (N, 3) has.

    Polygons of five and six corners are bent, so their area depends on the triangles; the largest
    is what the released table of Nikolov et al. holds for cubic voxels. On a grid of 0.78 × 0.78 ×
    5 mm the choice of triangles moves surface Dice by at most 0.002.
    """
    def fan(start):
        spokes = np.roll(points, -start, axis=0)[1:] - points[start]
        return np.linalg.norm(np.cross(spokes[:-1], spokes[1:]), axis=1).sum() / 2

    return max(fan(start) for start in range(len(points)))


def _loops(inside: list[bool]) -> list[list[tuple[float, float, float]]]:
    """The closed polygons, as lists of (k, j, i), that part the inside voxels from the outside."""
    links = {}
    for first, second in _segments(inside):
        links.setdefault(first, []).append(second)
        links.setdefault(second, []).append(first)
    loops = []
    while links:
        loop, point = [], next(iter(links))
        while point is not None:
            loop.append(point)
            point = next((n for n in links.pop(point) if n in links), None)
        loops.append([tuple(np.mean([CORNERS[end] for end in edge], axis=0)) for edge in loop])
    return loops


def _segments(inside: list[bool]):
    """The pairs of cube edges that the surface connects across each face of the cube."""
    minority = sum(inside) <= 4  # where a face is ambiguous, the rarer kind is kept apart
    for axis, side in product(range(3), (0, 1)):
        face = [n for n in range(8) if CORNERS[n][axis] == side]
        ring = [face[0], face[1], face[3], face[2]]
        edges = [frozenset((ring[n], ring[(n + 1) % 4])) for n in range(4)]
        crossed = [edge for edge in edges if len({inside[end] for end in edge}) == 2]
        if len(crossed) == 4 and inside[ring[1]] != minority:
            crossed = crossed[1:] + crossed[:1]  # edges n and n + 1 meet in corner n + 1
        yield from zip(crossed[::2], crossed[1::2], strict=True)
