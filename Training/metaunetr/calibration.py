"""From the confidence of an organ to its expected Dice, as measured on held-out cases.

The mean probability ranks organs by their quality, but is higher than their Dice: networks are
overconfident. A card may hold a curve from one to the other (Resources/Models/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from metaunetr.schema import Between, Length, Reader

Knots = Annotated[tuple[Annotated[float, Between(0, 1)], ...], Length(2, 100)]


@dataclass(frozen=True)
class Calibration:
    """A piecewise linear curve, constant beyond its ends.

    Attributes:
        confidence: rising, 0 to 1: mean probability over an organ's voxels.
        dice: not falling, 0 to 1: the expected Dice there.
    """

    confidence: tuple[float, ...]
    dice: tuple[float, ...]

    def __call__(self, confidence: float) -> float:
        """The expected Dice at a confidence; NaN for NaN."""
        import numpy as np  # listing models must not need NumPy

        return float(np.interp(confidence, self.confidence, self.dice))

    @classmethod
    def from_card(cls, values: Any) -> Calibration | None:
        """The curve in the entry `calibration` of a card; None without an entry.

        Raises:
            KeyError, ValueError: a list is missing, or they are no such curve.
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
