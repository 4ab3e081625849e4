"""The parts of NIfTI that geometry round trips do not reach."""

from __future__ import annotations

import gzip
from xml.etree import ElementTree

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from image_files import edited
from itk_grid import grid_of
from metaunetr.image import Grid, Image
from metaunetr.io import read_image, read_labels, write_image
from metaunetr.io.nifti import HEADER


def written(path, ct, **fields):
    """`ct` as .nii with header fields overwritten."""
    write_image(path, ct)
    return edited(path, fields)


@pytest.mark.parametrize(("slope", "intercept", "dtype"), [
    (0, 5, np.int16),  # slope 0 means not scaled
    (1, 0, np.int16),
    (np.nan, 0, np.int16),
    (1, -24, np.int16),
    (2, 1, np.int16),
    (40, 0, np.float32),  # beyond int16
    (0.5, -10.25, np.float32),
])
def test_values_are_scaled_as_simpleitk_does(tmp_path, ct, slope, intercept, dtype):
    path = written(tmp_path / "ct.nii", ct, scl_slope=slope, scl_inter=intercept)
    image = read_image(path)
    scaled = bool(slope) and np.isfinite(slope)
    expected = ct.array * float(slope) + intercept if scaled else ct.array
    assert image.array.dtype == dtype
    assert_allclose(image.array, expected)
    if scaled:
        assert_allclose(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), expected)


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (10, 1)])
def test_units_become_millimetres(tmp_path, ct, unit, factor):
    image = read_image(written(tmp_path / "ct.nii", ct, xyzt_units=unit))
    assert_allclose(image.grid.affine[:3], ct.grid.affine[:3] * factor, rtol=1e-6)


def test_a_qform_alone_is_enough(tmp_path, ct):
    path = written(tmp_path / "ct.nii", ct, sform_code=0, srow=np.zeros((3, 4)))
    assert read_image(path).grid.same_as(ct.grid)


def test_an_sform_alone_is_enough(tmp_path, ct):
    path = written(tmp_path / "ct.nii", ct, qform_code=0, quatern=[0, 0, 0], qoffset=[0, 0, 0])
    assert read_image(path).grid.same_as(ct.grid)


def test_trailing_axes_of_one_do_not_matter(tmp_path, ct):
    path = written(tmp_path / "ct.nii", ct, dim=[5, 48, 40, 12, 1, 1, 1, 1])
    assert_array_equal(read_image(path).array, ct.array)


def test_big_endian_files_are_read(tmp_path, ct):
    path = written(tmp_path / "ct.nii", ct)
    raw = path.read_bytes()
    header = np.frombuffer(raw, HEADER, count=1).astype(HEADER.newbyteorder(">"))
    path.write_bytes(header.tobytes() + raw[348:352] + ct.array.astype(">i2").tobytes())
    image = read_image(path)
    assert_array_equal(image.array, ct.array)
    assert image.array.dtype.isnative
    assert image.grid.same_as(ct.grid)


def test_extensions_before_the_voxels_are_skipped(tmp_path, ct):
    path = written(tmp_path / "ct.nii", ct, vox_offset=368)
    raw = path.read_bytes()
    path.write_bytes(raw[:348] + bytes([1, 0, 0, 0]) + bytes(16) + raw[352:])
    assert_array_equal(read_image(path).array, ct.array)


def test_gzip_of_several_members_and_padding_is_read(tmp_path, ct):
    raw = written(tmp_path / "ct.nii", ct).read_bytes()
    members = gzip.compress(raw[:1000]) + gzip.compress(raw[1000:])
    (tmp_path / "ct.nii.gz").write_bytes(members + bytes(512))
    assert_array_equal(read_image(tmp_path / "ct.nii.gz").array, ct.array)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8"])
def test_every_real_type_of_simpleitk_is_read(tmp_path, dtype):
    values = np.array([0, 1, 100, 127], dtype).repeat(30).reshape(4, 5, 6)
    path = tmp_path / "x.nii.gz"
    image = sitk.GetImageFromArray(values)
    image.SetDirection([0, 1, 0, 1, 0, 0, 0, 0, 1])
    sitk.WriteImage(image, str(path))
    back = read_image(path)
    assert back.array.dtype == (np.float32 if dtype[0] == "f" else np.int16)
    assert_array_equal(back.array, values)
    assert back.grid.same_as(grid_of(image))


def test_float_hu_beyond_int16_stay_float(tmp_path):
    values = np.full((4, 5, 6), 40000, np.uint16)
    write_image(tmp_path / "x.nii", Image(values, Grid((4, 5, 6), (1, 1, 1), (0, 0, 0))))
    assert read_image(tmp_path / "x.nii").array.dtype == np.float32


def test_label_maps_name_their_labels(tmp_path, ct):
    """In a header extension, which other programs skip."""
    labels = Image((np.arange(ct.array.size) % 3).astype(np.uint8).reshape(ct.array.shape),
                   ct.grid, organs=frozenset({2, 6, 200}))
    path = tmp_path / "labels.nii.gz"
    write_image(path, labels)
    raw = gzip.decompress(path.read_bytes())
    assert raw[348:352] == b"\1\0\0\0"
    size, code = np.frombuffer(raw, "<i4", 2, 352)
    assert (code, size % 16, np.frombuffer(raw, HEADER, 1)[0]["vox_offset"]) == (0, 0, 352 + size)
    table = ElementTree.fromstring(raw[360:352 + size]).find("VolumeInformation/LabelTable")
    assert [(label.get("Key"), label.text) for label in table] == [
        ("2", "right kidney"), ("6", "liver")]
    assert [round(255 * float(table[1].get(channel))) for channel in ("Red", "Green", "Blue")] == [
        221, 130, 101]
    assert_array_equal(read_labels(path).array, labels.array)
    assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), labels.array)
