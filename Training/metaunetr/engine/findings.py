"""What the scores and labels say about each organ: confidence, volume, HU, and its flags.

Confidence, parts and extent come from the model grid, where they are cheap; volume and HU from the
input grid, voxel by voxel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from metaunetr.calibration import Calibration
from metaunetr.engine.flags import Found, flags_of
from metaunetr.engine.parts import count_parts
from metaunetr.image import Grid
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.result import OrganResult

SLAB = 16  # slices of scores looked at in float32 at a time
LOWEST, BIN, BINS = -1024, 4, 1024  # HU; the first and last bin also hold what lies beyond


class ModelFindings:
    """Classes, confidence and uncertainty on the model grid.

    Args:
        scores: (C, D, H, W).

    Attributes:
        classes: uint8 class numbers (D, H, W).
        voxels, probability: of each class, the number of voxels given to it, and the sum of its
            probability over them.
        total: the sum of its probability over all voxels.
        entropy: percent of the largest possible (D, H, W), None unless asked for.
    """

    def __init__(self, scores: Tensor, uncertainty: bool) -> None:
        channels, *size = scores.shape
        self.classes = np.zeros(size, np.uint8)
        self.entropy = torch.zeros(size) if uncertainty else None
        self.voxels = np.zeros(channels, np.int64)
        self.probability = np.zeros(channels)
        self.total = np.zeros(channels)
        for z in range(0, size[0], SLAB):
            self._take(slice(z, z + SLAB), scores[:, z : z + SLAB].float())

    def _take(self, here: slice, scores: Tensor) -> None:
        best, winner = scores.max(dim=0)
        odds = (scores - best).exp_()
        confidence = 1 / odds.sum(dim=0)  # the winner's probability, whose odds are 1
        self.total += odds.mul_(confidence).flatten(1).sum(dim=1).numpy()
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

    def expected_dice(self, channel: int) -> float:
        """The Dice of a class to a truth that is as probable as the model says; NaN when empty.

        Low where much of an organ went to another class by a narrow margin, which the mean
        probability over what is left of it does not show.
        """
        count = self.voxels[channel]
        if not count:
            return math.nan
        return float(2 * self.probability[channel] / (count + self.total[channel]))


class InputStatistics:
    """Voxels and HU of each organ on the input grid.

    Args:
        labels: organ numbers (D, H, W).
        hu: of the same voxels.
    """

    def __init__(self, labels: np.ndarray, hu: np.ndarray) -> None:
        numbers = max(BY_NUMBER) + 1
        self.sums = np.zeros((3, numbers))  # voxels, sum of HU, sum of squared HU
        self.histogram = np.zeros((numbers, BINS), np.int64)
        for plane, values in zip(labels, hu, strict=True):  # in float64: not all at once
            inside = plane > 0
            found, values = plane[inside], values[inside].astype(np.float64)
            for row, weights in enumerate((None, values, values * values)):
                self.sums[row] += np.bincount(found, weights, minlength=numbers)
            bins = ((values - LOWEST) // BIN).clip(0, BINS - 1).astype(np.int64)
            self.histogram += np.bincount(
                found.astype(np.int64) * BINS + bins, minlength=numbers * BINS
            ).reshape(numbers, BINS)

    def of(self, organ: Organ) -> tuple[int, float, float, float]:
        """Voxels, and of HU mean, standard deviation and the distance of the quartiles.

        NaN where there are no voxels.
        """
        count, total, squares = self.sums[:, organ.number]
        if not count:
            return 0, math.nan, math.nan, math.nan
        mean = total / count
        deviation = math.sqrt(max(0.0, squares / count - mean * mean))
        lower, upper = np.searchsorted(self.histogram[organ.number].cumsum(),
                                       (0.25 * count, 0.75 * count))
        return int(count), float(mean), deviation, float(BIN * (upper - lower))


def describe(
    organs: dict[int, Organ],
    model: ModelFindings,
    statistics: InputStatistics,
    grid: Grid,
    spacing: float,
    border: set[int],
    wrong_side: set[str],
    calibration: Calibration | None = None,
) -> tuple[OrganResult, ...]:
    """The entries of the result, in the order of the organs' numbers.

    Args:
        organs: by their channel.
        grid: of the input, canonical.
        spacing: of the model along the body, mm.
        border: numbers of the organs that reach the border of the image.
        wrong_side: names of the organs that do not lie as `SIDES` says.
        calibration: the model's; None leaves the confidence as it is.
    """
    found: dict[str, Found] = {}
    for channel, organ in organs.items():
        voxels, mean, _, spread = statistics.of(organ)
        if voxels:
            mask = model.classes == channel
            confidence = model.confidence(channel)
            found[organ.name] = Found(
                organ, voxels * grid.voxel_volume, mean, spread,
                calibration(confidence) if calibration else confidence, calibration is not None,
                model.expected_dice(channel), count_parts(mask), organ.number in border,
                organ.name in wrong_side, *_along_the_body(mask, spacing),
            )
    length = grid.shape[0] * grid.spacing[2]
    entries = []
    for organ in sorted(organs.values(), key=lambda organ: organ.number):
        voxels, mean, deviation, _ = statistics.of(organ)
        here = found.get(organ.name)
        flags = flags_of(here, found, length) if here else ("not found",)
        entries.append(OrganResult(
            organ=organ, voxels=voxels, volume_ml=voxels * grid.voxel_volume, hu_mean=mean,
            hu_sd=deviation, confidence=here.confidence if here else math.nan, flags=flags))
    return tuple(entries)


def _along_the_body(mask: np.ndarray, spacing: float) -> tuple[tuple[float, float], float]:
    """`extent` and `upper_width` of `Found`, of a mask (D, H, W) with slices `spacing` mm apart."""
    areas = np.count_nonzero(mask, axis=(1, 2))
    slices = np.flatnonzero(areas)
    if not len(slices):  # its voxels on the input grid lie between those of the model
        return (0.0, 0.0), math.nan
    first, stop = int(slices[0]), int(slices[-1]) + 1
    upper = areas[max(first, stop - math.ceil(50 / spacing)) : stop]
    return (first * spacing, stop * spacing), float(upper.max() / np.median(areas[slices]))


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
