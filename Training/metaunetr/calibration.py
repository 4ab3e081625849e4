"""What a confidence is worth: the Dice that organs of that confidence had on held-out cases.

Mean probability tells which organs are in doubt, but not how good they are: networks are surer
than they are right. A card may hold a rising curve, fitted on cases that were not trained on,
from that mean probability to Dice (Resources/Models/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from metaunetr.schema import Between, Length, Reader

Knots = Annotated[tuple[Annotated[float, Between(0, 1)], ...], Length(2, 100)]


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
        reader = Reader("the calibration")
        reader.read(dict, values, "calibration")
        confidence, dice = (reader.read(Knots, values[key], f"{key} of the calibration")
                            for key in ("confidence", "dice"))
        if len(confidence) != len(dice):
            raise ValueError("confidence and dice of the calibration must have one length: "
                             f"{len(confidence)} and {len(dice)}")
        if any(b <= a for a, b in pairwise(confidence)):
            raise ValueError(f"confidence of the calibration must rise: {list(confidence)}")
        if any(b < a for a, b in pairwise(dice)):
            raise ValueError(f"dice of the calibration must not fall: {list(dice)}")
        return cls(confidence, dice)
