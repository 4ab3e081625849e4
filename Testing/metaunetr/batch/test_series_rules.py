"""Which DICOM series are segmented, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from metaunetr.batch.series_rules import reason_to_leave_out
from metaunetr.io import dicom

AXIAL = "ORIGINAL\\PRIMARY\\AXIAL"


def rule(paths: list[Path], all_series: bool = False) -> str:
    (slices,), broken = list(dicom.scan_folder(paths[0].parent)[0].values()), []
    assert not broken
    return reason_to_leave_out(slices, all_series)


@pytest.mark.parametrize(("kind", "reason"), [
    (AXIAL, ""),
    ("ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI", ""),
    ("DERIVED\\PRIMARY\\AXIAL", ""),
    ("DERIVED\\SECONDARY\\REFORMATTED\\AVERAGE", ""),
    ("", ""),
    ("ORIGINAL\\PRIMARY\\LOCALIZER", "a localizer"),
    ("original\\primary\\localizer ", "a localizer"),
    ("ORIGINAL\\PRIMARY\\SCOUT", "a localizer"),
    ("DERIVED\\SECONDARY\\MIP", "a projection or rendering"),
    ("DERIVED\\SECONDARY\\PROJECTION IMAGE", "a projection or rendering"),
    ("DERIVED\\SECONDARY\\AXIAL\\VRT", "a projection or rendering"),
    ("ORIGINAL\\PRIMARY\\AXIAL\\MIPX", ""),
    ("DERIVED\\SECONDARY\\SCREEN SAVE", "a screenshot"),
    ("DERIVED\\PRIMARY\\DOSE_INFO", "a dose report"),
    ("DERIVED\\SECONDARY\\PERFUSION\\CBF", "a map, not HU"),
])
def test_kinds(series, kind, reason):
    paths = series("study", kind=kind)
    assert rule(paths) == reason
    assert rule(paths, all_series=True) == ""


@pytest.mark.parametrize(("axes", "reason"), [
    ("1\\0\\0\\0\\1\\0", ""),
    ("-1\\0\\0\\0\\-1\\0", ""),
    ("0\\1\\0\\-1\\0\\0", ""),
    ("1\\0\\0\\0\\0.866\\0.5", ""),  # a gantry tilted by 30°
    ("1\\0\\0\\0\\0\\-1", "its slices are coronal, not axial"),
    ("0\\1\\0\\0\\0\\-1", "its slices are sagittal, not axial"),
    ("1\\0\\0\\0\\0.5\\0.866", "its slices are coronal, not axial"),
])
def test_orientations(series, axes, reason):
    paths = series("study", axes=axes)
    assert rule(paths) == reason
    assert rule(paths, all_series=True) == ""


@pytest.mark.parametrize("all_series", [False, True])
@pytest.mark.parametrize(("facts", "reason"), [
    ({"slices": 4}, "a series of 4 slices; a volume needs 5"),
    ({"slices": 20, "g0020_0032": "0\\0\\50"}, "its slices lie at fewer than 5 positions"),
    ({"modality": "MR"}, "a series of modality MR, not CT"),
    ({"modality": "OT"}, "a series of modality OT, not CT"),
    ({"modality": "PT"}, "a series of modality PT, not CT"),
])
def test_what_not_even_all_series_takes(series, facts, reason, all_series):
    assert rule(series("study", **facts), all_series) == reason


def test_an_image_of_another_class_is_a_screenshot(series):
    pydicom = pytest.importorskip("pydicom")
    paths = series("study")
    for path in paths:
        file = pydicom.dcmread(path)
        file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        file.save_as(path)
    assert rule(paths) == "a screenshot or report, no CT image"
