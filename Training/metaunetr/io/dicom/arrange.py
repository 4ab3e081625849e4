"""The grid that the slices of a series form."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.datadict import dictionary_description

from metaunetr.errors import InputError
from metaunetr.guard import check_grid
from metaunetr.image import Grid, Shear
from metaunetr.io.dicom.header import Slice

MAX_OFF_GRID = 0.1  # largest distance of a slice from its position on the grid, in slice distances
MIN_DISTANCE = 0.01  # mm; closer slices are at one position
MIN_TILT, MAX_TILT = 0.06, 45.0  # degrees between slice normal and table; gantries reach 30


def arrange(
    path: Path, slices: list[Slice], same: Callable[[Slice, Slice], bool]
) -> tuple[list[Slice], Grid, Shear | None]:
    """Sort slices by position and find their grid.

    Gantry-tilted slices get an upright grid with the same planes, and a shear with their positions
    on it.

    Args:
        same: whether two slices at one position have the same voxels.

    Returns:
        The slices in the order of k without copies, the grid, and the shear; None for no tilt.

    Raises:
        InputError: the pixel spacing is not positive; slices differ in size, spacing, orientation,
            frame of reference or patient, are missing, unevenly spaced or side by side, or
            different ones are at the same position.
    """
    first = slices[0]
    spacing, axes = _agreed(path, slices)
    normal = _normal(axes)
    positions = np.array([item.position for item in slices])
    order = np.argsort(positions @ normal, kind="stable")
    order = _without_copies(path, slices, order, positions, same)
    slices, positions = [slices[n] for n in order], positions[order]
    step = _step(path, slices, positions, normal)
    shape, origin, shear = (len(slices), *first.size[::-1]), positions[0], None
    if tilt(axes, step) > MIN_TILT:
        rows_and_columns = np.stack([axes[3:], axes[:3]]) * spacing[:, None]  # mm per pixel
        shift = np.arange(len(slices))[:, None] * (rows_and_columns @ step / spacing**2)
        shear = Shear(shape[1:], shift - shift.min(axis=0))
        shape, origin = shear.shape, origin + shift.min(axis=0) @ rows_and_columns
        step = normal * (step @ normal)
    distance = float(np.linalg.norm(step))
    grid = Grid(
        shape, (float(spacing[1]), float(spacing[0]), distance), tuple(map(float, origin)),
        np.column_stack([axes[:3], axes[3:], step / distance]),
    )
    check_grid(path, grid)
    return slices, grid, shear


def tilt(axes: np.ndarray, step: np.ndarray) -> float:
    """Degrees between the normal of slices with `axes` (6,) and the step between them (3,)."""
    cosine = float(step @ _normal(axes) / np.linalg.norm(step))
    return math.degrees(math.acos(min(1.0, cosine)))


def _normal(axes: np.ndarray) -> np.ndarray:
    """The unit vector (3,) at right angles to both axes, also if these are not quite at right
    angles to each other, as rounded ones."""
    normal = np.cross(axes[:3], axes[3:])
    return normal / max(np.linalg.norm(normal), 1e-9)


def _agreed(path: Path, slices: list[Slice]) -> tuple[np.ndarray, np.ndarray]:
    """The spacing (2,) and axes (6,) of all slices; they have one size and one patient, too."""
    first = slices[0]
    for item in slices:
        if item.size != first.size:
            raise InputError(
                f"{path}: all slices must have one size, {first.name} has {first.size} "
                f"and {item.name} has {item.size}; move what is no part of the volume elsewhere"
            )
    spacing, axes = first.spacing, first.axes
    if not (spacing > 0).all():
        first.refuse("PixelSpacing", "positive")
    for item in slices:
        for keyword, count in (("PixelSpacing", 2), ("ImageOrientationPatient", 6)):
            different = item.numbers(keyword, count) - first.numbers(keyword, count)
            if np.abs(different).max() > 1e-3:
                raise _disagreement(
                    path, keyword, first, item,
                    "is a localizer or another view among them? move it elsewhere")
        for keyword in ("FrameOfReferenceUID", "PatientID"):
            if item.text(keyword) != first.text(keyword):
                raise _disagreement(
                    path, keyword, first, item,
                    "are they of two scans or patients? move one to a folder of its own")
    return spacing, axes


def _disagreement(path: Path, keyword: str, one: Slice, other: Slice, advice: str) -> InputError:
    name = dictionary_description(keyword)
    return InputError(f"{path}: all slices must agree in {name}, {one.name} and {other.name} "
                      f"differ ({advice})")


def _without_copies(
    path: Path, slices: list[Slice], order: np.ndarray, positions: np.ndarray,
    same: Callable[[Slice, Slice], bool],
) -> list[int]:
    """`order` without slices that are equal to the previous one and at the same position."""
    kept = [int(order[0])]
    for n in map(int, order[1:]):
        here, before = slices[n], slices[kept[-1]]
        if np.abs(positions[n] - positions[kept[-1]]).max() >= MIN_DISTANCE:
            kept.append(n)
        elif not same(before, here):
            raise InputError(
                f"{path}: every position must occur once, {before.name} and {here.name} are at "
                "the same and differ; several phases or reconstructions in one series? Move each "
                "to a folder of its own"
            )
    return kept


def _step(
    path: Path, slices: list[Slice], positions: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """The vector (LPS mm) from each slice to the next."""
    if len(slices) == 1:
        if not slices[0].text("SliceThickness"):
            return normal
        (thickness,) = slices[0].numbers("SliceThickness", 1)
        if not thickness > 0:
            raise InputError(f"{path}: Slice Thickness must be positive, it is {thickness:g}")
        return normal * thickness
    distances = np.diff(positions @ normal)
    if distances.min() < MIN_DISTANCE:
        twice = int(np.argmin(distances))
        raise InputError(
            f"{path}: slices must lie behind each other, {slices[twice].name} and "
            f"{slices[twice + 1].name} lie side by side"
        )
    usual = float(np.median(distances))
    widest = int(np.argmax(distances))
    if distances[widest] > 1.5 * usual:
        raise InputError(
            f"{path}: slices are missing: {slices[widest].name} and "
            f"{slices[widest + 1].name} are {distances[widest]:.2f} mm apart instead of "
            f"{usual:.2f}; fetch the whole series again"
        )
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    degrees = tilt(slices[0].axes, step)
    if degrees > MAX_TILT:
        raise InputError(
            f"{path}: slices must lie behind each other, they are shifted sideways by "
            f"{degrees:.1f}°, more than a tilted gantry does; resample the volume first"
        )
    places = positions[0] + np.arange(len(slices))[:, None] * step
    off = np.linalg.norm(positions - places, axis=1)
    if off.max() > MAX_OFF_GRID * usual:
        raise InputError(
            f"{path}: slices must be evenly spaced, their distances vary from "
            f"{distances.min():.2f} to {distances.max():.2f} mm; use an evenly spaced "
            "reconstruction"
        )
    return step
