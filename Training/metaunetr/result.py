"""What a segmentation run returns."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from typing import Any

from metaunetr.image import Image
from metaunetr.organs import BY_NAME, Organ

DECIMALS = {"volume_ml": 3, "hu_mean": 1, "hu_sd": 1, "confidence": 4}
CUT_OFF = "touches the border of the image: it may be cut off"  # a flag that needs no review
DISCLAIMER = "Research use only. Not for diagnosis or treatment."


@dataclass(frozen=True)
class OrganResult:
    """One organ as found in one image.

    Attributes:
        volume_ml: volume in mL on the input grid; 0 when the organ was not found.
        hu_mean, hu_sd: mean and standard deviation of HU inside it; NaN when empty.
        confidence: 0 to 1, mean probability of the organ over the voxels given to it, or where the
            model's card has a calibration, the Dice to be expected; NaN when empty.
        flags: sentences about what looks wrong, such as "2 separate parts".
    """

    organ: Organ
    voxels: int
    volume_ml: float
    hu_mean: float
    hu_sd: float
    confidence: float
    flags: tuple[str, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """The flags for which a person should look at the organ.

        CUT_OFF is none: the labels may be right up to the end of the scan.
        """
        return tuple(flag for flag in self.flags if flag != CUT_OFF)

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to DECIMALS; NaN is null."""
        numbers = {name: None if math.isnan(value := getattr(self, name)) else round(value, digits)
                   for name, digits in DECIMALS.items()}
        return {"organ": self.organ.name, "number": self.organ.number, "voxels": self.voxels,
                **numbers, "flags": list(self.flags)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> OrganResult:
        """The inverse of `to_json`, also of versions without the fields that have defaults.

        Raises:
            KeyError, OverflowError, TypeError, ValueError: they are not values of `to_json`.
        """
        optional = {field.name for field in fields(cls) if field.default is not MISSING}
        numbers = {name: math.nan if values[name] is None else float(values[name])
                   for name in DECIMALS if name in values or name not in optional}
        return cls(organ=BY_NAME[values["organ"]], voxels=int(values["voxels"]),
                   flags=tuple(map(str, values["flags"])), **numbers)

    @classmethod
    def unknown(cls, organ: Organ) -> OrganResult:
        """An organ of which no voxel was found and nothing is known."""
        return cls(organ=organ, voxels=0, volume_ml=math.nan, hu_mean=math.nan, hu_sd=math.nan,
                   confidence=math.nan)


@dataclass(frozen=True)
class Result:
    """One segmented image.

    Attributes:
        labels: uint8 organ numbers (D, H, W) on the input's own grid; 0 is background.
        organs: one entry per organ asked for, in order of their numbers.
        record: how the result came about, ready for JSON: model and its SHA-256, versions,
            device, precision, spacing, overlap, input hash, times, warnings.
        warnings: of reading, checks and run.
        uncertainty: entropy of the class probabilities in percent of the largest possible, or None.
        device_warnings: those of `warnings` that are about devices, not about the image.
    """

    labels: Image
    organs: tuple[OrganResult, ...]
    record: dict[str, Any]
    warnings: tuple[str, ...] = ()
    uncertainty: Image | None = None
    device_warnings: tuple[str, ...] = ()
