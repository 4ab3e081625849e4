"""What the scores and labels say about each organ: confidence, volume, HU, and what looks wrong.

Confidence and flags come from the model grid, where they are cheap; volume and HU from the input
grid, voxel by voxel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from metaunetr.calibration import Calibration
from metaunetr.engine.parts import count_parts
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.result import OrganResult

SLAB = 16  # slices of scores looked at in float32 at a time


class ModelFindings:
    """Classes, confidence and uncertainty on the model grid.

    Args:
        scores: (C, D, H, W).

    Attributes:
        classes: uint8 class numbers (D, H, W).
        voxels, probability: of each class, their number and the sum of its probability.
        entropy: percent of the largest possible (D, H, W), None unless asked for.
    """

    def __init__(self, scores: Tensor, uncertainty: bool) -> None:
        channels, *size = scores.shape
        self.classes = np.zeros(size, np.uint8)
        self.entropy = torch.zeros(size) if uncertainty else None
        self.voxels = np.zeros(channels, np.int64)
        self.probability = np.zeros(channels)
        for z in range(0, size[0], SLAB):
            self._take(slice(z, z + SLAB), scores[:, z : z + SLAB].float())

    def _take(self, here: slice, scores: Tensor) -> None:
        best, winner = scores.max(dim=0)
        # the winner's probability is 1 / sum(exp(score - best))
        confidence = 1 / (scores - best).exp().sum(dim=0)
        flat, channels = winner.flatten(), len(self.voxels)
        self.voxels += torch.bincount(flat, minlength=channels).numpy()
        self.probability += torch.bincount(
            flat, weights=confidence.flatten().double(), minlength=channels
        ).numpy()
        self.classes[here] = winner.numpy()
        if self.entropy is not None:
            log = scores.log_softmax(dim=0)
            self.entropy[here] = -(log.exp() * log).sum(dim=0) / math.log(channels) * 100

    def confidence(self, channel: int) -> float:
        """Mean probability of a class over the voxels given to it; NaN when there are none."""
        count = self.voxels[channel]
        return float(self.probability[channel] / count) if count else math.nan


class InputStatistics:
    """Voxels and HU of each organ on the input grid.

    Args:
        labels: organ numbers (D, H, W).
        hu: of the same voxels.
    """

    def __init__(self, labels: np.ndarray, hu: np.ndarray) -> None:
        numbers = max(BY_NUMBER) + 1
        self.sums = np.zeros((3, numbers))  # voxels, sum of HU, sum of squared HU
        for plane, values in zip(labels, hu, strict=True):  # in float64: not all at once
            inside = plane > 0
            found, values = plane[inside], values[inside].astype(np.float64)
            for row, weights in enumerate((None, values, values * values)):
                self.sums[row] += np.bincount(found, weights, minlength=numbers)

    def of(self, organ: Organ) -> tuple[int, float, float]:
        """Voxels, mean HU and standard deviation of HU; NaN where there are no voxels."""
        count, total, squares = self.sums[:, organ.number]
        if not count:
            return 0, math.nan, math.nan
        mean = total / count
        return int(count), float(mean), float(math.sqrt(max(0.0, squares / count - mean * mean)))


def describe(
    organ: Organ,
    channel: int,
    model: ModelFindings,
    statistics: InputStatistics,
    voxel_volume: float,
    cut_off: bool,
    wrong_side: bool,
    calibration: Calibration | None = None,
) -> OrganResult:
    """One organ's entry of the result.

    Args:
        voxel_volume: of the input grid, in mL.
        cut_off: it reaches the border of the image.
        wrong_side: see `swapped_sides`.
        calibration: the model's; None leaves the confidence as it is.
    """
    voxels, mean, deviation = statistics.of(organ)
    volume = voxels * voxel_volume
    flags = []
    if voxels == 0:
        flags.append("not found")
    if cut_off:
        flags.append("touches the border of the image: it may be cut off")
    if wrong_side:
        flags.append("lies on the wrong side of its counterpart")
    expected = organ.volume
    if voxels and expected and not expected.low <= volume <= expected.high:
        flags.append(f"volume {volume:.0f} mL is outside the expected {expected.low:.0f} to "
                     f"{expected.high:.0f} mL")
    pieces = count_parts(model.classes == channel)
    if pieces > 1:
        flags.append(f"{pieces} separate parts")
    confidence = model.confidence(channel)
    if calibration:
        confidence = calibration(confidence)
    return OrganResult(organ, voxels, volume, mean, deviation, confidence, tuple(flags))


def at_border(labels: np.ndarray) -> set[int]:
    """The label values that occur on any of the six faces of an array."""
    faces = [labels.take(end, axis=axis) for axis in range(3) for end in (0, -1)]
    return {int(value) for face in faces for value in np.unique(face)}


# pairs of which the first lies on the patient's right of the second
SIDES = (
    ("right kidney", "left kidney"),
    ("right adrenal gland", "left adrenal gland"),
    ("liver", "spleen"),
)


def swapped_sides(classes: np.ndarray, channels: dict[str, int]) -> list[tuple[str, str]]:
    """The pairs of `SIDES` whose centres lie the wrong way round.

    Args:
        classes: class numbers (D, H, W), W running from the patient's right to left.
        channels: class number of each organ by name.
    """

    def centre(name: str) -> float:
        counts = (classes == channels[name]).sum(axis=(0, 1)) if name in channels else np.zeros(1)
        return float(np.average(np.arange(len(counts)), weights=counts)) if counts.any() else np.nan

    return [(right, left) for right, left in SIDES if centre(right) > centre(left)]
