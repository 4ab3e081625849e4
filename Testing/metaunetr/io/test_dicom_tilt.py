"""Series with a tilted gantry: read onto an upright grid, and labels back onto the slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr.image import Grid, Image
from metaunetr.io import read_image, write_labels
from metaunetr.result import Result

from .conftest import rotation
from .test_dicom_seg import referenced_slices, validated

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
write_enhanced, write_series = dicom_series.write_enhanced, dicom_series.write_series



def tilted(image: Image, degrees: float, turn: np.ndarray | None = None) -> Image:
    """`image` as a gantry tilted about the patient's x axis sees it: the table runs along z."""
    angle = np.radians(degrees)
    direction = np.array([[1, 0, 0], [0, np.cos(angle), 0], [0, np.sin(angle), 1]])
    turn = np.eye(3) if turn is None else turn
    return Image(image.array, Grid(image.grid.shape, image.grid.spacing, image.grid.origin,
                                   turn @ direction))


def sheared(image: Image, degrees: float) -> Image:
    """`image` with upright slices that are shifted along their columns."""
    direction = np.eye(3)
    direction[1, 2] = np.tan(np.radians(degrees))
    affine = np.eye(4)
    affine[:3, :3] = direction * image.grid.spacing
    affine[:3, 3] = image.grid.origin
    return Image(image.array, Grid.from_affine(image.grid.shape, affine))


def oblique(image: Image, degrees: float) -> Image:
    """`image` as `tilted`, of a patient who lies at an angle."""
    return tilted(image, degrees, rotation(10, 20, 30))


TILTS = [*((tilted, degrees) for degrees in (5, -5, 10, 20, -20)),
         *((make, degrees) for make in (sheared, oblique) for degrees in (10, -20))]


def places(grid: Grid) -> np.ndarray:
    """LPS mm of all voxels: (3, D, H, W)."""
    k, j, i = np.indices(grid.shape)
    return np.einsum("an,n...->a...", grid.affine[:3], np.stack([i, j, k, np.ones_like(i)]))


@pytest.mark.parametrize(("turn", "decimals"), [
    *(((10, 20, 30), decimals) for decimals in (3, 4, 5, 6)), ((0, 0, 45), 2)])
def test_axes_with_few_decimals_are_no_tilt(tmp_path, ct, monkeypatch, turn, decimals):
    direction = rotation(*turn)
    monkeypatch.setattr(dicom_series, "_axes", lambda grid: [
        f"{value:.{decimals}f}" for value in direction[:, :2].T.ravel()])
    truth = Image(ct.array, replace(ct.grid, direction=direction))
    write_series(tmp_path, truth)
    image = read_image(tmp_path)
    assert image.warnings == () and image.shear is None
    assert_array_equal(image.array, truth.array)
    assert_allclose(image.grid.affine, truth.grid.affine, atol=10.0 ** (1 - decimals))


@pytest.mark.parametrize(("make", "degrees"), TILTS)
def test_hu_lie_where_they_were_measured(tmp_path, ct, make, degrees):
    """A ramp in a direction of its own, which interpolation keeps."""
    slope = np.array([1.7, -2.3, 1.1])  # HU per mm
    truth = make(ct, degrees)
    ramp = np.tensordot(slope, places(truth.grid), 1)
    truth = Image(np.rint(ramp - ramp.min() - 1000).astype(np.int16), truth.grid)
    write_series(tmp_path, truth)
    image = read_image(tmp_path)
    check_slices(image, truth.grid)
    assert_allclose(image.grid.direction.T @ image.grid.direction, np.eye(3), atol=1e-6)
    expected = np.tensordot(slope, places(image.grid), 1) - ramp.min() - 1000
    inside = image.array > -1024
    margin = np.abs(slope @ image.grid.affine[:3, 1]) / 2  # half a voxel beyond the first and last
    assert np.abs(image.array - expected)[inside].max() <= margin + 1.5
    assert np.quantile(np.abs(image.array - expected)[inside], 0.9) <= 1.5
    assert np.count_nonzero(inside) == pytest.approx(ct.array.size, rel=0.03)
    (warning,) = image.warnings
    assert warning.startswith(f"The gantry is tilted by {abs(degrees):.1f}°")


