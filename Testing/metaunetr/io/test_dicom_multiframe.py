"""Enhanced multi-frame CT: every frame has a place and a scale of its own."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import InputError, OutputError
from metaunetr.image import Image
from metaunetr.io import read_image

dicom_series = pytest.importorskip("dicom_series", reason="files are written with pydicom")
AXES, SYNTAXES = dicom_series.AXES, dicom_series.NATIVE | dicom_series.COMPRESSED
Stored, edit, on_axes, write_enhanced = (
    dicom_series.Stored, dicom_series.edit, dicom_series.on_axes, dicom_series.write_enhanced)

EACH = Stored((1, 0.5), (-1024, -1000.5), bits=16, signed=True)


def read(path, truth: Image) -> None:
    image = read_image(path)
    assert_array_equal(image.array, truth.array)
    assert image.grid.same_as(truth.grid)
    assert len(image.dicom_files) == 1


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_frames_are_rescaled_each_in_its_way(tmp_path, ct, syntax):
    path = write_enhanced(tmp_path / "ct.dcm", ct, syntax, EACH)
    read(path, EACH.kept(ct))
    read(tmp_path, EACH.kept(ct))


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_frames_lie_at_their_places(tmp_path, ct, axes):
    read(write_enhanced(tmp_path / "ct.dcm", on_axes(ct, axes), shared=True), on_axes(ct, axes))


def test_a_series_of_several_files_is_one_volume(tmp_path, ct):
    for name, order in (("upper", range(6, 12)), ("lower", range(6))):
        write_enhanced(tmp_path / f"{name}.dcm", ct, order=order)
    image = read_image(tmp_path)
    assert_array_equal(image.array, ct.array)
    assert image.dicom_files == (str(tmp_path / "lower.dcm"), str(tmp_path / "upper.dcm"))


def test_a_full_temporary_folder_is_named(tmp_path, ct, monkeypatch):
    path = write_enhanced(tmp_path / "ct.dcm", ct, SYNTAXES["RLE"])

    def save_as(*args, **options):  # as pydicom wraps what the system says
        why = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise OSError("With tag (7FE0,0010) got exception:\nTraceback …") from why

    monkeypatch.setattr("pydicom.dataset.Dataset.save_as", save_as)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OutputError) as error:
        read_image(path)
    assert str(error.value) == (
        f"{path}: no copy of its pixels can be written to the temporary folder {tmp_path} (No "
        "space left on device); make room there, or set TMPDIR to another folder")


def describe_less(path):
    import pydicom

    edit(path, PerFrameFunctionalGroupsSequence=pydicom.dcmread(
        path).PerFrameFunctionalGroupsSequence[:-1])


def forget_rescale(path):
    import pydicom

    groups = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    del groups[4].PixelValueTransformationSequence
    edit(path, PerFrameFunctionalGroupsSequence=groups)


BAD = {
    "a frame is not described": (describe_less, ["the file has 12 and describes 11"]),
    "a frame has no scale": (forget_rescale, ["frame 5: Rescale Slope must be a number"]),
    "no frame is described": (
        lambda path: edit(path, PerFrameFunctionalGroupsSequence=None), ["do not tell where"]),
    "frames are missing": (
        lambda path: path.write_bytes(path.read_bytes()[:-4000]), ["not a readable"]),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD)
def test_it_is_refused_in_one_sentence(tmp_path, ct, spoil, words):
    path = write_enhanced(tmp_path / "ct.dcm", ct)
    spoil(path)
    with pytest.raises(InputError) as refused:
        read_image(path)
    for word in [str(tmp_path), *words]:
        assert word in str(refused.value)


def test_several_volumes_in_one_file_are_refused_by_name(tmp_path, ct):
    path = write_enhanced(tmp_path / "ct.dcm", ct, acquisitions=2)
    with pytest.raises(InputError, match=r"2 volumes .*acquisition 1, 12 frames; acquisition 2"):
        read_image(path)


def test_slices_that_are_missing_are_named(tmp_path, ct):
    path = write_enhanced(tmp_path / "ct.dcm", ct, order=[*range(5), *range(6, 12)])
    with pytest.raises(InputError, match="slices are missing: frame 5 and frame 6"):
        read_image(path)


def test_a_truncated_file_never_passes(tmp_path, ct, long):
    path = write_enhanced(tmp_path / "ct.dcm", ct, SYNTAXES["RLE"])
    raw = path.read_bytes()
    for cut in np.linspace(0, len(raw) - 9, 100 if long else 12).astype(int):
        path.write_bytes(raw[:cut])
        with pytest.raises(InputError):
            read_image(path)
