"""Agreement of two masks of one organ: Dice, surface Dice and the 95 % Hausdorff distance.

Only the spacing matters, because rotating a grid does not change distances. A sheared grid is
measured as if its axes were at right angles.

Where both masks are empty, every measure is NaN, and means leave it out. Where one is empty, Dice
and surface Dice are 0, and the distance is infinite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metaunetr.boxes import bounding_box
from metaunetr.surface import Spacing, Surface

ROUNDING_MM = 1e-4  # distances are float32: five steps of 0.4 mm must still count as 2 mm


@dataclass(frozen=True)
class Agreement:
    """Agreement of two masks: `dice` and `surface_dice` 0 to 1, `hd95` in mm."""

    dice: float
    surface_dice: float
    hd95: float


def agreement(
    prediction: np.ndarray, reference: np.ndarray, spacing: Spacing, tolerance: float = 2.0
) -> Agreement:
    """All three measures for boolean masks (D, H, W) with `spacing` in mm along (i, j, k).

    Surface Dice is the share of both surfaces' area that lies within `tolerance` mm of the other
    surface: Nikolov et al., J Med Internet Res 2021;23:e26151 (arXiv:1809.04430, 2018).

    The 95 % Hausdorff distance is the larger of the two directed 95th percentiles of the surface
    distance, again by area: the quantile method of Taha & Hanbury, BMC Med Imaging 2015;15:29, on
    the surfaces of Nikolov et al. Counting surface voxels instead, as MONAI does, usually moves it
    by less than a voxel.
    """
    box = bounding_box(prediction | reference)
    if box is None:
        return Agreement(np.nan, np.nan, np.nan)
    prediction, reference = prediction[box], reference[box]
    if not (prediction.any() and reference.any()):
        return Agreement(0.0, 0.0, np.inf)
    surfaces = Surface.of(prediction, spacing), Surface.of(reference, spacing)
    areas = surfaces[0].areas, surfaces[1].areas
    distances = surfaces[0].distances_to(surfaces[1]), surfaces[1].distances_to(surfaces[0])
    near = sum(
        area[distance <= tolerance + ROUNDING_MM].sum()
        for area, distance in zip(areas, distances, strict=True)
    )
    return Agreement(
        dice=dice(prediction, reference),
        surface_dice=float(near / (areas[0].sum() + areas[1].sum())),
        hd95=max(map(_weighted_percentile_95, distances, areas)),
    )


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Twice the overlap over the sum of both boolean masks; NaN when both are empty."""
    total = np.count_nonzero(prediction) + np.count_nonzero(reference)
    return 2.0 * np.count_nonzero(prediction & reference) / total if total else np.nan


def _weighted_percentile_95(values: np.ndarray, weights: np.ndarray) -> float:
    """The smallest value that at least 95 % of the weight does not exceed."""
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulated, 0.95 * cumulated[-1])])
