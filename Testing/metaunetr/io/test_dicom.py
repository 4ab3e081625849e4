"""DICOM series: which are one volume, and why others are not."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import dicom, read_image

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
edit, move, tilt = dicom_series.edit, dicom_series.move, dicom_series.tilt


def test_a_folder_is_read_in_the_order_of_positions(tmp_path, ct, write_series):
    paths = write_series(tmp_path / "series", ct)
    (tmp_path / "series" / "notes.txt").write_text("not an image")
    image = read_image(tmp_path / "series")
    assert_array_equal(image.array, ct.array)
    assert image.array.dtype == np.int16
    assert image.grid.same_as(ct.grid)
    assert image.dicom_files == tuple(map(str, paths))
    assert image.source == tmp_path / "series"


def test_a_file_stands_for_its_series(tmp_path, ct, write_series):
    other = Image(ct.array + 7, ct.grid)
    first = write_series(tmp_path, ct, "a")
    second = write_series(tmp_path, other, "b")
    assert_array_equal(read_image(first[3]).array, ct.array)
    assert_array_equal(read_image(second[0]).array, other.array)


def test_several_series_are_listed_with_a_file_of_each(tmp_path, ct, write_series):
    write_series(tmp_path, ct, "arterial", SeriesDescription="arterial 5 mm")
    write_series(tmp_path, ct, "venous", SeriesDescription="venous 5 mm")
    with pytest.raises(InputError, match="2 CT series; name a file") as refused:
        read_image(tmp_path)
    for part in ("arterial 5 mm, 12 slices: arterial0", "venous 5 mm, 12 slices: venous0"):
        assert part in str(refused.value)


def test_images_of_other_kinds_beside_the_ct_do_not_matter(tmp_path, ct, write_series):
    write_series(tmp_path, ct)
    write_series(tmp_path, ct, "pet", Modality="PT")
    assert_array_equal(read_image(tmp_path).array, ct.array)


def test_a_report_beside_the_ct_does_not_matter(tmp_path, ct, write_series):
    path = write_series(tmp_path, ct)[0]
    report = tmp_path / "report.dcm"
    shutil.copy(path, report)
    edit(report, Modality="SR", PixelData=None, Rows=None, Columns=None, BitsAllocated=None)
    assert_array_equal(read_image(tmp_path).array, ct.array)


def test_a_missing_suffix_does_not_matter(tmp_path, ct, write_series):
    for number, path in enumerate(write_series(tmp_path, ct)):
        path.rename(tmp_path / f"IM{number:04d}")
    assert_array_equal(read_image(tmp_path).array, ct.array)


def test_jittering_positions_within_rounding_are_accepted(tmp_path, ct, write_series):
    paths = write_series(tmp_path, ct)
    move(paths[4], k=0.04)
    image = read_image(tmp_path)
    assert image.grid.spacing[2] == pytest.approx(5.0)


def lengthen(path: Path, element: bytes, more: bytes) -> None:
    """Appends bytes to the value of an element of explicit VR."""
    data = path.read_bytes()
    at = data.index(element) + len(element)
    (length,) = struct.unpack_from("<H", data, at)
    end = at + 2 + length
    path.write_bytes(data[:at] + struct.pack("<H", length + len(more)) + data[at + 2:end] + more
                     + data[end:])


def test_a_slice_that_could_not_be_read_for_a_moment_is_tried_again(
    tmp_path, ct, write_series, monkeypatch
):
    path = write_series(tmp_path, ct)[3]
    opened = open

    def stale(file, *args, **kwargs):
        if Path(file) == path:
            raise OSError(116, "Stale file handle", str(file))
        return opened(file, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", stale)
        assert dicom.scan_folder(tmp_path)[1] == [path]
    assert read_image(tmp_path).grid.same_as(ct.grid)


BAD = {
    "a slice is missing": (
        lambda paths: paths[5].unlink(), ["slices are missing", "10.00 mm apart", "5.00"]),
    "three slices are missing": (
        lambda paths: [p.unlink() for p in paths[5:8]], ["slices are missing", "20.00 mm"]),
    "two slices are at one position": (
        lambda paths: move(paths[5], k=-5), ["once", "same", "phases"]),
    "distances vary": (
        lambda paths: [move(p, k=1.2) for p in paths[6:]],
        ["evenly spaced", "5.00 to 6.20 mm"]),
    "a slice is shifted sideways": (
        lambda paths: move(paths[6], i=3), ["evenly spaced"]),
    "slices are shifted further than a gantry tilts": (
        lambda paths: tilt(paths, 50, 5),
        ["shifted sideways by 50.0°"]),
    "a localizer is among the slices": (
        lambda paths: edit(paths[0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
        ["Image Orientation", "localizer"]),
    "pixel spacing changes": (
        lambda paths: edit(paths[3], PixelSpacing=[3, 3]), ["Pixel Spacing", "differ"]),
    "half of it is of another frame of reference": (
        lambda paths: [edit(p, FrameOfReferenceUID="1.2") for p in paths[6:]],
        ["agree in Frame of Reference UID", "two scans or patients"]),
    "half of it is of another patient": (
        lambda paths: [edit(p, PatientID="2") for p in paths[6:]],
        ["agree in Patient ID", "two scans or patients"]),
    "a slice has another size": (
        lambda paths: edit(paths[3], Rows=20, PixelData=bytes(20 * 48 * 2)),
        ["one size", "(48, 20)"]),
    "a position is missing": (
        lambda paths: edit(paths[3], ImagePositionPatient=None),
        ["Image Position (Patient) must be 3 numbers", "''"]),
    "the spacing is missing": (
        lambda paths: [edit(p, PixelSpacing=None) for p in paths], ["Pixel Spacing must be 2"]),
    "the spacing is zero, and the gantry tilted": (
        lambda paths: [edit(p, PixelSpacing=[0, 0]) for p in paths] and tilt(paths, 10, 5),
        ["slice", "Pixel Spacing must be positive, it is '0"]),
    "the spacing is endless": (
        lambda paths: lengthen(paths[3], b"\x28\0\x30\0DS", b"x" * 30000),
        ["Pixel Spacing must be 2"]),
    "it is an MR": (
        lambda paths: [edit(p, Modality="MR") for p in paths], ["MR, not CT"]),
    "frames of one file have no places": (
        lambda paths: edit(paths[0], NumberOfFrames=2, PixelData=bytes(2 * 40 * 48 * 2)),
        ["frames", "do not tell where they lie", "one file per slice"]),
    "pixel data are truncated": (
        lambda paths: paths[-1].write_bytes(paths[-1].read_bytes()[:-2000]),
        ["this slice", "truncated"]),
    "it is in colour": (
        lambda paths: [edit(p, SamplesPerPixel=3, PhotometricInterpretation="RGB",
                            PlanarConfiguration=0, BitsAllocated=8, BitsStored=8, HighBit=7,
                            PixelData=bytes(40 * 48 * 3)) for p in paths],
        ["colours"]),
}


@pytest.mark.parametrize(("spoil", "words"), BAD.values(), ids=BAD.keys())
def test_it_is_refused_in_one_sentence(tmp_path, ct, capfd, write_series, spoil, words):
    spoil(write_series(tmp_path, ct))
    with pytest.raises(InputError) as refused:
        read_image(tmp_path)
    message = str(refused.value)
    assert str(tmp_path) in message
    assert "\n" not in message
    assert len(message.replace(str(tmp_path), "")) < 400
    for word in words:
        assert word in message
    assert capfd.readouterr().err == ""


def test_one_slice_is_an_image_which_the_guard_refuses(tmp_path, ct, write_series):
    path = write_series(tmp_path, Image(ct.array[:1], Grid((1, 40, 48), (8, 8, 5), (0, 0, 0))))[0]
    assert read_image(path).grid.shape == (1, 40, 48)


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")  # the superuser is never refused

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_image(tmp_path)
