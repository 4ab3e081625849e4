"""NRRD and MetaImage as other programs write them: read as SimpleITK reads them."""

from __future__ import annotations

import gzip
import re
import zlib

import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from image_files import META, NRRD, RAW, VOXELS, mha, nrrd
from itk_grid import grid_of
from metaunetr.io import read_image

BIG = VOXELS.astype(">i2").tobytes()


@pytest.mark.parametrize(("write", "changes", "data"), [
    (nrrd, {}, RAW),
    (nrrd, {"space": "right-anterior-superior"}, RAW),
    pytest.param(nrrd, {"space": "LAS"}, RAW, marks=pytest.mark.skipif(
        sitk.__version__.startswith("2.4."), reason="SimpleITK 2.4 takes LAS for RAS")),
    (nrrd, {"space origin": None}, RAW),
    (nrrd, {"space directions": "(0, 2, 0) ( 1.5,0,0) (0,0,-3e0)"}, RAW),
    (nrrd, {"endian": "big"}, BIG),
    (nrrd, {"type": "signed short int"}, RAW),
    (nrrd, {"type": "uint8", "endian": None}, bytes(range(120))),
    (nrrd, {"encoding": "gzip"}, gzip.compress(RAW)),
    (nrrd, {"encoding": "gz", "endian": "big"}, gzip.compress(BIG)),
    (nrrd, {"byte skip": "-1"}, b"something else" + RAW),
    (nrrd, {"byte skip": "14"}, b"something else" + RAW),
    (nrrd, {"kinds": "domain domain domain", "space units": '"mm" "mm" "mm"'}, RAW),
    (mha, {}, RAW),
    (mha, {"BinaryDataByteOrderMSB": "True"}, BIG),
    (mha, {"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "True"}, BIG),
    (mha, {"TransformMatrix": None, "Offset": None}, RAW),
    (mha, {"Offset": None, "Position": "1 2 3"}, RAW),
    (mha, {"ElementSpacing": None, "ElementSize": "2 1.5 3"}, RAW),
    (mha, {"ElementType": "MET_UCHAR", "BinaryDataByteOrderMSB": None}, bytes(range(120))),
    (mha, {"CompressedData": "True", "CompressedDataSize": str(len(zlib.compress(RAW)))},
     zlib.compress(RAW)),
    (mha, {"HeaderSize": "-1"}, b"something else" + RAW),
    (mha, {"Comment": "spleen = large"}, RAW),
], ids=lambda value: ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict)
    else "")
def test_a_header_of_another_program(tmp_path, write, changes, data):
    windows = read_image(write(tmp_path, changes, data, "\r\n"))
    path = write(tmp_path, changes, data)
    for image in (windows, read_image(path)):
        if "HeaderSize" in changes:  # SimpleITK does not read it
            assert_array_equal(image.array, VOXELS)
            continue
        expected = sitk.ReadImage(str(path))
        assert_array_equal(image.array, sitk.GetArrayFromImage(expected))
        assert_allclose(image.grid.affine, grid_of(expected).affine, atol=1e-12)


def scaled(texts: dict[str, str], keys: tuple[str, ...], factor: float) -> dict[str, str]:
    """Some fields of a header with every number multiplied."""
    return {key: re.sub(r"-?[\d.]+", lambda number: f"{float(number[0]) * factor:.12g}", texts[key])
            for key in keys}


@pytest.mark.parametrize(("unit", "mm"), [
    ("cm", 10), ("m", 1000), ("um", 0.001), ("µm", 0.001), ("Millimeters", 1), ("?", 1), ("", 1),
])
@pytest.mark.parametrize(("write", "texts", "keys", "units"), [
    (nrrd, NRRD, ("space directions", "space origin"), {"space units": '"{0}" "{0}" "{0}"'}),
    (mha, META, ("ElementSpacing", "Offset"), {"DistanceUnits": "{0}"}),
])
def test_lengths_are_in_the_unit_of_the_header(tmp_path, write, texts, keys, units, unit, mm):
    expected = read_image(write(tmp_path, {}, RAW)).grid
    changes = {key: text.format(unit) for key, text in units.items()}
    image = read_image(write(tmp_path, scaled(texts, keys, 1 / mm) | changes, RAW))
    assert_allclose(image.grid.affine, expected.affine, rtol=1e-9)


def test_each_axis_of_space_has_a_unit_of_its_own(tmp_path):
    expected = read_image(nrrd(tmp_path, {}, RAW)).grid
    image = read_image(nrrd(tmp_path, {
        "space units": '"cm" "mm" "m"', "space origin": "(-0.7,8.5,0.009)",
        "space directions": "(0,2,0) (0.15,0,0) (0,0,-0.003)"}, RAW))
    assert_allclose(image.grid.affine, expected.affine, rtol=1e-9)
