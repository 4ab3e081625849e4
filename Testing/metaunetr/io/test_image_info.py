"""The description that `metaunetr info` prints."""

from __future__ import annotations

import json

import numpy as np
import pytest

from metaunetr.io import write_image, write_labels
from metaunetr.io.image_info import axis_letters, describe
from metaunetr.io.nrrd import write_nrrd


@pytest.mark.parametrize(("name", "kind"), [
    ("ct.nii.gz", "NIfTI"), ("ct.nii", "NIfTI"), ("ct.nrrd", "NRRD"), ("ct.mha", "MetaImage"),
])
def test_an_image_is_described(tmp_path, ct, name, kind):
    write_image(tmp_path / name, ct)
    facts = json.loads(json.dumps(describe(tmp_path / name)))
    assert facts["kind"] == kind
    assert facts["size"] == [48, 40, 12]
    assert facts["spacing_mm"] == pytest.approx([8, 7.5, 5])
    assert facts["origin_mm"] == pytest.approx([-120.5, -80.25, 300.125])
    assert (facts["coordinates"], facts["axes"]) == ("LPS", "LPS")
    assert facts["range"] == [float(ct.array.min()), float(ct.array.max())]
    assert facts["refused"] is None
    assert any("6.0 cm" in warning for warning in facts["warnings"])


def test_a_dicom_folder_is_described(tmp_path, ct, write_series):
    write_series(tmp_path, ct)
    assert describe(tmp_path)["kind"] == "DICOM series"


def test_a_segmentation_is_described(tmp_path, result):
    write_labels(tmp_path / "out.seg.nrrd", result)
    facts = json.loads(json.dumps(describe(tmp_path / "out.seg.nrrd")))
    assert facts["kind"] == "Slicer segmentation"
    assert [s["name"] for s in facts["segments"]] == [
        "spleen", "right kidney", "left kidney", "liver"]
    assert facts["record"]["model"] == "abdomen13-2mm"


def test_segments_that_are_no_organs_are_described(tmp_path, result):
    write_nrrd(tmp_path / "a.seg.nrrd", result.labels, {
        "Segment0_ID": "a", "Segment0_Name": "tumour", "Segment0_LabelValue": "6",
        "Segment1_ID": "b", "Segment1_Name": "liver", "Segment1_LabelValue": "2"})
    facts = describe(tmp_path / "a.seg.nrrd")
    assert facts["range"] == [0, 6]
    assert [s["name"] for s in facts["segments"]] == ["tumour", "liver"]


def test_what_the_guard_refuses_is_still_described(tmp_path, result):
    write_labels(tmp_path / "labels.nii.gz", result)
    assert "is a label map" in describe(tmp_path / "labels.nii.gz")["refused"]


@pytest.mark.parametrize(("direction", "letters"), [
    (np.eye(3), "LPS"), (np.diag([-1, -1, 1]), "RAS"), (np.diag([1, -1, -1]), "LAI"),
    (np.eye(3)[[2, 0, 1]], "PSL"),
])
def test_axes_are_named_by_where_they_run_to(direction, letters):
    assert axis_letters(direction) == letters
