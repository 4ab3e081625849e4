"""However a CT series is stored, HU and geometry are read exactly; or it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io import read_image

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
AXES, COMPRESSED, NATIVE = dicom_series.AXES, dicom_series.COMPRESSED, dicom_series.NATIVE
Stored, on_axes, write_series = (
    dicom_series.Stored, dicom_series.on_axes, dicom_series.write_series)

STORED = {
    "12 bits": Stored(),
    "12 bits, signed": Stored(intercept=0, signed=True),
    "16 bits": Stored(bits=16),
    "16 bits, signed": Stored(intercept=0, bits=16, signed=True),
    "halves of HU": Stored(0.5, -1024.5, bits=16),
    "steps of two HU": Stored(2, -1024),
    "slope and intercept of each slice": Stored((1, 2, 3), (-1024, -1000), bits=16, signed=True),
    "fractions after whole numbers": Stored((1, 0.5, 0.25), (-1024, -1000), bits=16),
}


@pytest.fixture
def fine(ct: Image) -> Image:
    """A few slices of `ct` with a quarter of HU more, on a fine grid."""
    return Image(ct.array[:6] + 0.25, Grid((6, 40, 48), (0.7421875, 0.75, 2.5), (-120.5, -80.25,
                                                                                  1300.125)))


def read(folder, truth: Image) -> None:
    image = read_image(folder)
    assert_array_equal(image.array, truth.array)
    assert image.grid.same_as(truth.grid)
    assert image.warnings == ()


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_stored_values_become_hu(tmp_path, fine, stored):
    write_series(tmp_path, fine, stored=stored)
    read(tmp_path, stored.kept(fine))


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED])
def test_transfer_syntaxes(tmp_path, fine, syntax):
    stored = STORED["12 bits, signed" if syntax in NATIVE else "12 bits"]
    write_series(tmp_path, fine, stored=stored, syntax=(NATIVE | COMPRESSED)[syntax])
    read(tmp_path, stored.kept(fine))


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_orientations(tmp_path, fine, axes):
    turned = on_axes(fine, axes)
    write_series(tmp_path, turned)
    read(tmp_path, Stored().kept(turned))


HEADERS = {
    "names in latin": {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Jäger^Zoë",
                       "SeriesDescription": "Bäuche"},
    "names in Japanese": {"SpecificCharacterSet": ["", "ISO 2022 IR 87"],
                          "PatientName": "Yamada^Tarou=山田^太郎", "SeriesDescription": "腹部"},
    "names in UTF-8": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Иванов^Иван"},
    "no name, no ID, no descriptions": dict.fromkeys(
        ("PatientName", "PatientID", "SeriesDescription", "SeriesNumber", "InstanceNumber",
         "AcquisitionNumber", "Manufacturer", "SliceThickness")),
    "empty elements": dict.fromkeys(
        ("PatientName", "SeriesDescription", "SliceThickness", "AcquisitionNumber"), ""),
    "an acquisition for each slice": {"AcquisitionNumber": lambda k: k + 1},
    "a time for each slice": {"ContentTime": lambda k: f"1200{k:02d}"},
    "padding far below air": {"PixelPaddingValue": 0},
    "feet first": {"PatientPosition": "FFS"},
    "a secondary capture with rescale": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
}


@pytest.mark.parametrize("elements", HEADERS.values(), ids=HEADERS)
def test_headers_of_all_kinds(tmp_path, fine, elements):
    write_series(tmp_path / "Bauch 腹部", fine, **elements)
    read(tmp_path / "Bauch 腹部", Stored().kept(fine))


def test_private_elements(tmp_path, fine):
    import pydicom

    for path in write_series(tmp_path, fine):
        item = pydicom.dcmread(path)
        block = item.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", b"\1\2\3\4" * 30_000)
        item.save_as(path)
    read(tmp_path, Stored().kept(fine))


def test_files_without_preamble_and_suffix(tmp_path, fine):
    for number, path in enumerate(write_series(tmp_path, fine, preamble=False)):
        path.rename(tmp_path / f"I{number}")
    read(tmp_path, Stored().kept(fine))


PADDED = {  # what is stored in a corner of 5 × 7 pixels, and what the header says of it
    "63536, which is -2000 with a sign": (Stored(bits=16), 63536, {"PixelPaddingValue": 63536}),
    "the brightest of 12 bits": (Stored(), 4095, {"PixelPaddingValue": 4095}),
    "as bright as tissue": (Stored(), 1074, {"PixelPaddingValue": 1074}),
    "in the middle of a range": (Stored(bits=16), 40000, {
        "PixelPaddingValue": 30000, "PixelPaddingRangeLimit": 65535}),
    "in a range that runs downwards": (Stored(bits=16), 40000, {
        "PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 30000}),
    "with a sign": (Stored(intercept=0, bits=16, signed=True), 32000, {
        "PixelPaddingValue": 32767, "PixelPaddingRangeLimit": 31000}),
    "after a slope": (Stored(2, -1024), 4000, {"PixelPaddingValue": 4000}),
}


@pytest.mark.parametrize(("stored", "value", "elements"), PADDED.values(), ids=PADDED)
def test_padding_above_bone_becomes_air(tmp_path, fine, stored, value, elements):
    import pydicom

    paths = write_series(tmp_path, fine, stored=stored, **elements)
    truth = stored.kept(fine).array
    for k, path in enumerate(paths):
        item = pydicom.dcmread(path)
        values = np.frombuffer(item.PixelData, stored.dtype).reshape(40, 48).copy()
        values[:5, :7], truth[k, :5, :7] = value, -1024
        item.PixelData = values.tobytes()
        item.save_as(path)
    assert_array_equal(read_image(tmp_path).array, truth)


def test_metal_as_bright_as_padding_stays(tmp_path, fine):
    hu = fine.array.copy()
    hu[:, 10:18, 10:18] = hu[:, :6, :6] = 3071
    hu[:, 30, 30] = 3071
    write_series(tmp_path, Image(hu, fine.grid), PixelPaddingValue=4095)
    truth = Stored().kept(Image(hu, fine.grid)).array
    truth[:, :6, :6] = -1024
    assert_array_equal(read_image(tmp_path).array, truth)


def test_deflated_slices_are_refused(tmp_path, fine):
    write_series(tmp_path, fine, syntax="1.2.840.10008.1.2.1.99")
    with pytest.raises(InputError, match=r"compressed in an unknown way \(such as deflated\)"):
        read_image(tmp_path)


def test_slices_whose_voxels_lie_elsewhere_are_refused(tmp_path, fine):
    for path in write_series(tmp_path, fine, syntax=COMPRESSED["JPEG 2000 lossless"]):
        jpip = path.read_bytes().replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.94")
        path.write_bytes(jpip)
    with pytest.raises(InputError, match="pixels cannot be read"):
        read_image(tmp_path)


def test_an_inverted_scale_is_refused(tmp_path, fine):
    write_series(tmp_path, fine, PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(InputError, match=r"inverted \(MONOCHROME1\); convert"):
        read_image(tmp_path)


@pytest.mark.parametrize("characters", ["ISO_IR 100", ["", "ISO 2022 IR 100"]])
def test_descriptions_are_shown_in_their_characters(tmp_path, fine, characters):
    for name in ("Bäuche", "Füße"):
        write_series(tmp_path, fine, name, SeriesDescription=name,
                     SpecificCharacterSet=characters)
    with pytest.raises(InputError, match=r"Bäuche, 6 slices.*Füße, 6 slices"):
        read_image(tmp_path)


def test_any_combination_is_read(tmp_path, fine, long):
    """20 series, or 400: any transfer syntax, storage and orientation, drawn by chance."""
    random = np.random.default_rng(5)
    syntaxes, small = NATIVE | COMPRESSED, Image(fine.array[:3, :24, :30], Grid(
        (3, 24, 30), fine.grid.spacing, fine.grid.origin))
    for number in range(400 if long else 20):
        syntax, stored, axes = (
            str(random.choice(list(table))) for table in (syntaxes, STORED, AXES))
        turned = on_axes(small, AXES[axes])
        folder = tmp_path / f"{number} {syntax}, {stored}, {axes}"
        write_series(folder, turned, syntax=syntaxes[syntax], stored=STORED[stored])
        read(folder, STORED[stored].kept(turned))


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED])
def test_a_truncated_slice_never_passes(tmp_path, fine, syntax, long):
    """The last slice is cut: refused, reported in a warning, or no voxel is lost."""
    paths = write_series(tmp_path, fine, syntax=(NATIVE | COMPRESSED)[syntax])
    whole, raw = read_image(tmp_path), paths[-1].read_bytes()
    cuts = range(0, len(raw), max(1, len(raw) // (100 if long else 6)))
    for cut in [*cuts, len(raw) - 1, len(raw) - 8, len(raw) - 9, len(raw) - 30]:
        paths[-1].write_bytes(raw[:cut])
        try:
            image = read_image(tmp_path)
        except InputError:
            continue
        reported = any("may be slices" in text for text in image.warnings)
        assert reported or np.array_equal(image.array, whole.array), cut
