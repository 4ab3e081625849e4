"""Surfaces of masks: their areas against MONAI's and a sphere's, their distances pair by pair."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from metaunetr.surface import CORNERS, Surface

SPACINGS = [(1.0, 1.0, 1.0), (0.78, 0.78, 5.0), (2.0, 0.5, 1.3)]  # mm along (i, j, k)


def sphere(radius, spacing, margin=2):
    half = [int(radius / s) + margin for s in spacing[::-1]]
    axes = [np.arange(-n, n + 1) * s for n, s in zip(half, spacing[::-1], strict=True)]
    return sum(np.square(axis) for axis in np.meshgrid(*axes, indexing="ij")) <= radius**2


@pytest.mark.parametrize("spacing", SPACINGS)
def test_area_of_a_sphere(spacing):
    area = Surface.of(sphere(20.0, spacing), spacing).areas.sum()
    # The steps between voxels add area: 8 % for cubes, 23 % for slices of 5 mm.
    assert 1.05 < area / (4 * np.pi * 20.0**2) < 1.25


def test_area_of_a_plate_counts_both_sides():
    mask = np.zeros((3, 40, 60), bool)
    mask[1] = True
    area = Surface.of(mask, (0.5, 2.0, 3.0)).areas.sum()
    rim = 2 * (40 * 2.0 + 60 * 0.5) * 3.0
    faces = 2 * 40 * 60 * 0.5 * 2.0
    assert faces < area < faces + rim


@pytest.mark.parametrize("spacing", SPACINGS)
def test_areas_are_those_of_the_released_table(spacing):
    utils = pytest.importorskip("monai.metrics.utils")
    released, kernel = utils.create_table_neighbour_code_to_surface_area(spacing[::-1])
    for pattern in range(1, 255):
        block = np.array([pattern >> bit & 1 for bit in range(8)], bool).reshape(2, 2, 2)
        surface = Surface.of(np.pad(block, 1), spacing)
        areas = np.zeros(surface.elements.shape)
        areas[surface.elements] = surface.areas
        code = int((np.asarray(kernel).reshape(2, 2, 2) * block).sum())
        exact = len(set(spacing)) == 1
        assert areas[2, 2, 2] == pytest.approx(
            float(released[code]), rel=1e-6 if exact else 0.14, abs=1e-6
        )


@pytest.mark.parametrize("spacing", SPACINGS)
def test_distances_are_the_shortest_of_all_pairs(spacing):
    generator = np.random.default_rng(0)
    masks = [generator.random((6, 7, 8)) < density for density in (0.02, 0.4)]
    first, second = (Surface.of(mask, spacing) for mask in masks)
    points = [np.argwhere(s.elements) * np.array(spacing[::-1]) for s in (first, second)]
    distances = cdist(*points)

    np.testing.assert_allclose(first.distances_to(second), distances.min(axis=1), atol=1e-4)
    np.testing.assert_allclose(second.distances_to(first), distances.min(axis=0), atol=1e-4)


def test_a_single_voxel_has_its_eight_corners():
    surface = Surface.of(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    assert surface.elements.all() and surface.elements.shape == (2, 2, 2)
    assert len(surface.areas) == len(CORNERS)
