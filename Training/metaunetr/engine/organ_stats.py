"""Statistics of each organ: volume, HU, confidence and flags.

Confidence, components and extent come from the model grid, where they are cheap; volume and HU from
the grid of the image, voxel by voxel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from metaunetr.bundle import Bundle
from metaunetr.engine.components import count_components
from metaunetr.engine.flags import Found, flags_of
from metaunetr.image import Grid, Shear
from metaunetr.organs import BY_NUMBER, Organ
from metaunetr.result import OrganResult

SLAB = 16  # slices of logits converted to float32 at a time: bounds memory
LOWEST, BIN, BINS = -1024, 4, 1024  # HU; the first and last bin also hold what lies beyond


class Prediction:
    """Classes, confidence and entropy on the model grid.

    Args:
        logits: (C, D, H, W).
        entropy: whether to compute it.

    Attributes:
        classes: uint8 class numbers (D, H, W).
        voxels, probability: of each class, the number of voxels given to it, and the sum of its
            probability over them.
        entropy: of the class probabilities (D, H, W), in percent of the largest possible, or None.
    """

    def __init__(self, logits: Tensor, entropy: bool = False) -> None:
        channels, *size = logits.shape
        self.classes = np.zeros(size, np.uint8)
        self.entropy = torch.zeros(size) if entropy else None
        self.voxels = np.zeros(channels, np.int64)
        self.probability = np.zeros(channels)
        for z in range(0, size[0], SLAB):
            self._add(slice(z, z + SLAB), logits[:, z : z + SLAB].float())

    def _add(self, slab: slice, logits: Tensor) -> None:
        best, winner = logits.max(dim=0)
        odds = (logits - best).exp_()
        confidence = 1 / odds.sum(dim=0)  # the winner's probability, whose odds are 1
        flat, channels = winner.flatten(), len(self.voxels)
        self.voxels += torch.bincount(flat, minlength=channels).numpy()
        self.probability += torch.bincount(
            flat, weights=confidence.flatten().double(), minlength=channels
        ).numpy()
        self.classes[slab] = winner.numpy()
        if self.entropy is not None:
            log = logits.log_softmax(dim=0)
            self.entropy[slab] = -(log.exp() * log).sum(dim=0) / math.log(channels) * 100

    def confidence(self, channel: int) -> float:
        """Mean probability of a class over the voxels given to it; NaN when there are none."""
        count = self.voxels[channel]
        return float(self.probability[channel] / count) if count else math.nan


class VoxelStats:
    """Number and HU of the voxels of each organ on the grid of the image.

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
        """Voxels, and the mean, standard deviation and interquartile range of their HU.

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


def organ_stats(
    channels: dict[int, Organ], prediction: Prediction, labels: np.ndarray, hu: np.ndarray,
    grid: Grid, bundle: Bundle, shear: Shear | None = None,
) -> tuple[tuple[OrganResult, ...], list[str]]:
    """The statistics of organs in the order of their numbers, and warnings about the image.

    Args:
        channels: the organs by their channel of the network.
        labels, hu: organ numbers and HU (D, H, W) of the image.
        grid: of the image, canonical.
        shear: of a gantry-tilted image: the border is that of its slices, not of the air around.
    """
    stats = VoxelStats(labels, hu)
    swapped = swapped_sides(
        prediction.classes, {organ.name: c for c, organ in bundle.channels(None).items()})
    wrong_side = {name for pair in swapped for name in pair}
    border = at_border(shear.slices(labels) if shear else labels)
    found: dict[str, Found] = {}
    for channel, organ in channels.items():
        voxels, mean, _, spread = stats.of(organ)
        if voxels:
            mask = prediction.classes == channel
            volume, confidence = voxels * grid.voxel_volume, prediction.confidence(channel)
            if bundle.calibration:
                confidence = float(bundle.calibration(confidence, volume))
            found[organ.name] = Found(
                organ, volume, mean, spread, confidence, bundle.calibration is not None,
                count_components(mask), organ.number in border, organ.name in wrong_side,
                *_along_the_body(mask, bundle.preprocessing.spacing[2]),
            )
    length = grid.shape[0] * grid.spacing[2]
    results = []
    for organ in sorted(channels.values(), key=lambda organ: organ.number):
        voxels, mean, deviation, _ = stats.of(organ)
        one = found.get(organ.name)
        flags = flags_of(one, found, length) if one else ("not found",)
        results.append(OrganResult(
            organ=organ, voxels=voxels, volume_ml=voxels * grid.voxel_volume, hu_mean=mean,
            hu_sd=deviation, confidence=one.confidence if one else math.nan, flags=flags))
    warnings = [f"The {right} lies left of the {left}: the image may be mirrored."
                for right, left in swapped]
    return tuple(results), warnings


def _along_the_body(mask: np.ndarray, spacing: float) -> tuple[tuple[float, float], float]:
    """`extent` and `upper_width` of `Found`, of a mask (D, H, W) with slices `spacing` mm apart."""
    areas = np.count_nonzero(mask, axis=(1, 2))
    slices = np.flatnonzero(areas)
    if not len(slices):  # the organ lies between the voxels of the model grid
        return (0.0, 0.0), math.nan
    first, stop = int(slices[0]), int(slices[-1]) + 1
    upper = areas[max(first, stop - math.ceil(50 / spacing)) : stop]
    return (first * spacing, stop * spacing), float(upper.max() / np.median(areas[slices]))


def at_border(labels: np.ndarray) -> set[int]:
    """The label values that occur on any of the six faces of an array."""
    faces = [labels.take(end, axis=axis) for axis in range(3) for end in (0, -1)]
    return {int(value) for face in faces for value in np.unique(face)}


# pairs of which the first lies to the patient's right of the second
SIDES = (
    ("right kidney", "left kidney"),
    ("right adrenal gland", "left adrenal gland"),
    ("liver", "spleen"),
)


def swapped_sides(classes: np.ndarray, channels: dict[str, int]) -> list[tuple[str, str]]:
    """The pairs of `SIDES` whose centres lie in the opposite order.

    Args:
        classes: class numbers (D, H, W), W running from the patient's right to left.
        channels: class number of each organ by name.
    """

    def centre(name: str) -> float:
        counts = (classes == channels[name]).sum(axis=(0, 1)) if name in channels else np.zeros(1)
        return float(np.average(np.arange(len(counts)), weights=counts)) if counts.any() else np.nan

    return [(right, left) for right, left in SIDES if centre(right) > centre(left)]
