"""Slices whose elements would give wrong HU are refused, with element and value."""

from __future__ import annotations

import struct
from pathlib import Path

import pydicom
import pytest
from numpy.testing import assert_array_equal

import dicom_series
from metaunetr.errors import InputError
from metaunetr.io import read_image

edit, write_enhanced, write_series = (
    dicom_series.edit, dicom_series.write_enhanced, dicom_series.write_series)

SLOPE, INTERCEPT, SAMPLES, FRAMES, ALLOCATED, STORED, HIGH_BIT, SIGNED = (
    (0x28, 0x1053, b"DS"), (0x28, 0x1052, b"DS"), (0x28, 0x02, b"US"), (0x28, 0x08, b"IS"),
    (0x28, 0x100, b"US"), (0x28, 0x101, b"US"), (0x28, 0x102, b"US"), (0x28, 0x103, b"US"))


def put(path: Path, element: tuple[int, int, bytes], value: bytes | int | None) -> None:
    """Replaces the value of an element of explicit VR, valid or not; None leaves it out."""
    data, tag = path.read_bytes(), struct.pack("<HH2s", *element)
    at = data.index(tag) if tag in data else data.index(struct.pack("<HH2s", 0x28, 0x10, b"US"))
    end = at + 8 + struct.unpack_from("<H", data, at + 6)[0] if tag in data else at
    value = struct.pack("<H", value) if isinstance(value, int) else value
    if value is not None:
        value += b" " * (len(value) % 2)
        value = tag + struct.pack("<H", len(value)) + value
    path.write_bytes(data[:at] + (value or b"") + data[end:])


WRONG = {
    "slope with a comma": (SLOPE, b"0,5", "Rescale Slope must be a number, it is '0,5'"),
    "slope of two numbers": (SLOPE, b"1\\1", r"Rescale Slope must be a number, it is '1\\\\1'"),
    "slope not a number": (SLOPE, b"nan", "Rescale Slope must be a number, it is 'nan'"),
    "slope without end": (SLOPE, b"1e999", "Rescale Slope must be a number, it is '1e999'"),
    "slope of nothing": (SLOPE, b"0.0", "Rescale Slope must be other than 0, it is '0.0'"),
    "slope of Python": (SLOPE, b"1_0", "Rescale Slope must be a number, it is '1_0'"),
    "intercept with a unit": (INTERCEPT, b"-1024 HU", "Rescale Intercept must be a number"),
    "intercept with a comma": (INTERCEPT, b"-1024,0", "Rescale Intercept must be a number"),
    "intercept in hexadecimals": (INTERCEPT, b"0x400", "Rescale Intercept must be a number"),
    "12 bits at the upper end": (HIGH_BIT, 15, r"High Bit must be Bits Stored - 1 \(11\), it is"),
    "bits cut off": (HIGH_BIT, 7, r"High Bit must be Bits Stored - 1 \(11\), it is '7'"),
    "more bits than room": (STORED, 17, r"Bits Stored must be 1 to Bits Allocated \(16\), it is"),
    "no bits": (STORED, 0, "Bits Stored must be 1 to"),
    "bits untold": (STORED, None, "Bits Stored must be a number, it is ''"),
    "packed bits": (ALLOCATED, 12, "Bits Allocated must be one of 8, 16, 32, it is '12'"),
    "a sign of another kind": (SIGNED, 2, "Pixel Representation must be 0 or 1, it is '2'"),
    "sign untold": (SIGNED, None, "Pixel Representation must be a number, it is ''"),
    "several samples": (SAMPLES, 3, "Samples per Pixel must be 1, it is '3'"),
    "frames in words": (FRAMES, b"two", "Number of Frames must be a number, it is 'two'"),
}


@pytest.mark.parametrize(("element", "value", "message"), WRONG.values(), ids=WRONG)
def test_it_is_refused(tmp_path, ct, element, value, message):
    path = write_series(tmp_path, ct)[3]
    put(path, element, value)
    with pytest.raises(InputError, match=message) as refused:
        read_image(tmp_path)
    assert str(path) in str(refused.value)


