"""From the engine's confidence and volume to the expected Dice, fitted on held-out cases.

Logistic regression of the Dice of each organ found in a case, a number from 0 to 1, on the logit of
its confidence and the logarithm of its volume. Neither weight may be negative.

The reported error is cross-validated: the organs of a case are predicted by a calibration that was
fitted without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Any

import numpy as np

from metaunetr.calibration import Calibration, features
from metaunetr_training.evaluation.scores import Score

FEWEST_PAIRS = 30  # ten for each weight
FEWEST_CASES = 5  # organs of one case are good or bad together
PENALTY = 1e-3  # of squared weights: where all volumes are equal, it makes the weights unique


@dataclass(frozen=True)
class Fit:
    """The result of a fit.

    Attributes:
        confidence, dice: of each pair of organ and case.
        calibration: None if none could be fitted, for the `reason`.
        error_before, error_after: mean absolute difference of Dice from confidence, and from a
            calibration fitted without the case; NaN where there is none.
    """

    confidence: np.ndarray
    dice: np.ndarray
    cases: int
    calibration: Calibration | None
    reason: str
    error_before: float
    error_after: float

    def to_card(self) -> dict[str, Any] | None:
        """A card's entry `calibration`."""
        if self.calibration is None:
            return None
        return {
            **vars(self.calibration), "n": len(self.dice), "cases": self.cases,
            "error_before": round(self.error_before, 4), "error_after": round(self.error_after, 4),
        }

    def refused(self, reason: str) -> Fit:
        """The same without a calibration."""
        return replace(self, calibration=None, reason=reason, error_after=nan)

    def sentence(self) -> str:
        """The result as a text."""
        pairs = f"{len(self.dice)} organs of {self.cases} cases"
        errors = ("" if isnan(self.error_after) else
                  f" Mean error of the confidence as a forecast of Dice: {self.error_before:.3f}; "
                  f"calibrated without the case at hand: {self.error_after:.3f}.")
        if self.calibration is None:
            return f"No calibration of the confidence ({pairs}): {self.reason}.{errors}"
        return f"Confidence calibrated on {pairs}.{errors}"


def fit(scores: Sequence[Score]) -> Fit:
    """Fits a calibration to all organs that were found and scored.

    There is none for fewer than 30 pairs or 5 cases, if Dice does not rise with confidence, or if
    the calibration is not better than the confidence itself in cross-validation.
    """
    pairs = [s for s in scores if s.scored and not isnan(s.confidence) and s.prediction_ml > 0]
    confidence = np.array([s.confidence for s in pairs])
    volume = np.array([s.prediction_ml for s in pairs])
    dice = np.array([s.dice for s in pairs])
    keys = np.array([s.key for s in pairs])
    cases = sorted(set(keys))

    def result(
        reason: str, found: Calibration | None = None, before: float = nan, after: float = nan
    ) -> Fit:
        return Fit(confidence, dice, len(cases), found, reason, float(before), float(after))

    if len(pairs) < FEWEST_PAIRS or len(cases) < FEWEST_CASES:
        return result(f"at least {FEWEST_PAIRS} organs of {FEWEST_CASES} cases are needed")
    found = regression(confidence, volume, dice)
    if not found.logit_confidence:
        return result("Dice does not rise with the confidence")
    forecast = np.empty_like(dice)
    for case in cases:
        without, left_out = keys != case, keys == case
        part = regression(confidence[without], volume[without], dice[without])
        forecast[left_out] = part(confidence[left_out], volume[left_out])
    before, after = np.abs(confidence - dice).mean(), np.abs(forecast - dice).mean()
    if after >= before:
        return result("on cases left out it is no better than the plain confidence", None,
                      before, after)
    return result("", found, before, after)


def regression(confidence: np.ndarray, volume_ml: np.ndarray, dice: np.ndarray) -> Calibration:
    """The calibration of least cross-entropy, with weights rounded to four digits."""
    from scipy.optimize import minimize
    from scipy.special import expit

    rows = features(confidence, volume_ml)
    penalty = PENALTY * np.array([0.0, 1.0, 1.0])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        score = weights @ rows
        entropy = np.mean(np.logaddexp(0, score) - dice * score)
        slope = rows @ (expit(score) - dice) / len(dice)
        return entropy + penalty @ weights**2, slope + 2 * penalty * weights

    found = minimize(loss, np.array([0.0, 1.0, 0.0]), jac=True, method="L-BFGS-B",
                     bounds=[(-100, 100), (0, 20), (0, 20)])
    return Calibration(*(round(float(weight), 4) for weight in found.x))
