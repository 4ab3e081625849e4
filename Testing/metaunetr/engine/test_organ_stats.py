import dataclasses
import math

import numpy as np
import pytest
import torch

from analytic import HuBins, make_bundle
from metaunetr.calibration import Calibration, Curve
from metaunetr.engine.organ_stats import (
    Prediction,
    VoxelStats,
    at_border,
    organ_stats,
    swapped_sides,
)
from metaunetr.image import Grid, Shear
from metaunetr.organs import BY_NUMBER, find
from metaunetr.result import CUT_OFF


def test_voxels_and_hu():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (30, 8, 8)).astype(np.uint8)
    hu = rng.integers(-1000, 1000, labels.shape).astype(np.int16)
    stats = VoxelStats(labels, hu)
    for number in (1, 2, 3):
        voxels, mean, deviation, spread = stats.of(BY_NUMBER[number])
        inside = hu[labels == number].astype(float)
        assert voxels == len(inside)
        assert (mean, deviation) == pytest.approx((inside.mean(), inside.std()))
        assert spread == pytest.approx(np.subtract(*np.percentile(inside, (75, 25))), abs=20)


def test_confidence_is_the_mean_probability_of_the_winner():
    logits = torch.randn(3, 40, 6, 6, generator=torch.Generator().manual_seed(2))
    prediction = Prediction(logits, entropy=True)
    p = logits.softmax(0)
    probability, winner = p.max(0)
    for channel in range(3):
        assert prediction.confidence(channel) == pytest.approx(
            probability[winner == channel].mean().item(), abs=1e-5)
    assert np.array_equal(prediction.classes, winner.numpy())
    torch.testing.assert_close(prediction.entropy, -(p * p.log()).sum(0) / np.log(3) * 100)


def spleen(probability, ml, calibration=None):
    """The statistics of a spleen of `ml` voxels of 1 mL that has this probability."""
    labels = np.full((1, 1, max(1, ml)), find("spleen").number if ml else 0, np.uint8)
    return spleen_of(labels, probability, calibration)


def spleen_of(labels, probability=0.9, calibration=None, shear=None):
    """The statistics of the spleen in labels on voxels of 1 mL."""
    logits = torch.zeros(2, 12, 12, 12)
    logits[1] = -10
    logits[1, 2:10, 2:10, 2:10] = float(np.log(probability / (1 - probability)))
    grid = Grid((40, 1, 1), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    bundle = dataclasses.replace(make_bundle(HuBins()), calibration=calibration)
    (found,), _ = organ_stats({1: find("spleen")}, Prediction(logits), labels,
                              np.full(labels.shape, 50, np.int16), grid, bundle, shear)
    return found


@pytest.mark.parametrize(("calibration", "expected", "low"), [
    (None, 0.9, False),
    (Curve((0.5, 1.0), (0.2, 0.8)), 0.68, True),
    (Calibration(0.0, 0.5, 0.0), 0.75, False),
    (Calibration(-math.log(200), 0.5, 1.0), 0.75, False),
    (Calibration(-math.log(300), 0.5, 1.0), 2 / 3, True),
])
def test_a_calibration_turns_confidence_and_volume_into_the_expected_dice(
    calibration, expected, low
):
    found = spleen(0.9, 200, calibration)
    assert found.confidence == pytest.approx(expected, abs=1e-6)
    assert any("confidence" in flag for flag in found.flags) == low


def test_an_organ_without_voxels_has_the_one_flag_not_found():
    """Also where it lies between the voxels of the image."""
    found = spleen(0.9, 0)
    assert (found.voxels, found.volume_ml, found.flags) == (0, 0, ("not found",))
    assert math.isnan(found.confidence) and math.isnan(found.hu_mean)


def test_every_face_is_the_border():
    for axis in range(3):
        for end in (0, -1):
            labels = np.zeros((6, 7, 8), np.uint8)
            labels[2:4, 2:4, 2:4] = 3
            np.moveaxis(labels, axis, 0)[end, 3, 3] = 5
            assert at_border(labels) == {0, 5}, (axis, end)


@pytest.mark.parametrize("first", [0, 1])
def test_the_border_of_a_tilted_image_is_that_of_its_slices(first):
    shear = Shear((10, 10), np.array([(k / 2, 0) for k in range(12)]))
    slices = np.zeros((12, 10, 10), np.uint8)
    slices[4:8, first:6, 2:8] = find("spleen").number
    found = spleen_of(shear.upright(slices, 0), shear=shear)
    assert (CUT_OFF in found.flags) == (first == 0)


@pytest.mark.parametrize(("right_at", "left_at", "swapped"), [(2, 15, 0), (15, 2, 1)])
def test_swapped_sides_are_found(right_at, left_at, swapped):
    classes = np.zeros((5, 5, 20), np.uint8)  # W runs from right to left
    classes[:, :, right_at : right_at + 3] = 1
    classes[:, :, left_at : left_at + 3] = 2
    assert len(swapped_sides(classes, {"right kidney": 1, "left kidney": 2})) == swapped
    assert swapped_sides(classes, {"right kidney": 1}) == []
