"""No memory is taken for what a damaged DICOM header claims."""

from __future__ import annotations

import struct

import pytest

from metaunetr.errors import InputError
from metaunetr.io import read_image
from metaunetr.io.dicom.elements import PIXELS, read_elements

dicom_series = pytest.importorskip("dicom_series", reason="files are written with pydicom")
SYNTAXES = dicom_series.NATIVE | dicom_series.COMPRESSED

CLAIMS = {  # syntax, what stands before a length, and the claim
    "voxels": ("explicit VR", struct.pack("<HH2sH", 0x7FE0, 0x10, b"OW", 0), 0xFFFFFFF0),
    "voxels, implicit": ("implicit VR", struct.pack("<HH", 0x7FE0, 0x10), 0xFFFFFFF0),
    "voxels, big endian": ("big endian", struct.pack(">HH2sH", 0x7FE0, 0x10, b"OW", 0), 0xFFFFFFF0),
    "a text, implicit": ("implicit VR", struct.pack("<HH", 0x08, 0x103E), 0x7FFFFFFF),
    "a fragment": ("RLE", struct.pack("<HH", 0xFFFE, 0xE000), 0x40000000),
}


@pytest.mark.parametrize(("syntax", "before", "claim"), CLAIMS.values(), ids=CLAIMS)
def test_an_impossible_length_is_refused(tmp_path, ct, syntax, before, claim):
    path = dicom_series.write_series(tmp_path, ct, syntax=SYNTAXES[syntax])[5]
    data = bytearray(path.read_bytes())
    at = data.rindex(before) + len(before)
    struct.pack_into((">" if syntax == "big endian" else "<") + "L", data, at, claim)
    path.write_bytes(data)
    assert read_elements(path, ()) is None
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_whole_files_are_possible(tmp_path, ct, syntax):
    slices = dicom_series.write_series(tmp_path / "series", ct, syntax=SYNTAXES[syntax])
    frames = dicom_series.write_enhanced(tmp_path / "ct.dcm", ct, syntax=SYNTAXES[syntax])
    assert all(read_elements(path, ()) == {PIXELS: ""} for path in [*slices, frames])


def test_what_archives_append_and_scanners_invent_is_possible(tmp_path, ct):
    path = dicom_series.write_series(tmp_path, ct)[0]
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(512))
    assert read_elements(path, ()) == {PIXELS: ""}
    at = whole.index(struct.pack("<HH", 0x10, 0x10))
    private = struct.pack("<HH2sH", 0x09, 0x10, b"??", 4) + b"test"
    path.write_bytes(whole[:at] + private + whole[at:])
    assert read_elements(path, ()) == {PIXELS: ""}
