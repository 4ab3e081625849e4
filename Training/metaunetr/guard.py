"""The input guard: is this a CT of an abdomen, in HU, on a grid that makes sense?

It looks at numbers only. It cannot tell an abdomen from a chest; it tells whether the voxels can
be HU, and whether the field of view is large enough for the organs. HU are known by their order:
air, fat, soft tissue, bone, each where it must be and about as much of it as a body has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaunetr.errors import InputError
from metaunetr.fill import BELOW, Constants, find_constants, planes_of
from metaunetr.image import Grid, Image
from metaunetr.orientation import Orientation, tilt

MAX_SHEAR = 1e-3  # off-diagonal of DᵀD; float32 headers reach 1e-6, a gantry tilted 1° 0.017
MIN_SPACING, THICK_SPACING, MAX_SPACING = 0.05, 8.0, 20.0  # mm
MIN_SLICES = 5
MIN_LENGTH, MIN_WIDTH, MIN_DEPTH = 100.0, 250.0, 150.0  # mm; less cannot hold an adult abdomen
MAX_TILT = 10.0  # degrees
MIN_RANGE = 200  # HU
MAX_LABELS = 64  # distinct values; a CT has hundreds, even clipped to a narrow window

# What HU look like, in medians of blocks of about BLOCK mm, so that noise does not matter. Right:
# the most extreme of 71 CTs and 8 phantoms, each in 34 forms that keep HU (Testing/guard.py).
BLOCK = 3.0  # mm
TISSUE = -250  # HU; all above is fat, soft tissue, bone or metal
GAS = -300  # HU; all below is air, lung or padding
MIN_TISSUE = 0.01  # of the image                                             0.034
DARK, MIN_DARK = -30, 0.03  # HU of fat and gas; of what is not constant      0.056
MAX_LEAN = 60  # HU; a tenth of the tissue is darker, because of fat          9
MIN_FATTY, MIN_SOFT = 0, 30  # HU; a tenth, a twentieth of it is brighter     11, 52
DEEP, MAX_DEEP = (-350, -250, -150), 0.35  # HU; see `Measures.deep`           0.25
SOFT_TISSUE, MIN_SHARE = (-190, 200), 0.6  # HU; of the tissue                0.76
HARD, DENSE = 250, 700  # HU; brighter than enhanced vessels, than most bone
MAX_DENSE = 0.2  # of the tissue                                              0.083
MANY_DENSE = (0.008, 0.05)  # of the tissue, where it is more than between HARD and DENSE; where not
MIN_GAS = 0.02  # of what is not constant; less is the rim of the body
MIN_DARKEST, MAX_DARKEST = -1100, -650  # HU; of the darkest sixth of gas     -1025, -739
MIN_MIDDLE = -1060  # HU; of the median of gas                                    -1000
PADDING = -1500  # HU; what lies below is padding, if there is more than a fourth as much of air
NEGATED_AIR = 1100  # HU, at most
CLIPPED = -850  # HU; a constant lower end above it is no air
HALVED = -400  # HU; one between CLIPPED and this one is half of air (-1000), or a window's end
MIN_GAS_IN_BODY = 0.002  # of what is not padding; in less, gas was clipped


def inspect_ct(image: Image) -> list[str]:
    """Warnings about a CT that may be segmented with care, as sentences; those of reading first.

    Raises:
        InputError: the voxels cannot be HU, or the grid is no CT's; the message says what to do.
    """
    name = image.source or "the image"
    check_grid(name, image.grid)
    _check_finite(name, image.array)
    return [*image.warnings, *_inspect_grid(name, image.grid), *_inspect_values(name, image)]


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


def _inspect_values(name: Path | str, image: Image) -> list[str]:
    planes = planes_of(image.array)
    low, high = float(planes.min()), float(planes.max())
    reach = f"values reach from {low:g} to {high:g}"
    if low == high:
        raise InputError(f"{name}: the image is empty, every voxel is {low:g}")
    if low >= 0 and high <= 255 and len(np.unique(planes)) <= MAX_LABELS:
        raise InputError(f"{name}: is a label map, not a CT: {reach}, all of few kinds")
    if high - low < MIN_RANGE or (low >= 0 and high <= 255):
        raise InputError(
            f"{name}: must be in HU, but {reach}; it was rescaled, so use the original CT"
        )
    constants = find_constants(planes)
    values, blocks = _block_medians(planes, image.grid, constants)
    fault = _fault(values, blocks, constants)
    if fault:
        raise InputError(f"{name}: must be a CT in HU, but {fault}; {reach}; "
                         f"{_likely(planes, values, blocks)}")
    if _is_inverted(values, constants):
        raise InputError(
            f"{name}: must be a CT in HU, but its background, of {constants.fill[-1]:g} HU, is "
            f"brighter than the tissue, and there is no air; {reach}; was it negated or inverted?"
        )
    return [*_about_fill(constants), *_about_clipping(planes, constants),
            *_about_density(values, constants)]


def _block_medians(
    planes: np.ndarray, grid: Grid, constants: Constants
) -> tuple[np.ndarray, int]:
    """Medians of the blocks of planes (n, H, W) without constants; the number of all blocks."""
    rows, columns = (
        max(1, min(size, round(BLOCK / spacing)))
        for size, spacing in zip(planes.shape[1:], grid.spacing[1::-1], strict=True)
    )
    height, width = planes.shape[1] // rows, planes.shape[2] // columns
    blocks = planes[:, :height * rows, :width * columns].reshape(-1, height, rows, width, columns)
    blocks = blocks.swapaxes(2, 3).reshape(-1, rows * columns)
    known = [*constants.dark, *constants.fill]
    free = ~np.isin(blocks, known).any(axis=1) if known else slice(None)
    return np.median(blocks[free], axis=1).astype(np.float64), len(blocks)


@dataclass(frozen=True)
class Measures:
    """What medians of blocks tell of HU: shares, and percentiles in HU.

    Attributes:
        tissue: share of all blocks that is tissue.
        dark: share of the medians that is fat or gas.
        dense: share of tissue that is brighter than most bone.
        darkest, middle: the darkest sixth and the median of gas; None where there is too little.
        lean, fatty, soft: the 10th, 90th and 95th percentile of tissue.
        share: of tissue that is fat or soft tissue.
        deep: of the medians that are fat or a little darker, the share that is too dark for fat;
            less the share that is darker still, which corrects for borders between tissue and gas.
    """

    tissue: float
    dark: float
    dense: float
    darkest: float | None
    middle: float | None
    lean: float
    fatty: float
    soft: float
    share: float
    deep: float

    @classmethod
    def of(cls, values: np.ndarray, blocks: int) -> Measures:
        """Measures of the medians of the blocks without constants, of `blocks` blocks in all."""
        tissue, gas = values[values >= TISSUE], _gas(values)
        if not tissue.size:
            return cls(0, 0, 0, None, None, 0, 0, 0, 0, 0)
        enough = gas.size > MIN_GAS * values.size
        darkest, middle = np.percentile(gas, [16, 50]) if enough else (None, None)
        soft = (tissue >= SOFT_TISSUE[0]) & (tissue <= SOFT_TISSUE[1])
        borders, deep, fat = np.histogram(values, [*DEEP, DARK])[0]
        deep_share = (deep - borders) / max(deep + fat, MIN_DARK * values.size)
        return cls(tissue.size / blocks, (values < DARK).mean(), (tissue > DENSE).mean(), darkest,
                   middle, *np.percentile(tissue, [10, 90, 95]), soft.mean(), deep_share)


def _fault(values: np.ndarray, blocks: int, constants: Constants) -> str | None:
    """Why medians of blocks cannot be HU of a body in air; None when they can."""
    found = Measures.of(values, blocks)
    if found.tissue < MIN_TISSUE:
        return f"only {found.tissue:.1%} of it is brighter than air, too little of a body"
    if found.dark < MIN_DARK:
        return "there is no air (-1000) and no fat (-100)"
    if found.dense > MAX_DENSE:
        return f"{found.dense:.0%} of the body is brighter than bone ({DENSE})"
    if found.darkest is not None:
        if found.darkest < MIN_DARKEST or found.middle < MIN_MIDDLE:
            return f"air lies at {found.darkest:.0f} instead of -1000"
        if found.darkest > MAX_DARKEST and not any(MAX_DARKEST < v <= GAS for v in constants.dark):
            return f"air lies at {found.darkest:.0f} instead of -1000"
    if found.lean > MAX_LEAN:
        return ("there is no fat (-100), nine tenths of the body are brighter than "
                f"{found.lean:.0f}")
    if found.deep > MAX_DEEP:
        return f"fat lies at {(DEEP[1] + DEEP[2]) / 2:g} instead of -100"
    if found.fatty < MIN_FATTY or found.soft < MIN_SOFT:
        return ("there is no soft tissue (50), nine tenths of the body are darker than "
                f"{found.fatty:.0f}")
    if found.share < MIN_SHARE:
        return (f"only {found.share:.0%} of the body is fat or soft tissue ({SOFT_TISSUE[0]} to "
                f"{SOFT_TISSUE[1]})")
    return None


def _gas(values: np.ndarray) -> np.ndarray:
    """What is darker than tissue, without padding that is not constant as in lossy compression."""
    gas, padding = values[values < GAS], values < PADDING
    air = (values > MIN_DARKEST) & (values < CLIPPED)
    return gas[gas >= PADDING] if padding.sum() < 4 * air.sum() else gas


def _likely(planes: np.ndarray, values: np.ndarray, blocks: int) -> str:
    """What was probably done to the HU: what must be undone to make them a CT's."""
    frame = float(np.median(np.concatenate(
        [planes[:, row].ravel() for row in (0, -1)]
        + [planes[:, :, column].ravel() for column in (0, -1)])))
    undone = {
        "it looks as if the rescale intercept is missing: subtract 1024": values - 1024,
        "it looks as if the rescale intercept was applied twice: add 1024": values + 1024,
        "it looks as if values below 0 lost their sign: subtract 65536 from those above 32767":
            np.where(values > 32767, values - 65536, values),
        "it looks negated: change the sign": -values,
        "it looks inverted (MONOCHROME1): use the original CT": frame - 1000 - values,
        "the values look ten times too large: divide them by 10": values / 10,
        "the values look ten times too small: multiply them by 10": values * 10,
    }
    nothing = Constants((), (), False)
    return next((text for text, hu in undone.items() if _fault(hu, blocks, nothing) is None),
                "is it an MR, or rescaled? Use the original CT")


