"""What is no image that can be segmented is refused in one sentence with file and reason."""

from __future__ import annotations

import builtins
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from image_files import RAW, VOXELS, mha, nii, nii_gz, nrrd
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import read_image, read_labels, write_image

try:
    import resource
except ImportError:  # Windows
    resource = None

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="pipes are no files there")
MORE_MEMORY = 100_000  # KiB; the files have some kB

@pytest.fixture(autouse=True)
def silence(capfd):
    """Libraries print nothing beside our message."""
    yield
    assert capfd.readouterr().err == ""


FIELDS = [  # format, changes of the header, words of the message
    (nii, {"dim": [3, 10000, 10000, 10000, 1, 1, 1, 1]}, "10000 × 10000 × 10000 = 1e+12 voxels"),
    (nrrd, {"sizes": "10000 10000 10000"}, "10000 × 10000 × 10000 = 1e+12 voxels"),
    (mha, {"DimSize": "10000 10000 10000"}, "10000 × 10000 × 10000 = 1e+12 voxels"),
    (nii_gz, {"dim": [3, 512, 512, 4000, 1, 1, 1, 1]}, "512 × 512 × 4000 voxels, which a file of"),
    (nrrd, {"sizes": "512 512 4000", "encoding": "gzip"}, "bytes cannot hold"),
    (mha, {"DimSize": "512 512 4000", "CompressedData": "True"}, "bytes cannot hold"),
    (nii, {"dim": [3, 6, -3, 4, 1, 1, 1, 1]}, "size must be positive, the header says 6 × -3"),
    (nrrd, {"sizes": "9" * 400}, "sizes must be 3 whole numbers"),
    (nii, {"vox_offset": np.nan}, "cannot begin at byte nan"),
    (nii, {"vox_offset": 1e6}, "truncated: it should have 240 bytes of voxels, 0 are there"),
    (nrrd, {"byte skip": "-2"}, "cannot begin at line 0, byte -2"),
    (mha, {"HeaderSize": "-2"}, "cannot begin at byte -2"),
    (nii, {"dim": [1000, 6, 5, 4, 1, 1, 1, 1]}, "axes must be 1 to 7, the header says 1000"),
    (mha, {"NDims": "-2147483648"}, "number of axes must be 1 to 10, the header says -2147483648"),
    (nii, {"dim": [2, 6, 5, 1, 1, 1, 1, 1]}, "a CT needs three axes, the image has 2"),
    (nrrd, {"dimension": "2", "sizes": "6 5"}, "a CT needs three axes, the image has 2"),
    (nii, {"dim": [4, 6, 5, 2, 2, 1, 1, 1]}, "has the sizes 6 × 5 × 2 × 2; extract one frame"),
    (mha, {"NDims": "4", "DimSize": "6 5 2 2"}, "has the sizes 6 × 5 × 2 × 2; extract one frame"),
    (nrrd, {"dimension": "4", "sizes": "2 3 5 4",
            "space directions": "none (1,0,0) (0,1,0) (0,0,1)"}, "these have 2 components"),
    (mha, {"ElementNumberOfChannels": "3"}, "these have 3 components"),
    (nii, {"datatype": 128}, "real numbers, these are RGB"),
    (nii, {"datatype": 32}, "real numbers, these are complex"),
    (nii, {"datatype": 1536}, "real numbers, these are data type 1536"),
    (nrrd, {"type": "block"}, "real numbers, these are block"),
    (mha, {"ElementType": "MET_OTHER"}, "real numbers, these are MET_OTHER"),
    (mha, {"BinaryData": "False"}, "voxels written as text"),
    (nrrd, {"encoding": "bzip2"}, "encoding must be raw or gzip, it is 'bzip2'"),
    (nii, {"srow": np.eye(4)[:3] + np.eye(3, 4, 2) / 10, "qform_code": 0},
     "right angles, they are off by 5.71°"),
    (nrrd, {"space directions": "(1,0,0) (0,1,0) (0,0.1,1)"}, "right angles"),
    (mha, {"TransformMatrix": "1 0 0 0 1 0 0 0.0995 0.995"}, "right angles"),
    (nrrd, {"space directions": "(1,0,0) (1,0,0) (0,0,1)"}, "degenerate"),
    (mha, {"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "degenerate"),
    (nii, {"srow": np.diag([0, 1, 1, 1])[:3], "qform_code": 0}, "finite and positive, it is (0.0,"),
    (nii, {"pixdim": [1, 1, 1, -5, 0, 0, 0, 0], "sform_code": 0},
     "finite and positive, it is [1.0, 1.0, -5.0]"),
    (nii, {"pixdim": [1, 1, 1, np.nan, 0, 0, 0, 0], "sform_code": 0}, "finite and positive"),
    (nrrd, {"space directions": "(1,0,0) (0,1,0) (0,0,nan)"}, "finite and positive"),
    (mha, {"ElementSpacing": "1 1 0"}, "finite and positive"),
    (mha, {"ElementSpacing": "1 1"}, "ElementSpacing must be 3 numbers, it is '1 1'"),
    (nii, {"qoffset": [np.inf, 0, 0], "sform_code": 0}, "not finite"),
    (nii, {"qoffset": [0, 0, 0]}, "sform and qform place the image differently"),
    (nii, {"qform_code": 0, "sform_code": 0}, "left and right are unknown"),
    (nrrd, {"space": None, "space directions": None}, "left and right are unknown"),
    (nii, {"xyzt_units": 5}, "unit of length must be m, mm or um, its code is 5"),
    (nrrd, {"space units": '"ft" "ft" "ft"'}, "m, cm, mm or um, the header says 'ft'"),
    (mha, {"DistanceUnits": "ft"}, "m, cm, mm or um, the header says 'ft'"),
    (nrrd, {"space units": '"mm" "mm"'}, "space units must be three"),
    (nrrd, {"units": '"cm" "cm" "cm"'}, "must have space units, the header has units '\"cm\""),
    (nrrd, {"data file": "/etc/passwd"}, "in the folder of their header, it names '/etc/passwd'"),
    (nrrd, {"Data File": "../ct.raw"}, "in the folder of their header, it names '../ct.raw'"),
    (mha, {"ElementDataFile": r"C:\secret.raw"}, "in the folder of their header"),
    (nrrd, {"datafile": "LIST"}, "voxels in several files"),
    (mha, {"ElementDataFile": "ct%02d.raw 1 6 1"}, "voxels in several files"),
    pytest.param(nrrd, {"data file": "pipe.raw"}, "names PATH/pipe.raw: is no ordinary file",
                 marks=UNIX),
    (mha, {"ElementDataFile": "none.raw"}, "names PATH/none.raw: there is no such file"),
    (nrrd, {"[" * 400 + "\nx": ""}, "is no field: '[["),
]


@pytest.mark.parametrize(("write", "changes", "words"), FIELDS, ids=lambda value: (
    value.__name__ if callable(value) else str(value)[:60]))
def test_a_header_that_is_wrong(tmp_path, write, changes, words):
    if changes.get("data file") == "pipe.raw":
        os.mkfifo(tmp_path / "pipe.raw")
    check_refused(write(tmp_path, changes), words)


CONTENTS = {  # name of the file, its bytes, words of the message
    "an empty file": ("ct.nrrd", b"", "empty (0 bytes)"),
    "a picture": ("ct.jpg", b"\xff\xd8\xff\xe0", "not known by its name; readable are "),
    "a text as NIfTI": ("ct.nii.gz", b"Patient;Diagnosis\n" * 100, "not a NIfTI file; it begins"),
    "a short text as NIfTI": ("ct.nii", b"hello", "not a NIfTI file"),
    "a NIfTI-2 file": ("ct.nii", struct.pack("<i8s", 540, b"n+2\0\r\n\x1a\n"), "NIfTI-2 is not"),
    "a text as NRRD": ("ct.nrrd", b"hello", "not a NRRD file"),
    "a text as MetaImage": ("ct.mha", b"hello\n" * 50, "not a MetaImage file"),
    "a text as DICOM": ("ct.dcm", b"hello\n" * 50, "not a readable DICOM image"),
    "a folder without images": ("sub/notes.txt", b"nothing here", "no DICOM images"),
}


@pytest.mark.parametrize(("name", "content", "words"), CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_no_image(tmp_path, name, content, words):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    check_refused(path.parent if path.parent != tmp_path else path, words)


@pytest.mark.parametrize(("name", "words"), [
    ("nothing.nii.gz", "no such file"),
    ("x" * 256 + ".nii.gz", "cannot be read: File name too long"),
])
def test_a_file_that_is_not_there(tmp_path, name, words):
    check_refused(tmp_path / name, words)


@UNIX
def test_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "ct.nii.gz")
    check_refused(tmp_path / "ct.nii.gz", "no ordinary file")


CHANGES = {"truncated": lambda raw: raw[:-10],
           "damaged": lambda raw: raw[:-30] + b"!!!" + raw[-27:]}


@pytest.mark.parametrize(("suffix", "words"), [
    (".nii", "truncated"),  # no checksum that damage could contradict
    *((suffix, words) for suffix in (".nii.gz", ".nrrd", ".mha") for words in CHANGES),
])
def test_voxels_that_are_damaged(tmp_path, ct, suffix, words):
    path = tmp_path / f"ct{suffix}"
    write_image(path, ct)
    path.write_bytes(CHANGES[words](path.read_bytes()))
    check_refused(path, words)


@pytest.mark.parametrize("write", [nrrd, mha])
def test_fewer_voxels_than_the_header_says(tmp_path, write):
    check_refused(write(tmp_path, {}, bytes(100)), "should have 240 bytes of voxels, 100 are there")


def test_a_small_gzip_file_that_expands_to_gigabytes(tmp_path):
    """What follows the voxels is read for its checksum, within limits."""
    check_refused(nii_gz(tmp_path, {}, bytes(80 << 20)), "more than 64 MB after its voxels")


def test_a_bomb_in_a_metaimage_is_decompressed_no_further_than_the_header_says(tmp_path):
    bomb = zlib.compress(RAW + bytes(300 << 20), 1)
    path, before = mha(tmp_path, {"CompressedData": "True"}, bomb), peak_memory()
    np.testing.assert_array_equal(read_image(path).array, VOXELS)
    assert peak_memory() - before < MORE_MEMORY


def check_refused(path: Path, words: str) -> None:
    before = peak_memory()
    with pytest.raises(InputError) as refused:
        read_image(path)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message.removeprefix(str(path)).replace(str(path.parent), "")) < 220
    assert words.replace("PATH", str(path.parent)) in message
    assert peak_memory() - before < MORE_MEMORY


def peak_memory() -> int:
    """KiB on Linux; 0 where it is unknown."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else 0


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = nii(tmp_path, {})
    real = builtins.open

    def denied(file, *args, **kwargs):
        if Path(file) == path:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", denied)
    check_refused(path, "cannot be read: Permission denied")


def test_labels_are_not_read_from_dicom(tmp_path):
    (tmp_path / "organs.dcm").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(InputError, match=r"readable are \.seg\.nrrd, .*, \.mhd$"):
        read_labels(tmp_path / "organs.dcm")


@pytest.mark.parametrize(("voxels", "words"), [
    (np.float32([0, 1.5]), "whole numbers"),
    (np.int16([-1, 3]), "0 to 255"),
    (np.int16([0, 256]), "0 to 255"),
    (np.float32([0, np.nan]), "0 to 255"),
])
def test_what_is_no_label_map_is_refused(tmp_path, voxels, words):
    array = np.tile(voxels, (4, 4, 2))
    write_image(tmp_path / "labels.nii.gz", Image(array, Grid(array.shape, (1, 1, 1), (0, 0, 0))))
    with pytest.raises(InputError, match=words):
        read_labels(tmp_path / "labels.nii.gz")
