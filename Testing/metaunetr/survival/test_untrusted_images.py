"""Images come from anywhere: nothing in them leads elsewhere or takes memory that is not there."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

import mutation
from makers import Makers
from metaunetr.errors import InputError
from metaunetr.io import read_header, read_image, read_labels
from metaunetr.io.nifti import HEADER

image = Makers()  # of files that are refused with these words, before memory is taken


def whole(folder: Path, kind: str) -> Path:
    return mutation.seeds(folder / "seeds")[kind]


def changed(path: Path, **fields: str) -> Path:
    """A text header with other values."""
    text = path.read_bytes()
    for key, value in fields.items():
        name = key.replace("_", " ").encode()
        line = rb"(?m)^(" + name + rb" ?[=:] ?).*\n"
        text, found = re.subn(line, lambda at, new=value: at[1] + new.encode() + b"\n", text)
        assert found
    path.write_bytes(text)
    return path


def nifti(folder: Path, kind: str = "nii", voxels: int = 0, **fields) -> Path:
    """A NIfTI header with other values, and then zeros."""
    path = whole(folder, kind)
    raw = gzip.decompress(path.read_bytes()) if kind == "nii_gz" else path.read_bytes()
    header = np.frombuffer(raw, HEADER, count=1)[0].copy()
    for field, value in fields.items():
        header[field] = value
    if kind == "nii":
        path.write_bytes(header.tobytes() + raw[HEADER.itemsize:])
        return path
    with gzip.open(path, "wb", 1) as file:
        file.write(header.tobytes() + bytes(4))
        for _ in range(voxels >> 20):
            file.write(bytes(1 << 20))
    return path


@image("1e+12 voxels")
def a_nifti_that_claims_a_trillion_voxels(folder):
    return nifti(folder, dim=[3, 10000, 10000, 10000, 1, 1, 1, 1])


@image("cannot hold")
def a_nifti_that_claims_four_gigabytes(folder):
    return nifti(folder, "nii_gz", dim=[3, 1024, 1024, 2000, 1, 1, 1, 1])


@image("more than 64 MB after its voxels")
def a_gzip_bomb_behind_a_small_nifti(folder):
    return nifti(folder, "nii_gz", voxels=80 << 20)


@image("the folder of their header, it names '/etc/passwd'")
def a_nrrd_with_its_voxels_in_a_file_of_the_system(folder):
    path = whole(folder, "nhdr")
    return changed(path, **{key.decode().replace(" ", "_"): "/etc/passwd" for key in
                            re.findall(rb"(?m)^(data ?file): ", path.read_bytes())})


@image("the folder of their header, it names '../ct.raw'")
def a_nrrd_with_its_voxels_in_the_folder_above(folder):
    path = whole(folder, "nrrd_raw")
    path.write_bytes(path.read_bytes().replace(b"encoding:", b"Data File: ../ct.raw\nencoding:"))
    return path


@image("several files")
def a_nrrd_with_a_list_of_files(folder):
    path = whole(folder, "nrrd_raw")
    path.write_bytes(path.read_bytes().replace(b"encoding:", b"datafile: LIST\nencoding:"))
    return path


@image("names", "no ordinary file")
def a_metaimage_with_its_voxels_in_a_pipe(folder):
    os.mkfifo(folder / "pipe.raw")
    path = whole(folder, "mhd")
    (path.parent / "pipe.raw").symlink_to(folder / "pipe.raw")
    return changed(path, ElementDataFile="pipe.raw")


@image("is no field")
def a_nrrd_with_a_long_line(folder):
    """Crashed SimpleITK."""
    path = whole(folder, "nrrd")
    path.write_bytes(path.read_bytes().replace(b"dimension:", b"[" * 400 + b"\ndimension:"))
    return path


@image("is no ordinary file")
def a_pipe(folder):
    os.mkfifo(folder / "ct.nii.gz")
    return folder / "ct.nii.gz"


HEADERS = {  # kind of file, a field with its value, words of the message
    "a nrrd that claims two gigabytes": (
        "nrrd", "sizes", "1024 1024 1000", ["bytes cannot hold"]),
    "a nrrd that claims a trillion voxels": (
        "nrrd_raw", "sizes", "10000 10000 10000", ["1e+12 voxels"]),
    "a detached nrrd that claims two gigabytes": (
        "nhdr", "sizes", "1024 1024 1000", ["bytes cannot hold"]),
    "a metaimage with its voxels in a file of the system": (
        "mhd", "ElementDataFile", "/etc/passwd",
        ["the folder of their header, it names '/etc/passwd'"]),
    "a metaimage with its voxels on another drive": (
        "mhd", "ElementDataFile", r"C:\secret.raw", ["the folder of their header", "secret.raw"]),
    "a metaimage with a pattern of files": (
        "mhd", "ElementDataFile", "ct%02d.raw 1 6 1", ["several files"]),
    "a metaimage that claims two gigabytes": (
        "mhd", "DimSize", "1024 1024 1000", ["bytes cannot hold"]),
    "a metaimage that claims a trillion voxels": (
        "mha", "DimSize", "10000 10000 10000", ["1e+12 voxels"]),
    "a metaimage with minus two billion axes": (
        "mhd", "NDims", "-2147483648", ["number of axes must be 1 to 10"]),  # crashed SimpleITK
    "a nrrd with a long number": (
        "nrrd", "sizes", "9" * 400, ["sizes must be 3 whole numbers"]),  # crashed SimpleITK
}


def check_refused(reader, path: Path, words) -> None:
    assert reader("image", path) is None
    with pytest.raises(InputError) as refused:
        read_image(path)
    assert str(refused.value).startswith(str(path))
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(("maker", "words"), image)
def test_images_that_lead_elsewhere_or_claim_too_much(reader, tmp_path, maker, words):
    check_refused(reader, maker(tmp_path), words)


@pytest.mark.parametrize(("kind", "field", "value", "words"), HEADERS.values(), ids=HEADERS)
def test_headers_that_lead_elsewhere_or_claim_too_much(
    reader, tmp_path, kind, field, value, words
):
    check_refused(reader, changed(whole(tmp_path, kind), **{field: value}), words)


@pytest.mark.parametrize(("before", "after", "words"), [
    (b"Segment0_LabelValue:=2", b"Segment0_LabelValue:=two", "whole number from 0 to 255: 'two'"),
    (b"Segment0_LabelValue:=2", b"Segment0_LabelValue:=-1", "whole number from 0 to 255: '-1'"),
    (b"Segment0_LabelValue:=2", b"Segment0_LabelValue:=256", "whole number from 0 to 255: '256'"),
    (b"Segment0_Layer:=0", b"Segment0_Layer:=" + b"9" * 5000, "whole number from 0 to 255: '999"),
])
def test_labels_of_segments_that_are_none(tmp_path, before, after, words):
    path = whole(tmp_path, "seg_nrrd")
    assert before in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(InputError, match=words):
        read_labels(path)


def test_names_of_segments_that_are_not_utf_8(tmp_path):
    path = whole(tmp_path, "seg_nrrd")
    path.write_bytes(path.read_bytes().replace(b"Segment0_Name:=", b"Segment0_Name:=\xe4 "))
    assert set(np.unique(read_labels(path).array)) == {0, 2, 6}


def test_a_bomb_in_a_metaimage_is_unpacked_no_further_than_it_claims(reader, tmp_path):
    path = whole(tmp_path, "mhd_packed")
    grid = read_header(path).grid
    bomb = zlib.compress(bytes(300 << 20), 1)
    next(path.parent.glob("*.zraw")).write_bytes(bomb)
    assert reader("image", path) is None
    assert read_image(path).array.shape == grid.shape


def with_rows_and_columns(folder: Path, size: int, pixels: bool) -> Path:
    """A series of which every slice claims `size` rows and columns."""
    pydicom = pytest.importorskip("pydicom")
    slices = whole(folder, "dicom").parent
    for path in slices.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.Rows = dataset.Columns = size
        if not pixels:
            del dataset.PixelData
        dataset.save_as(path)
    return slices


@pytest.mark.parametrize("size", [65535, 30000, 16384])
@pytest.mark.parametrize("pixels", [False, True])
def test_slices_that_claim_more_pixels_than_they_hold(reader, tmp_path, size, pixels):
    slices = with_rows_and_columns(tmp_path, size, pixels)
    assert reader("dicom", slices / "slice2.dcm") is None
    with pytest.raises(InputError) as refused:
        read_image(slices)
    assert str(refused.value).startswith(str(slices))