def check_slices(image: Image, grid: Grid) -> None:
    """Labels on the slices come from within half a voxel."""
    back = np.stack([image.shear.slices(axis) for axis in places(image.grid)])
    off = np.einsum("an,a...->n...", image.grid.direction, back - places(grid))
    off /= np.reshape(image.grid.spacing, (3, 1, 1, 1))
    assert np.abs(off[:2]).max() <= 0.5 + 1e-3
    assert np.abs(off[2]).max() <= 1e-3


@pytest.mark.parametrize("degrees", [10, -20])
def test_the_centre_of_exact_labels_does_not_move(tmp_path, ct, degrees):
    """Without a network, whose labels differ more between two samplings of one body."""
    truth = tilted(ct, degrees)
    write_series(tmp_path, truth)
    image = read_image(tmp_path)
    middle = places(truth.grid).mean(axis=(1, 2, 3))
    radius = 0.4 * min(np.array(truth.grid.shape[::-1]) * truth.grid.spacing)
    centres = []
    for grid, on_slices in ((truth.grid, np.asarray), (image.grid, image.shear.slices)):
        away = np.linalg.norm(places(grid) - middle[:, None, None, None], axis=0)
        centres.append(np.argwhere(on_slices(away <= radius)).mean(axis=0))
    assert_allclose(*centres, atol=0.25)


@pytest.mark.parametrize("degrees", [5, -20])
def test_around_the_slices_is_air(tmp_path, ct, degrees):
    write_series(tmp_path, tilted(Image(np.full_like(ct.array, 50), ct.grid), degrees))
    image = read_image(tmp_path)
    assert set(np.unique(image.array)) == {-1024, 50}
    assert np.count_nonzero(image.array == 50) == pytest.approx(ct.array.size, rel=0.03)
    assert (image.array == 50).any(axis=(1, 2)).all()
    assert (image.array == 50).any(axis=(0, 1)).all()


def test_a_multi_frame_file_is_read_in_the_same_way(tmp_path, ct):
    write_series(tmp_path / "slices", tilted(ct, 10))
    slices = read_image(tmp_path / "slices")
    frames = read_image(write_enhanced(tmp_path / "ct.dcm", tilted(ct, 10)))
    assert_array_equal(frames.array, slices.array)
    assert frames.grid.same_as(slices.grid)


@pytest.mark.parametrize("degrees", [0.0, 0.03])
def test_an_upright_gantry_is_left_as_it_is(tmp_path, ct, degrees):
    write_series(tmp_path, tilted(ct, degrees))
    image = read_image(tmp_path)
    assert (image.shear, image.warnings) == (None, ())
    assert_array_equal(image.array, ct.array)


@pytest.mark.parametrize("write", [write_series, lambda folder, image: write_enhanced(
    folder / "ct.dcm", image)], ids=["slices", "frames"])
@pytest.mark.parametrize("degrees", [10, -20])
def test_dicom_seg_has_the_labels_on_the_slices(tmp_path, ct, result, write, degrees):
    hd = pytest.importorskip("highdicom")
    write(tmp_path / "ct", tilted(ct, degrees))
    image = read_image(tmp_path / "ct")
    _, height, width = ct.array.shape
    labels = np.zeros(image.grid.shape, np.uint8)
    labels[:, :height, :width] = result.labels.array
    labels = replace(image, array=labels)
    on_slices = labels.on_slices()
    path = tmp_path / "out.dcm"
    write_labels(path, Result(labels, result.organs, result.record))

    seg = hd.seg.segread(path)
    found, starts = {}, places(tilted(ct, degrees).grid)[:, :, 0, 0]
    for frame, mask in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        k = np.abs(starts - position[:, None]).max(axis=0).argmin()
        assert_allclose(starts[:, k], position, atol=1e-3)
        segment = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        found[int(k), seg.get_segment_description(segment).segment_label] = mask
    expected = {(k, item.organ.name): plane == item.organ.number for item in result.organs
                for k, plane in enumerate(on_slices) if (plane == item.organ.number).any()}
    assert found.keys() == expected.keys()
    for key, mask in expected.items():
        assert_array_equal(found[key], mask)
    assert len(referenced_slices(seg, Result(labels, result.organs, {}))) == np.count_nonzero(
        on_slices.any(axis=(1, 2)))
    assert validated(path) == []
