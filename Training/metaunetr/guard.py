"""The input guard: is this a CT of an abdomen, in HU, on a grid that makes sense?

It looks at numbers only. It cannot tell an abdomen from a chest; it tells whether the voxels can
be HU, and whether the field of view is large enough for the organs.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.orientation import Orientation, tilt

MAX_SHEAR = 1e-3  # off-diagonal of DᵀD; float32 headers reach 1e-6, a gantry tilted 1° 0.017
MIN_SPACING, THICK_SPACING, MAX_SPACING = 0.05, 8.0, 20.0  # mm
MIN_SLICES = 5
MIN_LENGTH, MIN_WIDTH, MIN_DEPTH = 100.0, 250.0, 150.0  # mm; less cannot hold an adult abdomen
MAX_TILT = 10.0  # degrees
SAMPLE = 2_000_000  # voxels that the checks of values look at

PADDING = -1500  # HU; what lies below is outside the scanner's circle
SOFT_TISSUE = (-200, 300)  # HU: fat to enhanced vessels
MIN_SOFT_TISSUE = 0.02  # of all voxels; a thin patient in a wide field of view has 0.08
MIN_DARK = 0.005  # share of voxels below -30 HU: fat, gas, air, table
MAX_LABELS = 64  # distinct values; a CT has hundreds, even clipped to a narrow window
MIN_RANGE = 200  # HU


def inspect_ct(image: Image) -> list[str]:
    """Warnings about a CT that may be segmented with care, as sentences; those of reading first.

    Raises:
        InputError: the voxels cannot be HU, or the grid is no CT's; the message says what to do.
    """
    name = image.source or "the image"
    check_grid(name, image.grid)
    _check_finite(name, image.array)
    return [*image.warnings, *_inspect_grid(name, image.grid),
            *_inspect_values(name, _sample(image.array))]


def check_grid(name: Path | str, grid: Grid) -> None:
    """Refuse grids whose voxels are not boxes at known places.

    Args:
        name: how messages call the image.

    Raises:
        InputError: spacing not finite and positive, origin not finite, or axes not at right
            angles.
    """
    spacing = tuple(round(float(s), 6) for s in grid.spacing)
    if not all(math.isfinite(s) and s > 0 for s in grid.spacing):
        raise InputError(f"{name}: spacing must be finite and positive, it is {spacing} mm")
    if not np.isfinite(grid.affine).all():
        raise InputError(f"{name}: the position or direction of the voxels is not finite")
    direction = np.asarray(grid.direction)
    if abs(np.linalg.det(direction)) < 0.1:
        raise InputError(
            f"{name}: the direction matrix is degenerate: {direction.round(4).tolist()}"
        )
    shear = np.abs(direction.T @ direction - np.eye(3)).max()
    if shear > MAX_SHEAR:
        degrees = math.degrees(math.asin(min(1.0, shear)))
        raise InputError(
            f"{name}: the axes must be at right angles, they are off by {degrees:.2f}° (sheared "
            "image or tilted gantry); resample it onto an upright grid first"
        )


def _check_finite(name: Path | str, array: np.ndarray) -> None:
    if array.dtype.kind != "f":
        return
    bad = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in array)
    if bad:
        raise InputError(f"{name}: every voxel must be a number, {bad} are NaN or infinite")


def _inspect_grid(name: Path | str, grid: Grid) -> list[str]:
    if min(grid.shape) < MIN_SLICES:
        raise InputError(
            f"{name}: at least {MIN_SLICES} slices are needed, the image has {min(grid.shape)}"
        )
    finest, coarsest = min(grid.spacing), max(grid.spacing)
    if finest < MIN_SPACING or coarsest > MAX_SPACING:
        raise InputError(
            f"{name}: spacing must lie in {MIN_SPACING:g} to {MAX_SPACING:g} mm, it is "
            f"{' × '.join(f'{s:.4g}' for s in grid.spacing)}; is its unit wrong?"
        )
    warnings = []
    if coarsest > THICK_SPACING:
        warnings.append(f"Slices are {coarsest:.1f} mm apart; small organs will be inaccurate.")
    canonical = Orientation.of(grid).canonical(grid)
    width, depth, length = (n * s for n, s in zip(canonical.shape[::-1], canonical.spacing,
                                                  strict=True))
    if length < MIN_LENGTH:
        warnings.append(
            f"Only {length / 10:.1f} cm of the body's length are covered; organs are cut off "
            "and may be mistaken."
        )
    if width < MIN_WIDTH or depth < MIN_DEPTH:
        warnings.append(
            f"The field of view is only {width / 10:.1f} × {depth / 10:.1f} cm across; organs "
            "at its border may be cut off."
        )
    angle = tilt(canonical)
    if angle > MAX_TILT:
        warnings.append(f"The image is turned by {angle:.0f}° against the patient's axes.")
    return warnings


def _sample(array: np.ndarray) -> np.ndarray:
    """Every n-th voxel along each axis, at most about SAMPLE of them, flat."""
    step = max(1, math.ceil((array.size / SAMPLE) ** (1 / 3)))
    return array[::step, ::step, ::step].ravel()


def _inspect_values(name: Path | str, values: np.ndarray) -> list[str]:
    low, high = float(values.min()), float(values.max())
    reach = f"values reach from {low:g} to {high:g}"
    if low == high:
        raise InputError(f"{name}: the image is empty, every voxel is {low:g}")
    if low >= 0 and high <= 255 and len(np.unique(values)) <= MAX_LABELS:
        raise InputError(f"{name}: is a label map, not a CT: {reach}, all of few kinds")
    inside = values[values > PADDING]
    if inside.size == 0 or high - inside.min() < MIN_RANGE or (inside.min() >= 0 and high <= 255):
        raise InputError(
            f"{name}: must be in HU, but {reach}; it was rescaled, so use the original CT"
        )
    if _share(inside, -math.inf, -30) < MIN_DARK:
        # HU + 1024 has body near 1024, air near 0 and little between; an MR has tissue there.
        tissue, between = _share(inside, 850, 1300), _share(inside, 150, 800)
        if tissue > 0.1 and between < tissue / 2:
            raise InputError(
                f"{name}: must be in HU, but {reach}, with soft tissue near 1024 and air near "
                "0; the rescale intercept is missing, so subtract 1024"
            )
        raise InputError(
            f"{name}: must be a CT in HU, but there is no air (-1000) and no fat (-100): "
            f"{reach}; is it an MR, or rescaled?"
        )
    soft = _share(inside, *SOFT_TISSUE)
    if soft < MIN_SOFT_TISSUE:
        raise InputError(
            f"{name}: must be a CT in HU of a body, but only {100 * soft:.1f}% of its voxels "
            f"lie in {SOFT_TISSUE[0]} to {SOFT_TISSUE[1]} HU; {reach}"
        )
    if low > -500 and _share(values, low, low) > 0.01:
        return [f"HU are clipped to {low:g} to {high:g}; gas and air cannot be told apart."]
    return []


def _share(values: np.ndarray, low: float, high: float) -> float:
    return np.count_nonzero((values >= low) & (values <= high)) / values.size
