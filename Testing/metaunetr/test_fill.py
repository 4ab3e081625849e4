"""Fill becomes air; tissue and metal of the same value do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from disguises import circle, darkness, masked, rim, squares
from metaunetr import phantom
from metaunetr.fill import AIR, as_air
from metaunetr.image import Grid, Image


@pytest.fixture(scope="module")
def ct() -> Image:
    return phantom.make(0, spacing=(2.5, 2.5, 20.0)).image


def of(ct: Image, hu: np.ndarray) -> Image:
    return Image(hu, Grid(hu.shape, ct.grid.spacing, (0, 0, 0)))


@pytest.mark.parametrize("value", [-100, 0, 40, 3071, 30000])
@pytest.mark.parametrize("place", [circle, squares, rim, masked])
def test_fill_at_the_border_becomes_air_and_nothing_else_does(ct, place, value):
    filled = place(ct.array, value)
    changed = filled != ct.array
    array = as_air(of(ct, filled)).array
    assert (array[changed] == AIR).mean() > 0.99
    assert (array[~changed] == ct.array[~changed]).mean() > 0.999


def test_gas_that_was_masked_in_the_body_becomes_air(ct):
    array = as_air(of(ct, darkness(ct.array, 0))).array
    assert (array[ct.array < -300] == AIR).mean() > 0.99
    assert (array[ct.array > -200] == ct.array[ct.array > -200]).mean() > 0.999


def test_metal_as_bright_as_the_fill_stays(ct):
    hu = ct.array.copy()
    hu[:, 60:70, 60:70] = 3071
    array = as_air(of(ct, circle(hu, 3071))).array
    assert (array[:, 60:70, 60:70] == 3071).all()
    assert (array[:, 0, 0] == AIR).all()


@pytest.mark.parametrize("hu", [
    lambda hu: hu, lambda hu: circle(hu, -2000), lambda hu: masked(hu, -1024),
    lambda hu: np.clip(hu, -160, 240), lambda hu: np.where(hu > 200, 3071, hu),
], ids=["a CT", "padding", "a dark mask", "clipped", "metal"])
def test_what_has_no_fill_is_left_as_it_is(ct, hu):
    image = of(ct, hu(ct.array).astype(np.int16))
    assert as_air(image) is image


def test_the_image_itself_does_not_change(ct):
    filled = circle(ct.array, 0)
    before = filled.copy()
    as_air(of(ct, filled))
    assert_array_equal(filled, before)
