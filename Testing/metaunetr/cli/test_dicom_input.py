"""DICOM series from the command line: missing slices are reported, packed ones read."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from metaunetr.io import read_labels
from tiny_bundle import small_ct

from .conftest import start

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
write_series = dicom_series.write_series

MISSING = "1 file beside the slices cannot be read and may be slices (1 empty)"


@pytest.fixture
def series(tmp_path) -> Path:
    write_series(tmp_path / "in" / "ct", small_ct())
    return tmp_path / "in" / "ct"


@pytest.fixture
def packed(tmp_path, series) -> Path:
    """The series as a .zip file, alone in the folder "in"."""
    path = shutil.make_archive(str(series), "zip", series)
    shutil.rmtree(series)
    return Path(path)


def failures(tmp_path: Path) -> list[list[str]]:
    text = (tmp_path / "out" / "failures.csv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def test_a_slice_that_may_be_missing_is_told(series, segment, batch, tmp_path):
    (series / "IM0025").touch()
    ran = segment(series)
    assert ran.code == 0
    assert MISSING in ran.err
    ran = batch()
    assert ran.code == 0
    assert MISSING in ran.out
    (row,) = failures(tmp_path)
    assert row[:2] == ["ct", "done"]
    assert row[2].startswith(MISSING)
    assert MISSING in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert MISSING in batch("--resume").out


def test_a_zip_file_gives_the_labels_of_its_folder(series, segment, batch, tmp_path):
    pytest.importorskip("highdicom")
    segment(series, "-o", tmp_path / "folder.nii.gz")
    shutil.make_archive(str(series), "zip", series)
    path = series.with_suffix(".zip")
    shutil.rmtree(series)
    for name in ("zip.nii.gz", "zip.dcm"):
        ran = segment(path, "-o", tmp_path / name)
        assert (ran.code, ran.err) == (0, "")
    expected = read_labels(tmp_path / "folder.nii.gz").array
    np.testing.assert_array_equal(read_labels(tmp_path / "zip.nii.gz").array, expected)
    assert batch("--format", "dicomseg").code == 0
    for seg in (tmp_path / "zip.dcm", tmp_path / "out" / "ct.dcm"):
        frames = dicom_series.pydicom.dcmread(seg).pixel_array
        assert frames.sum() == np.count_nonzero(expected)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["", "High Bit"])
def test_what_was_unpacked_is_removed(packed, tiny, tmp_path, spoil):
    if spoil:
        shutil.unpack_archive(packed, tmp_path / "files")
        dicom_series.edit(next((tmp_path / "files").iterdir()), HighBit=15)
        shutil.make_archive(str(packed.with_suffix("")), "zip", tmp_path / "files")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = start("segment", packed, "-o", tmp_path / "out.nii.gz", "--model", tiny,
                    env=os.environ | {"TMPDIR": str(scratch)})
    _, err = process.communicate()
    assert process.returncode == (3 if spoil else 0), err
    assert spoil in err
    assert list(scratch.iterdir()) == []
