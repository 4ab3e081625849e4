"""Which DICOM series are segmented, and why the others are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from metaunetr.batch.discover import Discovery, discover
from metaunetr.batch.privacy import public_path
from metaunetr.batch.series_rules import reason_to_leave_out
from metaunetr.io import dicom
from tiny_bundle import small_ct

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


def places(discovery: Discovery) -> list[str]:
    return [str(found.relative_path) for found in discovery.found]


@pytest.mark.parametrize(("folders", "expected"), [
    (("study", "study"), ["study"]),
    (("study/1", "study/2"), ["study/1"]),
    (("study/2", "study/1"), ["study/2"]),
], ids=["in one folder", "in a folder each", "found before the original"])
def test_what_is_derived_is_left_out_beside_its_original(series, tmp_path, folders, expected):
    series(folders[0], "1.1", g0020_000d="1.9")
    derived = series(folders[1], "1.2", kind="DERIVED\\SECONDARY\\MPR", number="2",
                     g0020_000d="1.9")
    (tmp_path / "in" / "z").mkdir()
    alone = series("z", "1.3", kind="DERIVED\\SECONDARY\\MPR", g0020_000d="1.8")
    found = discover([tmp_path / "in"], tmp_path)
    assert places(found) == [*expected, "z"]
    assert found.left_out == [(public_path(derived[0], tmp_path / "in"),
                               "derived from another series of its study")]
    assert found.found[-1].files == tuple(alone)
    assert len(discover([tmp_path / "in"], tmp_path, all_series=True).found) == 3
    assert len(discover([tmp_path / "in" / "z", derived[0]], tmp_path).found) == 2  # named itself


def test_the_series_is_known_by_its_uid(series, tmp_path):
    series("study", "1.2.3")
    assert [found.series for found in discover([tmp_path / "in"], tmp_path).found] == ["1.2.3"]


def test_a_copy_is_left_out_and_a_series_in_several_folders_is_a_warning(tmp_path, series):
    for folder in ("a", "copy"):
        series(folder, "1.2.1")
    for number, path in enumerate(series("first half", "1.2.2", slices=10)):
        if number >= 5:
            other = path.parents[1] / "second half" / path.name
            other.parent.mkdir(exist_ok=True)
            path.rename(other)
    series("else", "1.2.3")
    found = discover([tmp_path / "in"], tmp_path)
    assert places(found) == ["a", "else", "first half", "second half"]
    assert [reason for _, reason in found.left_out] == ["a copy of a"]
    assert len(found.warnings) == 1
    assert "One series lies in 2 folders (first half, second half)" in found.warnings[0]


def in_two_folders(tmp_path: Path, spoil) -> Discovery:
    """What is found of a series and its copy, of which `spoil` changes every file."""
    dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
    paths = dicom_series.write_series(tmp_path / "in" / "a", small_ct((6, 8, 9)))
    for path in paths:
        copy = tmp_path / "in" / "b" / path.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        spoil(dicom_series, copy)
    return discover([tmp_path / "in"], tmp_path)


COPIES = {
    "equal": lambda write, path: None,
    "anonymized": lambda write, path: write.edit(path, PatientName="X", PatientID="X"),
    "compressed": lambda write, path: write.compress(path, write.COMPRESSED["JPEG-LS"]),
    "other stored values": lambda write, path: write.edit(
        path, RescaleIntercept=-1025, PixelData=plus_one(path)),
}


def plus_one(path: Path) -> bytes:
    import pydicom

    return (np.frombuffer(pydicom.dcmread(path).PixelData, "<u2") + 1).tobytes()


@pytest.mark.parametrize("spoil", COPIES.values(), ids=COPIES)
def test_copies_have_the_same_voxels(tmp_path, spoil):
    found = in_two_folders(tmp_path, spoil)
    assert places(found) == ["a"]
    assert [reason for _, reason in found.left_out] == ["a copy of a"]
    assert found.warnings == []


@pytest.mark.parametrize("patient", ["1", "2"])
def test_other_voxels_with_the_same_uids_are_no_copy(tmp_path, patient):
    found = in_two_folders(tmp_path, lambda write, path: write.edit(
        path, PatientID=patient, PixelData=plus_one(path)))
    assert places(found) == ["a", "b"]
    assert found.left_out == []
    (warning,) = found.warnings
    assert warning.startswith("Different images have the same UIDs (a, b)")


def test_what_is_derived_is_not_left_out_for_the_original_of_another_patient(series, tmp_path):
    series("1", "1.1", g0020_000d="1.9", g0010_0020="1")
    series("2", "1.2", kind="DERIVED\\SECONDARY\\MPR", g0020_000d="1.9", g0010_0020="2")
    assert places(discover([tmp_path / "in"], tmp_path)) == ["1", "2"]
