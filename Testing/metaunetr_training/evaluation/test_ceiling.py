"""What a perfect mask reaches after the model spacing and back."""

import numpy as np
import pytest

from analytic import BLOBS, analytic_hu, centred_grid, rotation
from metaunetr.bundle import Preprocessing
from metaunetr.image import Image
from metaunetr_training.evaluation.ceiling import ceilings, restored

EXTENT = (144.0, 132.0, 120.0)


def preprocessing(spacing):
    return Preprocessing((spacing,) * 3, (-175, 250), 0.35, (0.05, 0.02))


def balls(spacing=(2.0, 2.0, 2.0), direction=None):
    grid = centred_grid(spacing, np.eye(3) if direction is None else direction, EXTENT)
    hu = analytic_hu(grid)
    return Image(np.select([np.abs(hu - blob.hu) < 60 for blob in BLOBS], [6, 1]).astype(np.uint8),
                 grid)


def test_at_the_model_spacing_nothing_is_lost():
    reference = balls()
    np.testing.assert_array_equal(restored(reference, preprocessing(2.0)).array, reference.array)
    assert ceilings(reference, preprocessing(2.0), ["liver", "spleen", "aorta"]) == {
        "liver": 1.0, "spleen": 1.0, "aorta": None}


def test_the_coarser_the_model_the_lower_the_ceiling():
    found = [ceilings(balls(), preprocessing(s), ["liver"])["liver"] for s in (3.0, 6.0, 12.0)]
    assert 1 > found[0] > 0.96 > found[1] > 0.9 > found[2] > 0.5


def test_a_plate_thinner_than_half_a_model_voxel_is_lost():
    reference = balls()
    reference.array[:] = 0
    reference.array[20, 20:40, 20:40] = 12
    assert ceilings(reference, preprocessing(6.0), ["right adrenal gland"]) == {
        "right adrenal gland": 0.0}


@pytest.mark.parametrize("direction", [
    np.diag([-1.0, -1.0, 1.0]), np.eye(3)[[2, 0, 1]], rotation((1, 2, 3), 15),
], ids=["flipped", "permuted", "oblique"])
def test_it_holds_for_any_grid(direction):
    upright, other = (ceilings(balls(direction=d), preprocessing(4.0), ["liver", "spleen"])
                      for d in (None, direction))
    assert other == pytest.approx(upright, abs=0.02)