def _is_inverted(values: np.ndarray, constants: Constants) -> bool:
    """Whether the background is as bright as tissue or negated air, not brighter than anything."""
    if not constants.fill or constants.framed or (values < GAS).mean() > BELOW:
        return False
    background = constants.fill[-1]
    tissue = values[values >= TISSUE]
    brightest = max(tissue.max() + MIN_RANGE, NEGATED_AIR)
    return bool(np.percentile(tissue, 80) < background <= brightest)


def _about_fill(constants: Constants) -> list[str]:
    listed = " and ".join(f"{value:g}" for value in constants.fill)
    return [f"Regions of exactly {listed} HU are fill, no tissue; they are taken as air."
            ] if constants.fill else []


def _about_clipping(planes: np.ndarray, constants: Constants) -> list[str]:
    low, high = planes.min(), planes.max()
    ends = [v for v in constants.dark if v > CLIPPED]
    if not ends and (low <= CLIPPED or (planes == low).mean() <= BELOW):
        return _about_padding(planes, constants)
    end = max(ends, default=low)
    halved = ", or were halved" if end < HALVED else ""
    return [f"HU are clipped to {end:g} to {high:g}{halved}; gas and air cannot be told apart."]


def _about_padding(planes: np.ndarray, constants: Constants) -> list[str]:
    """Air of one value that was multiplied looks like padding, but then there is no other gas."""
    padding = max(constants.dark, default=0)
    if padding >= MIN_DARKEST:
        return []
    free = planes[planes > padding]
    if np.count_nonzero(free < GAS) >= MIN_GAS_IN_BODY * free.size:
        return []
    return [f"HU are clipped to {free.min():g} to {free.max():g}, or were multiplied: there is no "
            f"gas, and no air of -1000 but {padding:g}."]


def _about_density(values: np.ndarray, constants: Constants) -> list[str]:
    tissue = values[values >= TISSUE]
    dense, hard = (tissue > DENSE).mean(), ((tissue > HARD) & (tissue <= DENSE)).mean()
    air = any(value < CLIPPED for value in constants.dark) or (
        values < MAX_DARKEST).mean() >= MIN_GAS
    if air or dense <= np.clip(hard, *MANY_DENSE):
        return []
    return [f"{dense:.1%} of the body is brighter than {DENSE} HU, as dense bone is, and there is "
            "no air; was the image negated?"]
