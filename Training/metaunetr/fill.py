"""Fill: regions of exactly one value, where nothing was measured.

Scanners, resampling and masks write a constant outside the region that they cover. Tissue has
noise, so a large region of one value is not tissue. A constant at the dark end, of air or of the
padding around a scanner's circle, is air to every model; any other looks like tissue or bone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from numpy.lib.stride_tricks import sliding_window_view

from metaunetr.image import Image

AIR = -1024  # HU; the least that a scanner stores
DARK = -300  # HU; a constant at or below it is air, or padding
MOST = 4_000_000  # voxels that are looked at
FEWEST = 8  # planes that are looked at
RUN = 16  # equal voxels along a plane's frame
ON_FRAME = 0.05  # of a plane's frame; bone that is clipped covers 0.01 of it
CORNER, ON_CORNERS = 3, 0.2  # voxels along the edges of a corner; of the corners of the planes
INSIDE = 0.005  # of all voxels; dark constants only: phantoms without noise have constant tissue
BELOW = 0.01  # most of the voxels that are not constant and lie below the darkest constant
NEAR = 100  # HU
SMALLEST = 32  # voxels of a region in one plane


@dataclass(frozen=True)
class Constants:
    """Values that whole regions have.

    Attributes:
        dark: of air, of padding below it, or the lower end to which values were clipped.
        fill: of anything else that lies on the border of the planes.
        framed: whether a dark constant lies on the border of the planes.
    """

    dark: tuple[float, ...]
    fill: tuple[float, ...]
    framed: bool


def planes_of(array: np.ndarray) -> np.ndarray:
    """Some planes (n, H, W) of an array (D, H, W), evenly spread from the first to the last."""
    depth = len(array)
    count = min(depth, max(FEWEST, MOST // max(1, array[0].size)))
    return array[np.unique(np.linspace(0, depth - 1, count).round().astype(int))]


def find_constants(planes: np.ndarray) -> Constants:
    """The constants of planes (n, H, W)."""
    inner = planes[:, 1:-1, 1:-1]
    flat = _same(planes[:, 1:-1], 2) & _same(planes[:, :, 1:-1], 1)
    inside = _shares(inner[flat], inner.size)
    edges = (planes[:, 0], planes[:, -1], planes[:, :, 0], planes[:, :, -1])
    frame = _shares(np.concatenate([_runs(edge) for edge in edges]),
                    sum(edge.size for edge in edges))
    corners = _shares(_corners(planes), 4 * len(planes))
    bordering = {value for value, share in frame.items() if share > ON_FRAME}
    bordering |= {value for value, share in corners.items() if share > ON_CORNERS}
    found = bordering | {value for value, share in inside.items()
                         if share > INSIDE and value <= DARK}
    if not found:
        return Constants((), (), False)
    rest = planes[~np.isin(planes, list(found))]
    dark = {value for value in found
            if value <= DARK or np.count_nonzero(rest < value) <= BELOW * rest.size}
    fill = found - dark
    highest = planes.max()
    if highest in fill:  # bone, where values were clipped, has neighbours just below
        below = np.count_nonzero(rest > highest - NEAR)
        fill -= {highest} if below > np.count_nonzero(planes == highest) / 2 else set()
    return Constants(tuple(sorted(dark)), tuple(sorted(fill)), bool(dark & bordering))


def regions(plane: np.ndarray, low: float, high: float, bordering: bool) -> np.ndarray:
    """Where a plane (H, W) has regions of values from `low` to `high`.

    Args:
        bordering: only those that reach the border of the plane.
    """
    mask = (plane >= low) & (plane <= high)
    if not mask.any():
        return mask
    parts = sitk.GetArrayFromImage(
        sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True))
    wanted = np.bincount(parts.ravel()) >= SMALLEST
    if bordering:
        reached = np.zeros_like(wanted)
        for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
            reached[edge] = True
        wanted &= reached
    wanted[0] = False
    return wanted[parts]


def as_air(image: Image) -> Image:
    """The image with its fill made air; itself where it has none."""
    planes = planes_of(image.array)
    fill = find_constants(planes).fill
    if not fill:
        return image
    array, highest = image.array.copy(), planes.max()
    for plane in array:
        for value in fill:
            plane[regions(plane, value, value, bordering=value == highest)] = AIR
    return replace(image, array=array)


def _same(array: np.ndarray, axis: int) -> np.ndarray:
    """Whether inner elements along an axis are equal to both of their neighbours."""
    array = np.moveaxis(array, axis, -1)
    same = array[..., 1:] == array[..., :-1]
    return np.moveaxis(same[..., 1:] & same[..., :-1], -1, axis)


def _runs(edges: np.ndarray) -> np.ndarray:
    """The elements of edges (n, length) that lie in runs of equal ones."""
    width = min(RUN, edges.shape[1])
    same = sliding_window_view(edges[:, 1:] == edges[:, :-1], width - 1, axis=1).all(axis=-1)
    inside = np.zeros(edges.shape, bool)
    for shift in range(width):
        inside[:, shift:shift + same.shape[1]] |= same
    return edges[inside]


def _corners(planes: np.ndarray) -> np.ndarray:
    """The values of the corners of planes (n, H, W) that are constant."""
    ends = (slice(0, CORNER), slice(-CORNER, None))
    corners = np.concatenate([planes[:, rows, columns].reshape(len(planes), -1)
                              for rows in ends for columns in ends])
    return corners[(corners == corners[:, :1]).all(axis=1), 0]


def _shares(values: np.ndarray, total: int) -> dict[float, float]:
    """How often values occur, over `total`."""
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), (counts / max(1, total)).tolist(), strict=True))
