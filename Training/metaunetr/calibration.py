"""From the confidence and the volume of an organ to its expected Dice, fitted on held-out cases.

The mean probability ranks organs by their quality, but is higher than their Dice, most of all in
small organs: the same error at the surface costs them more Dice. A card may hold a `Calibration`
(Resources/Models/README.md); older cards hold a `Curve`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from metaunetr.schema import Between, Length, Reader

SUREST = 0.99  # the logit of 1 is infinite
Knots = Annotated[tuple[Annotated[float, Between(0, 1)], ...], Length(2, 100)]


@dataclass(frozen=True)
class Calibration:
    """A logistic function of the logit of the confidence and the logarithm of the volume.

    Attributes:
        intercept, logit_confidence, log_volume_ml: weights of 1, ln(p / (1 - p)) of the mean
            probability p over an organ's voxels, and the natural logarithm of its volume in mL.
    """

    intercept: Annotated[float, Between(-100, 100)]
    logit_confidence: Annotated[float, Between(0, 20)]
    log_volume_ml: Annotated[float, Between(0, 20)]

    def __call__(self, confidence: Any, volume_ml: Any) -> Any:
        """The expected Dice of an organ or an array of organs; NaN for NaN."""
        import numpy as np  # listing models must not need NumPy

        weights = self.intercept, self.logit_confidence, self.log_volume_ml
        return 1 / (1 + np.exp(-np.tensordot(weights, features(confidence, volume_ml), axes=1)))


def features(confidence: Any, volume_ml: Any) -> Any:
    """What the weights of a `Calibration` belong to: an array of 3 rows."""
    import numpy as np

    p = np.clip(confidence, 1 - SUREST, SUREST)
    return np.stack([np.ones_like(p), np.log(p / (1 - p)), np.log(volume_ml)])


@dataclass(frozen=True)
class Curve:
    """A piecewise linear function of the confidence alone, constant beyond its ends.

    Attributes:
        confidence: rising, 0 to 1: mean probability over an organ's voxels.
        dice: not falling, 0 to 1: the expected Dice there.
    """

    confidence: tuple[float, ...]
    dice: tuple[float, ...]

    def __call__(self, confidence: float, volume_ml: float) -> float:
        """The expected Dice, whatever the volume; NaN for NaN."""
        import numpy as np

        return float(np.interp(confidence, self.confidence, self.dice))


def read_calibration(values: Any) -> Calibration | Curve | None:
    """The entry `calibration` of a card; None without an entry.

    Raises:
        KeyError, ValueError: the entry is neither a calibration nor a curve.
    """
    if values is None:
        return None
    reader = Reader("the calibration")
    if "dice" not in reader.read(dict, values, "calibration"):
        return reader.read(Calibration, values)
    confidence, dice = (reader.read(Knots, values[key], f"{key} of the calibration")
                        for key in ("confidence", "dice"))
    if len(confidence) != len(dice):
        raise ValueError("confidence and dice of the calibration must have one length: "
                         f"{len(confidence)} and {len(dice)}")
    if any(b <= a for a, b in pairwise(confidence)):
        raise ValueError(f"confidence of the calibration must rise: {list(confidence)}")
    if any(b < a for a, b in pairwise(dice)):
        raise ValueError(f"dice of the calibration must not fall: {list(dice)}")
    return Curve(confidence, dice)
