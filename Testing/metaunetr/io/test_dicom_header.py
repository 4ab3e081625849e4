"""Elements are those of the data set, and no memory is taken for what a damaged header claims."""

from __future__ import annotations

import struct
import warnings
from unittest.mock import Mock

import pytest
from numpy.testing import assert_array_equal

from metaunetr import library_messages
from metaunetr.errors import InputError
from metaunetr.io import read_image
from metaunetr.io.dicom import header
from metaunetr.io.dicom.header import read_header

pydicom = pytest.importorskip("pydicom")
dicom_series = pytest.importorskip("dicom_series", reason="files are written with pydicom")
Dataset, DataElement = pydicom.dataset.Dataset, pydicom.DataElement
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
    assert read_header(path) is None
    with pytest.raises(InputError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize(("size", "words"), [(65535, "more than any CT"), (8192, "cannot hold")])
def test_slices_that_claim_more_pixels_than_they_hold_are_refused(tmp_path, ct, size, words):
    for path in dicom_series.write_series(tmp_path, ct):
        dicom_series.edit(path, Rows=size, Columns=size)
    with pytest.raises(InputError, match=words):
        read_image(tmp_path)


@pytest.mark.parametrize("has_mmap", [True, False])
def test_what_archives_append_and_scanners_invent_is_possible(tmp_path, ct, monkeypatch, has_mmap):
    if not has_mmap:
        monkeypatch.setattr(header, "mmap", Mock(side_effect=OSError))
    path = dicom_series.write_series(tmp_path, ct)[0]
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(512))
    assert read_header(path)
    at = whole.index(struct.pack("<HH", 0x10, 0x10))
    private = struct.pack("<HH2sH", 0x09, 0x10, b"??", 4) + b"test"
    path.write_bytes(whole[:at] + private + whole[at:])
    assert read_header(path)


def test_an_empty_element_of_an_invalid_kind_is_no_text(tmp_path, ct):
    path = dicom_series.write_series(tmp_path, ct)[0]
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HH2s", 0x08, 0x16, b"UI"), 300)
    (length,) = struct.unpack_from("<H", data, at + 6)
    data[at : at + 8 + length] = struct.pack("<HH2sH", 0x08, 0x16, b"ZZ", 0)
    path.write_bytes(data)
    assert read_header(path).text("SOPClassUID") == ""


def test_a_file_without_pixels_is_parsed_once(tmp_path, ct, monkeypatch):
    path = dicom_series.write_series(tmp_path, ct)[0]
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    dataset.save_as(path)
    parse = Mock(side_effect=header._elements)
    monkeypatch.setattr(header, "_elements", parse)
    assert read_header(path) is None
    assert parse.call_count == 1


def nested(uid: str) -> Dataset:
    """A sequence of an item with an UID, and one in it; both have pixels of their own."""
    inner, outer = Dataset(), Dataset()
    inner.SeriesInstanceUID = outer.SeriesInstanceUID = uid
    inner.Rows = outer.Rows = 2
    inner.PixelData = outer.PixelData = bytes(8)
    inner["PixelData"].VR = outer["PixelData"].VR = "OW"
    outer.SourceImageSequence = [inner]
    outer.add(DataElement(0x7FE10010, "LO", ""))  # the last, and empty
    return outer


def with_delimiters(dataset: Dataset) -> None:
    """Lengths of all sequences and items are written as undefined."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                with_delimiters(item)


@pytest.mark.parametrize("syntax", [*dicom_series.NATIVE, "RLE"])
@pytest.mark.parametrize("delimiters", [False, True])
def test_elements_of_sequences_are_not_those_of_the_data_set(tmp_path, ct, syntax, delimiters):
    path = dicom_series.write_series(
        tmp_path, ct, syntax=SYNTAXES[syntax], SeriesInstanceUID="1.2.3",
        ReferencedStudySequence=[nested("1.2.9")], IconImageSequence=[nested("1.2.9")])[0]
    if delimiters:
        dataset = pydicom.dcmread(path)
        with_delimiters(dataset)
        dataset.save_as(path)
    found = read_header(path)
    assert (found.series, found.size, found.text("Modality")) == (
        "1.2.3", ct.grid.shape[:0:-1], "CT")
    assert_array_equal(read_image(path).array, ct.array)


NUMBERS = {  # syntax, kind, Pixel Representation, number
    "unsigned": ("explicit VR", "US", 0, 63536), "signed": ("explicit VR", "SS", 1, -2000),
    "implicit, unsigned": ("implicit VR", "US", 0, 63536),
    "implicit, signed": ("implicit VR", "SS", 1, -2000),
    "big endian": ("big endian", "US", 0, 63536),
}


@pytest.mark.parametrize(("syntax", "kind", "sign", "number"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_have_their_sign(tmp_path, ct, syntax, kind, sign, number):
    path = dicom_series.write_series(
        tmp_path, ct, syntax=SYNTAXES[syntax], PixelRepresentation=sign,
        PixelPaddingValue=DataElement(0x00280120, kind, number))[0]
    assert read_header(path).text("PixelPaddingValue") == str(number)


@pytest.mark.parametrize("name", [b"undefined", b"hex", b"ISO_IR 999", b"\\\\\xe4"])
def test_a_character_set_that_is_none_is_ignored(tmp_path, ct, name, capsys):
    path = dicom_series.write_series(
        tmp_path, ct, SpecificCharacterSet="ISO_IR 100", SeriesDescription="Bauch mit Ä")[0]
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", name.ljust(10)))
    with library_messages.shown(), warnings.catch_warnings():
        warnings.simplefilter("always")
        assert read_header(path).text("SeriesDescription").startswith("Bauch mit ")
    assert not capsys.readouterr().err


def test_files_of_zeros_are_no_dicom(tmp_path):
    (tmp_path / "slice.dcm").write_bytes(bytes(5000))
    assert read_header(tmp_path / "slice.dcm") is None
