"""What the scores and labels say about each organ: confidence, volume, HU, and what looks wrong.

Confidence and flags come from the model grid, where they are cheap; volume and HU from the input
grid, voxel by voxel.
"""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from metaunetr.organs import Organ
from metaunetr.result import OrganResult

Triple = tuple[int, int, int]
PART = 0.05  # share of an organ's volume from which a separate piece counts as a part


class ModelFindings:
    """Classes, confidence and uncertainty on the model grid, gathered slab by slab.

    Attributes:
        classes: uint8 class numbers (D, H, W) of the box.
        entropy: uint8 percent (D, H, W), None unless asked for.
    """

    def __init__(self, size: Triple, channels: int, uncertainty: bool) -> None:
        self.classes = np.zeros(size, np.uint8)
        self.entropy = np.zeros(size, np.uint8) if uncertainty else None
        self.probability = np.zeros(channels)  # sums over the voxels of each class
        self.voxels = np.zeros(channels, np.int64)

    def take(self, first: int, scores: Tensor) -> None:
        """The next slab of scores (C, slices, H, W), beginning at slice `first` of the box."""
        here = slice(first, first + scores.shape[1])
        best, winner = scores.max(dim=0)
        # the winner's probability is 1 / sum(exp(score - best))
        confidence = 1 / (scores - best).exp().sum(dim=0)
        flat = winner.flatten()
        channels = len(self.voxels)
        self.voxels += torch.bincount(flat, minlength=channels).cpu().numpy()
        self.probability += torch.bincount(
            flat, weights=confidence.flatten().double(), minlength=channels
        ).cpu().numpy()
        self.classes[here] = winner.to(torch.uint8).cpu().numpy()
        if self.entropy is not None:
            log = scores.log_softmax(dim=0)
            entropy = -(log.exp() * log).sum(dim=0) / math.log(channels)
            self.entropy[here] = (100 * entropy).round().to(torch.uint8).cpu().numpy()

    def confidence(self, channel: int) -> float:
        """Mean probability of a class over the voxels given to it; NaN when there are none."""
        count = self.voxels[channel]
        return float(self.probability[channel] / count) if count else math.nan


class InputStatistics:
    """Voxels and HU of each class on the input grid, gathered slice by slice."""

    def __init__(self, channels: int) -> None:
        self.sums = np.zeros((3, channels))  # voxels, sum of HU, sum of squared HU

    def take(self, labels: np.ndarray, hu: np.ndarray) -> None:
        inside = labels > 0
        found, values = labels[inside], hu[inside].astype(np.float64)
        channels = self.sums.shape[1]
        for row, weights in enumerate((None, values, values * values)):
            self.sums[row] += np.bincount(found, weights, minlength=channels)

    def of(self, channel: int) -> tuple[int, float, float]:
        """Voxels, mean HU and standard deviation of HU; NaN where there are no voxels."""
        count, total, squares = self.sums[:, channel]
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
) -> OrganResult:
    """One organ's entry of the result.

    Args:
        voxel_volume: of the input grid, in mL.
        cut_off: it reaches the border of the image.
        wrong_side: see `swapped_sides`.
    """
    voxels, mean, deviation = statistics.of(channel)
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
        flags.append(f"volume {volume:.0f} mL is outside {expected.low:.0f} to "
                     f"{expected.high:.0f} mL ({expected.source})")
    parts = count_parts(model.classes == channel)
    if parts > 1:
        flags.append(f"{parts} separate parts")
    return OrganResult(organ, voxels, volume, mean, deviation, model.confidence(channel),
                       tuple(flags))


def at_border(labels: np.ndarray) -> set[int]:
    """The label values that occur on any of the six faces of an array."""
    faces = [labels.take(end, axis=axis) for axis in range(3) for end in (0, -1)]
    return {int(value) for face in faces for value in np.unique(face)}


def count_parts(mask: np.ndarray) -> int:
    """Connected parts (26 neighbours) with at least `PART` of the mask's voxels."""
    where = np.argwhere(mask)
    if not len(where):
        return 0
    box = tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask[box]).astype(np.uint8))
    parts = sitk.GetArrayFromImage(sitk.ConnectedComponent(image, True))
    sizes = np.bincount(parts.ravel())[1:]
    return int((sizes >= PART * sizes.sum()).sum())


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
