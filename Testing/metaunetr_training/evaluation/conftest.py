"""A data set on disk whose CTs a stand-in network knows how to segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from analytic import BLOBS, HuBins, analytic_image, make_bundle
from metaunetr import io
from metaunetr.image import Image
from metaunetr.organs import find
from metaunetr_training.data.case import Case
from metaunetr_training.evaluation.scores import Score
from metaunetr_training.evaluation.selection import Selection

LIVER, SPLEEN, KIDNEY, STOMACH = (
    find(name).number for name in ("liver", "spleen", "right kidney", "stomach"))
EXTENT = (144.0, 132.0, 120.0)  # mm


@dataclass(frozen=True)
class Builder:
    """Writes cases of two balls, a liver and a spleen for HuBins, into a folder."""

    folder: Path

    def case(
        self, id: str, annotated: tuple[int, ...] = (LIVER, SPLEEN, KIDNEY), shift: int = 0,
        change=lambda labels: labels,
    ) -> Case:
        """
        Args:
            annotated: organ numbers that the data set knows.
            shift: voxels by which the reference is wrong.
            change: is applied to the reference.
        """
        image = analytic_image((3.0, 3.0, 4.0), extent=EXTENT)
        labels = np.zeros(image.array.shape, np.uint8)
        for blob, number in zip(BLOBS, (LIVER, SPLEEN), strict=True):
            if number in annotated:
                labels[np.abs(image.array - blob.hu) < 60] = number
        labels = change(np.roll(labels, shift, axis=2))
        paths = [self.folder / f"{id}{suffix}.nii.gz" for suffix in ("", "_labels")]
        io.write_image(paths[0], image)
        io.write_image(paths[1], Image(labels, image.grid))
        return Case("balls", id, *paths, {number: (number,) for number in annotated})


@pytest.fixture(autouse=True, scope="module")
def no_guard():
    """Balls are no CT; the guard has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: [])
        patch.setattr("metaunetr.engine.segmenter.as_air", lambda image: image)
        yield


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Builder:
    return Builder(tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="module")
def selection():
    """Makes the selection of some cases."""
    def make(*cases: Case, **changes) -> Selection:
        bundle = replace(make_bundle(HuBins(), spacing=(4.0, 4.0, 4.0)), **changes)
        return Selection(bundle, cases, "all cases", None)
    return make


@pytest.fixture
def scores():
    """Makes scores of organs by case: {"liver": (0.9, 0.8)}; None is not scored."""
    def make(confidence=0.9, dataset="balls", **organs) -> list[Score]:
        made = []
        for name, values in organs.items():
            for number, dice in enumerate(values):
                figures = {} if dice is None else {
                    "dice": dice, "nsd_2mm": dice / 2, "hd95_mm": 4.0 if dice else np.inf,
                    "confidence": confidence}
                made.append(Score(f"{number:02d}", name.replace("_", " "), dataset=dataset,
                                  **figures))
        return made
    return make
