"""Label maps of a data set in organ numbers; merged right and left organs are separated.

Right and left are those of the patient, by the L coordinate of each voxel, so flipped and oblique
images need no special case. A connected component belongs to the side of its centre. The sides are
divided in the middle of the widest gap between large components or, where no gap is wide enough for
two organs, at the middle of the body in the CT. A wide component that lies on both sides, such as a
horseshoe kidney, is divided there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from metaunetr import io
from metaunetr.boxes import bounding_box
from metaunetr.engine.components import SMALL, label_components
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.organs import BY_NUMBER, RIGHT
from metaunetr_training.data.case import Case

# mm from right to left between the centres of two organs. Kidneys' centres were 107 to 152 mm apart
# in 9 patients, adrenal glands' 57 to 79 in 8; halves of one kidney would be 30 or so.
GAP = 40.0
CUT = 0.2  # share of a component beyond the middle, from which on it may be two organs
SOFT_TISSUE = (-200, 300)  # HU: fat to enhanced vessels
PITCH = 8.0  # mm between the voxels by which the middle of the body is found
L, S = 0, 2  # rows of an affine


def read_reference(case: Case, image: Image | None = None) -> Image:
    """The labels of `case` in organ numbers, uint8 (D, H, W), on the file's own grid.

    Args:
        image: the CT, if it has been read already; else it is read only when it is needed to
            separate right from left.

    Raises:
        InputError: a file cannot be read, or the data set does not define one of the labels.
    """
    labels = io.read_labels(case.labels)
    _require_known_labels(case, labels.array)
    meaning = [case.mapping.get(label, ()) for label in range(256)]
    array = np.array([_by_side(organs)[0] if organs else 0 for organs in meaning],
                     np.uint8)[labels.array]
    for pair in sorted({organs for organs in meaning if len(organs) == 2}):
        mask = np.array([organs == pair for organs in meaning])[labels.array]
        if mask.any():
            def middle(mask: np.ndarray = mask) -> float:
                return middle_of_body(image or io.read_image(case.image), mask, labels.grid)

            array[mask & ~right_of_pair(mask, labels.grid, middle)] = _by_side(pair)[1]
    return Image(array, labels.grid, labels.source)


def right_of_pair(mask: np.ndarray, grid: Grid, middle: Callable[[], float]) -> np.ndarray:
    """The voxels (D, H, W) of a mask of paired organs that belong to the patient's right one.

    Args:
        mask: (D, H, W) bool, not empty: both organs or one; whole, in pieces or fused.
        middle: returns the L coordinate (mm) of the middle of the body; called only where the mask
            has no gap between two organs.
    """
    box, parts = label_components(mask)
    left = _coordinate(L, grid, box)
    sizes, centres = _centres(parts, left, parts > 0)
    border = _gap(centres[sizes >= SMALL * sizes.max()])
    if border is None:
        border = middle()
    right = (centres < border)[parts] & (parts > 0)
    for part in _fused(parts, left, border):
        here = parts == part
        right[here] = left[here] < border
    whole = np.zeros(mask.shape, bool)
    whole[box] = right
    return whole


def middle_of_body(image: Image, mask: np.ndarray, grid: Grid) -> float:
    """L coordinate (mm) of the middle of the body, in the slices of a CT that a mask covers.

    It is the median over soft tissue.

    Args:
        mask: (D, H, W) bool, not empty, on `grid`, which need not be the CT's.
    """
    box = bounding_box(mask)
    places = _coordinate(S, grid, box)[mask[box]]
    every = tuple(slice(None, None, max(1, int(PITCH / spacing)))
                  for spacing in image.grid.spacing[::-1])
    hu = image.array[every]
    height, left = (_coordinate(axis, image.grid, every) for axis in (S, L))
    body = (hu > SOFT_TISSUE[0]) & (hu < SOFT_TISSUE[1])
    slices = body & (height >= places.min()) & (height <= places.max())
    for choice in (slices, body):
        if choice.any():
            return float(np.median(left[choice]))
    return float(left.mean())


def _require_known_labels(case: Case, labels: np.ndarray) -> None:
    counts = sum(np.bincount(plane.ravel(), minlength=256) for plane in labels)
    held = (int(label) for label in np.flatnonzero(counts))
    unknown = [label for label in held if label and label not in case.mapping]
    if unknown:
        raise InputError(
            f"{case.labels}: labels must be among {', '.join(map(str, sorted(case.mapping)))}, "
            f"those that {case.dataset} knows; this file holds {', '.join(map(str, unknown))} too"
        )


def _by_side(numbers: tuple[int, ...]) -> list[int]:
    """Organ numbers, the right side's first."""
    return sorted(numbers, key=lambda number: BY_NUMBER[number].side != RIGHT)


def _coordinate(
    axis: int, grid: Grid, box: tuple[slice, slice, slice] = (slice(None),) * 3
) -> np.ndarray:
    """L, P or S (mm) of the voxels in a box of a grid, (D, H, W)."""
    k, j, i = (np.arange(n)[part] for n, part in zip(grid.shape, box, strict=True))
    x, y, z, start = grid.affine[axis]
    return (start + z * k[:, None, None] + y * j[:, None] + x * i).astype(np.float32)


def _centres(
    parts: np.ndarray, left: np.ndarray, where: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and mean L coordinate of each component by its number; 0 and NaN without voxels."""
    count = int(parts.max()) + 1
    sizes = np.bincount(parts[where], minlength=count)
    with np.errstate(invalid="ignore"):
        return sizes, np.bincount(parts[where], left[where], count) / sizes


def _gap(centres: np.ndarray) -> float | None:
    """The middle of the widest gap between centres (mm); None where it is below GAP."""
    centres = np.sort(centres)
    gaps = np.diff(centres)
    if not len(gaps) or gaps.max() < GAP:
        return None
    return float(centres[gaps.argmax()] + gaps.max() / 2)


def _fused(parts: np.ndarray, left: np.ndarray, border: float) -> np.ndarray:
    """Numbers of the components that are two organs, by their shares and centres on both sides."""
    sizes, centres = zip(*(_centres(parts, left, (parts > 0) & side)
                           for side in (left < border, left >= border)), strict=True)
    with np.errstate(invalid="ignore"):
        share = np.minimum(*sizes) / np.add(*sizes)
        return np.flatnonzero((share >= CUT) & (centres[1] - centres[0] >= GAP))
