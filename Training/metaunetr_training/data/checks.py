"""Plausibility of a CT and its labels: errors are raised, doubts become warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import find_objects

from metaunetr.errors import InputError
from metaunetr.evaluation import SAME_PLACE_MM
from metaunetr.guard import inspect_ct
from metaunetr.image import Grid, Image
from metaunetr.io.image_info import describe_grid
from metaunetr.organs import BY_NUMBER, ORGANS, Organ
from metaunetr.orientation import Orientation

# Plausible mean HU of an organ, from fatty or air-filled to the brightest contrast.
SOLID_HU, HOLLOW_HU = (-60, 700), (-600, 1500)
HOLLOW = ("esophagus", "stomach", "duodenum", "urinary bladder")
# The first lies on the patient's right of the second. Liver and spleen also detect a mirrored case
# whose kidneys were separated by position.
SIDES = (*((organ.name, organ.name.replace("right", "left")) for organ in ORGANS
           if organ.name.startswith("right ")), ("liver", "spleen"))
MIRRORED = "the image or its labels may be mirrored"
MOSTLY = 0.5  # share of a data set's cases


@dataclass(frozen=True)
class LabelledOrgan:
    """One organ in a label map.

    Attributes:
        left: mean position along the patient's right to left, in voxels.
        hu: mean HU of the CT in it.
        cut: whether it touches the border of the image.
    """

    organ: Organ
    voxels: int
    left: float
    hu: float
    cut: bool


def inspect_case(image: Image, labels: Image) -> tuple[list[str], dict[int, float]]:
    """Warnings, as sentences, and the volume (mL) of each organ by its number.

    Args:
        image: HU. labels: organ numbers.

    Raises:
        InputError: the voxels are no HU, or image and labels have different geometry.
    """
    views, grids = [], []
    for one in (image, labels):
        orientation = Orientation.of(one.grid)
        views.append(orientation.view(one.array))
        grids.append(orientation.canonical(one.grid))
    _require_same_grid(image, labels, grids)
    warnings = inspect_ct(image)
    found = list(measure_organs(*views))
    volumes = {item.organ.number: item.voxels * labels.grid.voxel_volume for item in found}
    warnings += [*_empty(found), *_sides(found), *_volumes(found, volumes), *_attenuation(found)]
    return warnings, {number: round(volume, 3) for number, volume in volumes.items()}


def measure_organs(hu: np.ndarray, labels: np.ndarray) -> Iterator[LabelledOrgan]:
    """The organs of a label map; both arrays are canonical (D, H, W)."""
    for number, box in enumerate(find_objects(labels), start=1):
        if box is not None:
            mask = labels[box] == number
            columns = mask.sum(axis=(0, 1))
            voxels = int(columns.sum())
            left = box[2].start + float(columns @ np.arange(len(columns))) / voxels
            cut = any(part.start == 0 or part.stop == n
                      for part, n in zip(box, labels.shape, strict=True))
            yield LabelledOrgan(BY_NUMBER[number], voxels, left, float(hu[box][mask].mean()), cut)


def inspect_dataset(name: str, warnings: Sequence[Sequence[str]]) -> list[str]:
    """Warnings about a whole data set.

    Args:
        warnings: those of each case.
    """
    mirrored = sum(any(MIRRORED in text for text in texts) for texts in warnings)
    if mirrored > MOSTLY * len(warnings):
        return [f"{name}: the data set looks mirrored: in {mirrored} of {len(warnings)} cases "
                "right and left are swapped; a model that learns from it will swap them too."]
    return []


def _require_same_grid(image: Image, labels: Image, grids: Sequence[Grid]) -> None:
    if not grids[0].same_as(grids[1], SAME_PLACE_MM):
        grids = (f"{one.source} has {describe_grid(one.grid)}" for one in (image, labels))
        raise InputError(f"image and labels must lie on one grid: {'; '.join(grids)}")


def _empty(found: Sequence[LabelledOrgan]) -> Iterator[str]:
    if not found:
        yield "No organ is labelled."


def _sides(found: Sequence[LabelledOrgan]) -> Iterator[str]:
    by_name = {item.organ.name: item for item in found}
    for right, left in SIDES:
        if right in by_name and left in by_name and by_name[right].left > by_name[left].left:
            yield f"The {right} lies left of the {left}: {MIRRORED}."


def _volumes(found: Sequence[LabelledOrgan], volumes: dict[int, float]) -> Iterator[str]:
    for item in found:
        expected, volume = item.organ.volume, volumes[item.organ.number]
        if expected and (volume > expected.high or (volume < expected.low and not item.cut)):
            yield (f"The {item.organ.name} has {volume:.0f} mL, expected are {expected.low:g} to "
                   f"{expected.high:g} mL.")


def _attenuation(found: Sequence[LabelledOrgan]) -> Iterator[str]:
    for item in found:
        low, high = HOLLOW_HU if item.organ.name in HOLLOW else SOLID_HU
        if not low <= item.hu <= high:
            yield (f"The {item.organ.name} has {item.hu:.0f} HU on average, expected are {low} "
                   f"to {high}: are these the labels of this image?")


