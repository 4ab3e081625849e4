"""Slices that are lost at the ends of a series are warned about."""

from __future__ import annotations

import gzip
import shutil
import sys
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import InputError
from metaunetr.guard import inspect_ct
from metaunetr.image import Image
from metaunetr.io import read_image

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
edit, write_series = dicom_series.edit, dicom_series.write_series

BESIDE = "1 file beside the slices cannot be read and may be slices (1 {}); the ends of the " \
         "series may be missing."
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 526\n"


def holding(content: bytes):
    def spoil(path: Path) -> Path:
        path.write_bytes(content)
        return path
    return spoil


def packed(path: Path) -> Path:
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def link(path: Path) -> Path:
    path.unlink()
    path.symlink_to("../.git/annex/objects/none")
    return path


LOST = {
    "empty": (holding(b""), "empty"),
    "zeros": (holding(bytes(5000)), "of zeros"),
    "a pointer": (holding(LFS), "replaced by pointers"),
    "an annex pointer": (holding(b"/annex/objects/MD5E-s526--4d7a.dcm\n"), "replaced by pointers"),
    "packed": (packed, "packed"),
    "anything": (holding(bytes(range(256)) * 9), "damaged"),
    **({} if sys.platform == "win32" else {"a link": (link, "without a target")}),
}
NAMES = ["IM0012", "IM0012.dcm", "1.2.840.113.12", "CT.IMG"]


@pytest.mark.parametrize(("lost", "name"), [
    *((lost, "IM0012") for lost in LOST), *(("zeros", name) for name in NAMES[1:])])
def test_a_file_that_was_the_last_slice_is_reported(tmp_path, ct, lost, name):
    spoil, kind = LOST[lost]
    paths = write_series(tmp_path, ct, InstanceNumber=None)
    if name == "CT.IMG":
        for path in paths[:-1]:
            path.rename(path.with_suffix(".img"))
    spoil(paths[-1]).rename(tmp_path / name)
    image = read_image(tmp_path)
    assert_array_equal(image.array, ct.array[:-1])
    assert image.warnings == (BESIDE.format(kind),)
    assert BESIDE.format(kind) in inspect_ct(image)


UNFINISHED = ["IM0012.dcm.gz", "IM0012.gz", "IM0012.dcm.part", "1.2.840.12.crdownload"]


@pytest.mark.parametrize("name", UNFINISHED)
def test_a_slice_that_was_packed_or_not_yet_fetched_is_reported(tmp_path, ct, name):
    path = write_series(tmp_path, ct, InstanceNumber=None)[0]
    packed(path).rename(tmp_path / name)
    assert read_image(tmp_path).warnings == (BESIDE.format("packed"),)


NO_SLICES = {
    "notes.txt": b"", "README": b"Scans of a phantom.\n", "LICENSE": "für alle".encode("latin-1"),
    "ct.nii.gz": gzip.compress(bytes(9)), "page.html": b"", ".gitkeep": b"", ".IM0013": b"",
    "preview.png": b"\x89PNG\r\n\x1a\n\0", "viewer.exe": b"MZ\0\0",
}


def test_other_files_are_no_slices(tmp_path, ct):
    write_series(tmp_path, ct)
    for name, content in NO_SLICES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "IM0014").mkdir()
    assert read_image(tmp_path).warnings == ()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_without_a_target_may_have_any_name(tmp_path, ct):
    write_series(tmp_path, ct)
    (tmp_path / "notes.txt").symlink_to("none")
    (tmp_path / "loop").symlink_to("loop")
    assert read_image(tmp_path).warnings == (
        "2 files beside the slices cannot be read and may be slices (2 without a target); the "
        "ends of the series may be missing.",)


def test_a_slice_that_may_not_be_read_is_refused(tmp_path, ct, monkeypatch):
    path, opened = write_series(tmp_path, ct)[0].rename(tmp_path / "IM0012"), open

    def locked(file, *args, **kwargs):
        if Path(file) == path:
            raise PermissionError(13, "Permission denied", str(file))
        return opened(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", locked)
    with pytest.raises(InputError, match="IM0012: cannot be read: Permission denied; it may be"):
        read_image(tmp_path)


def fewer(paths: list[Path], *lost: int) -> None:
    for k in lost:
        paths[k].unlink()


NUMBERS = {
    "the first is missing": ({}, [0], "2 to 12: 1 before"),
    "the last is missing": ({}, [10, 11], ""),
    "three are missing, head first": (
        {"InstanceNumber": lambda k: 12 - k}, [9, 10, 11], "4 to 12: 3 before"),
    "the last is missing, and how many there are is known": (
        {"ImagesInAcquisition": 12}, [11], "1 to 11: 1 after"),
    "both ends are missing": (
        {"ImagesInAcquisition": 12}, [0, 10, 11], "2 to 10: 1 before and 2 after"),
    "counted from 0": ({"InstanceNumber": lambda k: k}, [], ""),
    "all is there": ({"ImagesInAcquisition": 12}, [], ""),
    "no numbers": ({"InstanceNumber": None}, [0], ""),
    "numbers in another order": ({"InstanceNumber": lambda k: (7 * k) % 12 + 1}, [0], ""),
    "every slice is an acquisition of one image": (
        {"AcquisitionNumber": lambda k: k, "ImagesInAcquisition": 1}, [], ""),
}


@pytest.mark.parametrize(("elements", "lost", "words"), NUMBERS.values(), ids=NUMBERS)
def test_missing_numbers_are_reported(tmp_path, ct, elements, lost, words):
    fewer(write_series(tmp_path, ct, **elements), *lost)
    sentence = f"The slices have the numbers {words} them may be missing."
    assert read_image(tmp_path).warnings == ((sentence,) if words else ())


def test_numbers_of_other_images_of_the_series_are_not_missing(tmp_path, ct):
    uid = {"SeriesInstanceUID": "1.2.3"}
    first = write_series(tmp_path, ct, "a", **uid)
    later = write_series(tmp_path, Image(ct.array + 9, ct.grid), "b", **uid, AcquisitionNumber=2,
                         InstanceNumber=lambda k: 13 + k)
    assert read_image(later[0]).warnings == ()
    for path in first:
        shutil.move(path, tmp_path.parent / path.name)
    assert read_image(tmp_path).warnings == (
        "The slices have the numbers 13 to 24: 12 before them may be missing.",)
