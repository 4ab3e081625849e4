"""Copies are left out, and what is derived from another candidate."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from metaunetr.batch.discover import Discovery, discover
from metaunetr.batch.privacy import public_path
from tiny_bundle import small_ct


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


def in_two_folders(tmp_path: Path, spoil, progress=lambda files, cts: None) -> Discovery:
    """What is found of a series and its copy, of which `spoil` changes every file."""
    dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
    paths = dicom_series.write_series(tmp_path / "in" / "a", small_ct((6, 8, 9)))
    for path in paths:
        copy = tmp_path / "in" / "b" / path.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        spoil(dicom_series, copy)
    return discover([tmp_path / "in"], tmp_path, progress=progress)


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


def test_one_slice_of_each_copy_is_read_with_progress(tmp_path, monkeypatch):
    """Whole trees may be copies of each other."""
    pixels, events = sys.modules["metaunetr.io.dicom.pixels"], []
    stored_values = pixels.stored_values

    def read(item):
        events.append("slice")
        return stored_values(item)

    monkeypatch.setattr(pixels, "stored_values", read)
    monkeypatch.setattr("metaunetr.batch.discover.PERIOD", 0.0)
    in_two_folders(tmp_path, COPIES["equal"], lambda files, cts: events.append("progress"))
    assert events[events.index("slice"):] == ["slice", "progress"] * 2


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


def test_what_is_derived_is_not_left_out_for_bolus_tracking(series, tmp_path):
    series("tracking", "1.1", slices=20, g0020_0032="0\\0\\50")
    series("portal", "1.2", kind="DERIVED\\PRIMARY\\AXIAL")
    assert places(discover([tmp_path / "in"], tmp_path)) == ["portal"]
