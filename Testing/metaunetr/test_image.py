"""Grids: where voxels lie."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose

from metaunetr.image import Grid, Image

C, S = np.cos(0.4), np.sin(0.4)
OBLIQUE = np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]])
DIRECTIONS = {
    "identity": np.eye(3), "RAS": np.diag([-1.0, -1, 1]), "left-handed": np.diag([1.0, 1, -1]),
    "sagittal": np.eye(3)[[2, 0, 1]], "oblique": OBLIQUE,
}


def grid(direction=OBLIQUE, shape=(7, 6, 5), spacing=(0.7, 0.8, 2.5), origin=(-10, 20.5, 300)):
    return Grid(shape, spacing, origin, direction)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_the_affine_is_the_one_of_itk(direction):
    mine = grid(direction)
    image = sitk.Image([5, 6, 7], sitk.sitkUInt8)
    image.SetSpacing(mine.spacing)
    image.SetOrigin(mine.origin)
    image.SetDirection(direction.ravel())
    for index in [(0, 0, 0), (4, 0, 0), (0, 5, 0), (1, 2, 6)]:
        assert_allclose((mine.affine @ [*index, 1])[:3],
                        image.TransformIndexToPhysicalPoint(index))


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_a_grid_comes_back_from_its_affine(direction):
    back = Grid.from_affine((7, 6, 5), grid(direction).affine)
    assert back.shape == (7, 6, 5)
    assert_allclose(back.spacing, (0.7, 0.8, 2.5))
    assert_allclose(back.affine, grid(direction).affine)


def test_a_voxel_has_its_volume_in_ml():
    assert grid().voxel_volume == pytest.approx(0.7 * 0.8 * 2.5 / 1000)
    sheared = np.array([[1, 0, 0.6], [0, 1, 0], [0, 0, 0.8]])
    assert grid(sheared).voxel_volume == pytest.approx(0.7 * 0.8 * 2.5 * 0.8 / 1000)


@pytest.mark.parametrize(("changes", "same"), [
    ({}, True),
    ({"origin": (-10.0005, 20.5, 300)}, True),
    ({"origin": (-10.01, 20.5, 300)}, False),
    ({"spacing": (0.7, 0.8, 2.501)}, False),  # 7 µm after seven slices
    ({"shape": (7, 6, 4)}, False),
    ({"direction": np.eye(3)}, False),
])
def test_grids_are_compared_by_the_places_of_their_voxels(changes, same):
    assert grid().same_as(grid(**changes)) is same


def test_voxels_and_grid_must_fit():
    with pytest.raises(ValueError, match=r"\(5, 6, 7\) and \(7, 6, 5\)"):
        Image(np.zeros((5, 6, 7)), grid())


@pytest.mark.parametrize(("arguments", "name"), [
    (((7, 6, 5), (1, 1, 1), np.eye(3), (0, 0, 0)), "origin"),  # and direction exchanged
    (((7, 6, 5), (1, 1), (0, 0, 0)), "spacing"),
    (((6, 5), (1, 1, 1), (0, 0, 0)), "shape"),
    (((7, 6, 5), (1, 1, 1), (0, 0, 0), np.eye(4)), "direction"),
])
def test_a_wrong_number_of_values_is_refused(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} of a grid must have"):
        Grid(*arguments)
