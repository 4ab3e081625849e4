"""What a confidence is worth: the Dice that organs of that confidence had on held-out cases.

Mean probability tells which organs are in doubt, but not how good they are: networks are surer
than they are right. A card may hold a rising curve, fitted on cases that were not trained on,
from that mean probability to Dice (Resources/Models/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MOST_KNOTS = 100


@dataclass(frozen=True)
class Calibration:
    """A piecewise linear curve; beyond its ends it stays level.

    Attributes:
        confidence: rising, 0 to 1: mean probability over an organ's voxels.
        dice: rising or level, 0 to 1: the Dice to be expected there.
    """

    confidence: tuple[float, ...]
    dice: tuple[float, ...]

    def __call__(self, confidence: float) -> float:
        """The Dice to be expected at a confidence; NaN for NaN."""
        import numpy as np  # models are listed where there is none

        return float(np.interp(confidence, self.confidence, self.dice))

    @classmethod
    def from_card(cls, values: Any) -> Calibration | None:
        """The curve in a card's entry `calibration`; None where there is none.

        Raises:
            KeyError, ValueError: the entry lacks a list, or describes no such curve.
        """
        if values is None:
            return None
        if not isinstance(values, dict):
            raise ValueError(f"calibration must be an object: {values!r}")
        confidence, dice = (_knots(values, key) for key in ("confidence", "dice"))
        if len(confidence) != len(dice):
            raise ValueError("confidence and dice of the calibration must have one length: "
                             f"{len(confidence)} and {len(dice)}")
        if any(b <= a for a, b in pairwise(confidence)):
            raise ValueError(f"confidence of the calibration must rise: {list(confidence)}")
        if any(b < a for a, b in pairwise(dice)):
            raise ValueError(f"dice of the calibration must not fall: {list(dice)}")
        return cls(confidence, dice)


def _knots(values: dict[str, Any], key: str) -> tuple[float, ...]:
    knots = values[key]
    if (
        not isinstance(knots, list) or not 2 <= len(knots) <= MOST_KNOTS
        or any(type(v) not in (int, float) or not 0 <= v <= 1 for v in knots)  # also of NaN
    ):
        raise ValueError(f"{key} of the calibration must be 2 to {MOST_KNOTS} numbers from 0 to "
                         f"1: {knots!r:.200}")
    return tuple(map(float, knots))
