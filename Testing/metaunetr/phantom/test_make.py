"""`make` returns what was asked for, the same each time."""

import numpy as np
import pytest

from metaunetr import phantom


def test_a_seed_makes_the_same_phantom_each_time():
    first, second = (phantom.make(7, (32, 40, 48)) for _ in range(2))
    assert np.array_equal(first.image.array, second.image.array)
    assert np.array_equal(first.labels.array, second.labels.array)
    assert first.image.grid.same_as(second.image.grid)
    assert first.description == second.description


def test_another_seed_makes_another_phantom(make):
    assert not np.array_equal(make(0).image.array, make(1).image.array)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((40, 48, 64), None),
        (None, (6.0, 6.0, 8.0)),
        ((30, 50, 60), (5.0, 6.0, 7.5)),
        ((1, 32, 32), (10.0, 10.0, 10.0)),
    ],
)
def test_grids_are_as_asked_for(shape, spacing):
    made = phantom.make(3, shape, spacing)
    grid = made.image.grid
    assert made.image.array.dtype == np.int16
    assert made.labels.array.dtype == np.uint8
    assert made.labels.grid.same_as(grid)
    assert np.array_equal(grid.direction, np.eye(3))
    assert shape is None or made.image.array.shape == shape
    assert spacing is None or grid.spacing == spacing
    assert made.labels.array.any()


def test_slices_do_not_depend_on_the_slab_they_are_made_in(monkeypatch):
    from metaunetr.phantom import phantom as module

    whole = phantom.make(2, (8, 32, 40))
    monkeypatch.setattr(module, "_SLAB_POINTS", 1)
    sliced = phantom.make(2, (8, 32, 40))
    assert np.array_equal(whole.labels.array, sliced.labels.array)
    assert np.abs(whole.image.array.astype(int) - sliced.image.array).max() <= 1


@pytest.mark.parametrize("seed", range(2))
def test_the_seed_chooses_the_grid_of_a_clinical_scan(seed):
    from metaunetr.phantom.patient import Patient
    from metaunetr.phantom.phantom import _grid

    grid = _grid(Patient(seed), None, None)
    assert 0.7 <= grid.spacing[0] == grid.spacing[1] <= 0.95
    assert 1.5 <= grid.spacing[2] <= 5.0
    assert 250 < grid.shape[0] * grid.spacing[2] < 330
    assert np.prod(grid.shape) < 60e6
