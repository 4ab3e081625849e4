"""Voxels and their places survive every format, and agree with SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from itk_grid import grid_of
from metaunetr.image import Grid, Image
from metaunetr.io import read_image, read_labels, write_image, write_labels
from metaunetr.result import Result


def turned(degrees: float, axis: int) -> np.ndarray:
    a, b = [n for n in range(3) if n != axis]
    matrix = np.eye(3)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix[[a, a, b, b], [a, b, a, b]] = c, -s, s, c
    return matrix


GRIDS = {
    "LPS": np.eye(3),
    "RAS": np.diag([-1.0, -1, 1]),
    "left-handed": np.diag([1.0, 1, -1]),
    "left-handed RPI": np.diag([-1.0, 1, -1]),
    "sagittal": np.eye(3)[[2, 0, 1]],
    "coronal, left-handed": np.eye(3)[[0, 2, 1]],
    "oblique": turned(17, 0) @ turned(-33, 1) @ turned(8, 2),
    "oblique, left-handed": turned(12, 0) @ turned(25, 2) @ np.diag([1.0, -1, 1]),
    "half a turn": turned(180, 0),
    "nearly a sixth": turned(59.7, 2) @ turned(121, 0),
}
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
SHAPE, SPACING, ORIGIN = (6, 9, 11), (0.7421875, 0.8125, 3.2), (-187.351, 42.777, -901.25)


@pytest.mark.parametrize("direction", GRIDS.values(), ids=GRIDS.keys())
def test_an_image_comes_back_at_its_place(tmp_path, direction):
    array = np.random.default_rng(1).integers(-1024, 3071, SHAPE).astype(np.int16)
    image = Image(array, Grid(SHAPE, SPACING, ORIGIN, direction))
    for suffix in SUFFIXES:
        path = tmp_path / f"image{suffix}"
        write_image(path, image)
        back, reference = read_image(path), sitk.ReadImage(str(path))
        assert back.array.dtype == np.int16
        for voxels in (back.array, sitk.GetArrayFromImage(reference)):
            assert_array_equal(voxels, array, suffix)
        for grid in (back.grid, grid_of(reference)):
            assert_allclose(grid.affine, image.grid.affine, rtol=1e-6, atol=1e-5, err_msg=suffix)


@pytest.mark.parametrize("direction", GRIDS.values(), ids=GRIDS.keys())
def test_files_of_simpleitk_are_read_as_it_reads_them(tmp_path, direction):
    array = np.random.default_rng(2).integers(0, 17, SHAPE).astype(np.uint8)
    written = sitk.GetImageFromArray(array)
    written.SetSpacing(SPACING)
    written.SetOrigin(ORIGIN)
    written.SetDirection(direction.ravel())
    for suffix in SUFFIXES:
        path = tmp_path / f"labels{suffix}"
        sitk.WriteImage(written, str(path))
        back = read_labels(path)
        assert_array_equal(back.array, array, suffix)
        assert_allclose(back.grid.affine, grid_of(written).affine, rtol=1e-6, atol=1e-5,
                        err_msg=suffix)


@pytest.mark.parametrize("suffix", [".seg.nrrd", *SUFFIXES])
def test_labels_come_back_at_their_place(tmp_path, result, suffix):
    grid = Grid(result.labels.grid.shape, SPACING, ORIGIN, GRIDS["oblique, left-handed"])
    path = tmp_path / f"labels{suffix}"
    write_labels(path, Result(Image(result.labels.array, grid), result.organs, result.record))
    back = read_labels(path)
    assert_array_equal(back.array, result.labels.array)
    assert back.array.dtype == np.uint8
    assert_allclose(back.grid.affine, grid.affine, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("direction", GRIDS.values(), ids=GRIDS.keys())
def test_a_dicom_series_lies_where_simpleitk_says(tmp_path, ct, write_series, direction):
    grid = Grid(ct.grid.shape, SPACING, ORIGIN, direction)
    paths = write_series(tmp_path, Image(ct.array, grid))
    image = read_image(tmp_path)

    # Slices are put in the order of a right-handed grid, whatever way they were numbered.
    backwards = np.linalg.det(direction) < 0
    assert_array_equal(image.array, ct.array[::-1] if backwards else ct.array)
    assert list(image.dicom_files) == [str(p) for p in (paths[::-1] if backwards else paths)]
    corner = (grid.affine @ [0, 0, len(paths) - 1 if backwards else 0, 1])[:3]
    assert_allclose(image.grid.origin, corner, atol=1e-5)
    assert_allclose(np.abs(np.linalg.det(image.grid.affine)), np.prod(SPACING), rtol=1e-6)
    itk = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    assert_allclose(image.grid.affine, grid_of(itk).affine, atol=1e-5)


def test_paths_may_be_long_and_in_any_script(tmp_path, ct):
    folder = tmp_path / "Ärzte Ordner 患者" / ("x" * 200) / ("ы" * 100)
    folder.mkdir(parents=True)
    for suffix in SUFFIXES:
        path = folder / f"Müller – 山田 № 1{suffix}"
        write_image(path, ct)
        assert_array_equal(read_image(path).array, ct.array)