RIGHT = {
    "exponents and signs": (SLOPE, b" +10.e-1"), "no high bit": (HIGH_BIT, None),
    "no samples": (SAMPLES, None), "no frames": (FRAMES, b""), "one frame": (FRAMES, b"1"),
    "without slope": (SLOPE, None),
}


@pytest.mark.parametrize(("element", "value"), RIGHT.values(), ids=RIGHT)
def test_it_is_read(tmp_path, ct, element, value):
    for path in write_series(tmp_path, ct):
        put(path, element, value)
    assert_array_equal(read_image(tmp_path).array, ct.array)


TABLE = pydicom.Dataset()
TABLE.LUTDescriptor, TABLE.ModalityLUTType, TABLE.LUTData = [2, 0, 16], "HU", bytes(4)
OTHER_UNITS = {
    "optical density": (
        {"RescaleType": "OD"}, r"Rescale Type \(0028,1054\) must be HU, it is 'OD'"),
    "electron density": ({"RescaleType": "EDW"}, r"it is 'EDW' \(electron density relative to"),
    "a table": ({"ModalityLUTSequence": [TABLE], "RescaleSlope": None, "RescaleIntercept": None},
                r"the Modality LUT Sequence \(0028,3000\), which is not supported"),
    "a table beside a slope": ({"ModalityLUTSequence": [TABLE]}, "the Modality LUT Sequence"),
}


@pytest.mark.parametrize(("elements", "message"), OTHER_UNITS.values(), ids=OTHER_UNITS)
@pytest.mark.parametrize("syntax", ["explicit VR", "implicit VR"])
def test_values_that_are_no_hu_are_refused(tmp_path, ct, elements, message, syntax):
    path = write_series(tmp_path, ct, syntax=dicom_series.NATIVE[syntax])[3]
    edit(path, **elements)
    with pytest.raises(InputError, match=message) as refused:
        read_image(tmp_path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(("unit", "warnings"), [
    ("HU", 0), (None, 0), ("", 0), ("hu", 0), ("US", 1), ("HU_MOD", 1), ("normalized", 1),
])
def test_values_of_an_unspecified_unit_are_read_with_a_warning(tmp_path, ct, unit, warnings):
    write_series(tmp_path, ct, RescaleType=unit)
    image = read_image(tmp_path)
    assert_array_equal(image.array, ct.array)
    assert image.warnings == (
        f"Rescale Type (0028,1054) is {unit!r} instead of HU; the values are taken for HU.",
    ) * warnings


def test_a_frame_whose_values_are_no_hu_is_refused(tmp_path, ct):
    path = write_enhanced(tmp_path / "ct.dcm", ct)
    groups = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    groups[4].PixelValueTransformationSequence[0].RescaleType = "Z_EFF"
    edit(path, PerFrameFunctionalGroupsSequence=groups)
    with pytest.raises(InputError, match=r"frame 5: Rescale Type .* must be HU, it is 'Z_EFF'"):
        read_image(path)


@pytest.mark.parametrize(("element", "value"), [("BitsStored", 20), ("HighBit", 15)])
def test_a_multi_frame_file_is_refused_too(tmp_path, ct, element, value):
    path = write_enhanced(tmp_path / "ct.dcm", ct)
    edit(path, **{element: value})
    with pytest.raises(InputError, match=r"ct\.dcm: (Bits Stored|High Bit) must be"):
        read_image(path)


@pytest.mark.parametrize(("thickness", "words"), [
    (b"5 mm", "Slice Thickness must be a number, it is '5 mm'"),
    (b"0 ", "Slice Thickness must be positive, it is 0"),
])
def test_the_thickness_of_a_single_slice_is_a_length(tmp_path, ct, thickness, words):
    paths = write_series(tmp_path, ct)
    for path in paths[1:]:
        path.unlink()
    put(paths[0], (0x18, 0x50, b"DS"), thickness)
    with pytest.raises(InputError, match=words):
        read_image(tmp_path)
