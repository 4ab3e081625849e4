"""What determines the result of a case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from metaunetr.batch.case import Case
from metaunetr.batch.case_steps import Loaded, made_from, write
from metaunetr.batch.options import Options
from metaunetr.image import Image
from metaunetr.organs import BY_NAME
from metaunetr.result import OrganResult, Result
from tiny_bundle import small_ct

OPTIONS = Options(Path("out"))
BUNDLE = SimpleNamespace(sha256="a", card={})


@pytest.fixture
def case(tmp_path) -> Case:
    path = tmp_path / "ct.nii.gz"
    path.touch()
    return Case("ct", path, (path,), *[tmp_path] * 4)


@pytest.mark.parametrize("changes", [
    {"organs": [BY_NAME["liver"]]}, {"suffixes": (".nii.gz",)}, {"overlap": 0.25},
    {"surfaces": ".obj"}, {"precision": "float32"}, {"seg_type": "labelmap"}, {"report": True},
], ids=lambda changes: next(iter(changes)))
def test_other_options_are_another_result(case, changes):
    assert made_from(case, replace(OPTIONS, **changes), BUNDLE) != made_from(case, OPTIONS, BUNDLE)


@pytest.mark.parametrize("changes", [{"sha256": "b"}, *({"card": {key: 1}} for key in (
    "calibration", "labels", "architecture", "preprocessing", "smallest_window", "patch",
    "largest_window", "overlap", "precision"))], ids=str)
def test_another_model_is_another_result(case, changes):
    other = SimpleNamespace(**vars(BUNDLE) | changes)
    assert made_from(case, OPTIONS, other) != made_from(case, OPTIONS, BUNDLE)


def test_texts_of_the_card_do_not_change_the_result(case):
    other = SimpleNamespace(sha256="a", card={"title": "x", "accuracy": {}})
    assert made_from(case, OPTIONS, other) == made_from(case, OPTIONS, BUNDLE)


@pytest.mark.parametrize("changes", [
    {"output": Path("other")}, {"resume": True}, {"workers": 2}, {"device": "cpu"},
], ids=lambda changes: next(iter(changes)))
def test_other_ways_to_the_same_result(case, changes):
    assert made_from(case, replace(OPTIONS, **changes), BUNDLE) == made_from(case, OPTIONS, BUNDLE)


@pytest.mark.parametrize(("suffixes", "written"), [
    ((".dcm", ".nii.gz"), "ct.nii.gz"), ((".rtstruct.dcm", ".dcm"), "ct.seg.nrrd"),
])
def test_without_an_organ_the_labels_are_in_a_format_that_can_be_empty(
        tmp_path, suffixes, written):
    ct = small_ct()
    result = Result(Image(np.zeros(ct.grid.shape, np.uint8), ct.grid),
                    (OrganResult.unknown(BY_NAME["liver"]),), {},
                    warnings=("cuda failed.", "Slices are 15.0 mm apart."),
                    device_warnings=("cuda failed.",))
    case = Case("ct", tmp_path, (), *(tmp_path / f"ct{suffix}" for suffix in (
        suffixes[0], ".json", " surfaces", ".png")))
    record = write(Loaded(case, ct, {}), result, Options(tmp_path, suffixes=suffixes, report=True))
    assert record.labels(case) == tmp_path / written
    assert {path.name for path in tmp_path.iterdir()} == {
        written, "ct.json", "ct.png", "ct report.html"}
    assert record.warnings == (
        "Slices are 15.0 mm apart.",
        "No organ was found, and a DICOM object cannot be empty: the labels are in another format.")
