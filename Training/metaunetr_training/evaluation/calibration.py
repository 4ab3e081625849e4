"""A curve from the engine's confidence to the expected Dice, fitted on held-out cases.

Pairs of confidence and Dice, one per organ found in a case, are sorted by confidence and divided
into groups of equal size. Isotonic regression (Zadrozny & Elkan, KDD 2002) of the groups' mean Dice
gives the levels of the curve, one knot each. Grouping limits the number of knots, and no knot
depends on one organ of one case.

The reported error is cross-validated: the organs of a case are predicted by a curve that was fitted
without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np

from metaunetr.calibration import Calibration
from metaunetr_training.evaluation.scores import Score

GROUP = 10  # pairs: with a spread of Dice of 0.15, their mean is known to about 0.05
MOST_GROUPS = 10
FEWEST_PAIRS = 3 * GROUP  # three levels: fewer are no curve
FEWEST_CASES = 5  # organs of one case are good or bad together


@dataclass(frozen=True)
class Fit:
    """The result of a fit.

    Attributes:
        confidence, dice: the pairs.
        curve: None if none could be fitted, for the `reason`.
        error_before, error_after: mean absolute difference of Dice from confidence, and from a
            curve fitted without the case; NaN where there is no such curve.
    """

    confidence: np.ndarray
    dice: np.ndarray
    cases: int
    curve: Calibration | None
    reason: str
    error_before: float
    error_after: float

    def to_card(self) -> dict[str, Any] | None:
        """A card's entry `calibration`."""
        if self.curve is None:
            return None
        return {
            "confidence": list(self.curve.confidence), "dice": list(self.curve.dice),
            "n": len(self.dice), "cases": self.cases,
            "error_before": round(self.error_before, 4), "error_after": round(self.error_after, 4),
        }

    def refused(self, reason: str) -> Fit:
        """The same without a curve."""
        return replace(self, curve=None, reason=reason, error_after=nan)

    def sentence(self) -> str:
        """The result as a text."""
        pairs = f"{len(self.dice)} organs of {self.cases} cases"
        errors = ("" if isnan(self.error_after) else
                  f" Mean error of the confidence as a forecast of Dice: {self.error_before:.3f}; "
                  f"calibrated without the case at hand: {self.error_after:.3f}.")
        if self.curve is None:
            return f"No calibration of the confidence ({pairs}): {self.reason}.{errors}"
        return f"Confidence calibrated on {pairs}.{errors}"


def fit(scores: Sequence[Score]) -> Fit:
    """Fits a curve to all organs that were found and scored.

    There is none for fewer than 30 pairs or 5 cases, if Dice does not rise with confidence, or if
    the curve is not better than the confidence itself in cross-validation.
    """
    pairs = [s for s in scores if s.scored and not isnan(s.confidence)]
    confidence = np.array([s.confidence for s in pairs])
    dice = np.array([s.dice for s in pairs])
    keys = np.array([s.key for s in pairs])
    cases = sorted(set(keys))

    def result(reason: str, curve: Calibration | None = None, before=nan, after=nan) -> Fit:
        return Fit(confidence, dice, len(cases), curve, reason, float(before), float(after))

    if len(pairs) < FEWEST_PAIRS or len(cases) < FEWEST_CASES:
        return result(f"at least {FEWEST_PAIRS} organs of {FEWEST_CASES} cases are needed, so "
                      f"that three levels rest on {GROUP} organs each")
    curve = isotonic(confidence, dice)
    if curve is None:
        return result("Dice does not rise with the confidence")
    forecast = np.array(confidence)
    for case in cases:
        without, left_out = keys != case, keys == case
        if part := isotonic(confidence[without], dice[without]):
            forecast[left_out] = [part(value) for value in confidence[left_out]]
    before, after = np.abs(confidence - dice).mean(), np.abs(forecast - dice).mean()
    if after >= before:
        return result("on cases left out it is no better than the plain confidence", None,
                      before, after)
    return result("", curve, before, after)


def isotonic(confidence: np.ndarray, dice: np.ndarray) -> Calibration | None:
    """The rising curve through groups of pairs; None if it is constant."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(confidence, kind="stable")
    count = int(np.clip(len(order) // GROUP, 1, MOST_GROUPS))
    groups = [group for group in np.array_split(order, count) if len(group)]
    weights = np.array([len(group) for group in groups], float)
    x = np.array([confidence[group].mean() for group in groups])
    levels = isotonic_regression([dice[group].mean() for group in groups], weights=weights)
    starts = levels.blocks[:-1].astype(int)
    blocks = list(zip(starts, levels.blocks[1:].astype(int), strict=True))
    knots = [round(float(np.average(x[a:b], weights=weights[a:b])), 4) for a, b in blocks]
    values = [round(float(levels.x[a]), 4) for a in starts]
    rising = [n for n in range(len(knots)) if n == 0 or knots[n] > knots[n - 1]]
    if len(rising) < 2:
        return None
    return Calibration(tuple(knots[n] for n in rising), tuple(values[n] for n in rising))
