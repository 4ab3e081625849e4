import math

import numpy as np
import pytest
import torch

from metaunetr.calibration import Calibration
from metaunetr.engine.findings import (
    InputStatistics,
    ModelFindings,
    at_border,
    describe,
    swapped_sides,
)
from metaunetr.image import Grid
from metaunetr.organs import BY_NUMBER, find


def test_statistics_are_those_of_the_voxels():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (30, 8, 8)).astype(np.uint8)
    hu = rng.integers(-1000, 1000, labels.shape).astype(np.int16)
    statistics = InputStatistics(labels, hu)
    for number in (1, 2, 3):
        voxels, mean, deviation, spread = statistics.of(BY_NUMBER[number])
        inside = hu[labels == number].astype(float)
        assert voxels == len(inside)
        assert (mean, deviation) == pytest.approx((inside.mean(), inside.std()))
        assert spread == pytest.approx(np.subtract(*np.percentile(inside, (75, 25))), abs=20)


def test_confidence_is_the_mean_probability_of_the_winner():
    scores = torch.randn(3, 40, 6, 6, generator=torch.Generator().manual_seed(2))
    findings = ModelFindings(scores, uncertainty=True)
    probability, winner = scores.softmax(0).max(0)
    for channel in range(3):
        assert findings.confidence(channel) == pytest.approx(
            probability[winner == channel].mean().item(), abs=1e-5
        )
    assert np.array_equal(findings.classes, winner.numpy())
    p = scores.softmax(0)
    entropy = -(p * p.log()).sum(0) / np.log(3) * 100
    torch.testing.assert_close(findings.entropy, entropy)


def described(name, probability, ml, calibration=None):
    """The entry of an organ of `ml` voxels of 1 mL that the model is so sure of."""
    scores = torch.zeros(2, 12, 12, 12)
    scores[1] = -10
    scores[1, 2:10, 2:10, 2:10] = float(np.log(probability / (1 - probability)))
    findings = ModelFindings(scores, uncertainty=False)
    labels = np.full((1, 1, max(1, ml)), find(name).number if ml else 0, np.uint8)
    statistics = InputStatistics(labels, np.full(labels.shape, 50, np.int16))
    grid = Grid((40, 1, 1), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    (found,) = describe({1: find(name)}, findings, statistics, grid, 3.0, set(), set(), calibration)
    return found


@pytest.mark.parametrize(("calibration", "expected", "doubts"), [
    (None, 0.9, 0), (Calibration((0.5, 1.0), (0.2, 0.8)), 0.68, 1),
    (Calibration((0.5, 1.0), (0.8, 1.0)), 0.96, 0),
])
def test_a_calibration_turns_confidence_into_the_dice_to_be_expected(calibration, expected, doubts):
    found = described("spleen", 0.9, 200, calibration)
    assert found.confidence == pytest.approx(expected, abs=1e-6)
    assert len(found.doubts) == doubts


def test_what_is_not_found_is_nothing_else():
    """Also where the scores name it between the voxels of the input."""
    found = described("spleen", 0.9, 0)
    assert (found.voxels, found.volume_ml, found.flags) == (0, 0, ("not found",))
    assert math.isnan(found.confidence) and math.isnan(found.hu_mean)


def test_the_expected_dice_counts_what_was_narrowly_lost():
    scores = torch.full((2, 10, 4, 4), -9.0)
    scores[0] = 0
    scores[1, :4] = 9  # sure of four slices, and of three more nearly
    assert ModelFindings(scores, uncertainty=False).expected_dice(1) == pytest.approx(1, abs=0.01)
    scores[1, 4:7] = float(np.log(0.49 / 0.51))
    findings = ModelFindings(scores, uncertainty=False)
    assert findings.confidence(1) == pytest.approx(1, abs=0.01)
    assert findings.expected_dice(1) == pytest.approx(2 * 4 / (4 + 4 + 3 * 0.49), abs=0.01)


@pytest.mark.parametrize("face", [(0, 0), (0, -1), (1, 0), (1, -1), (2, 0), (2, -1)])
def test_every_face_counts_as_the_border(face):
    labels = np.zeros((6, 7, 8), np.uint8)
    labels[2:4, 2:4, 2:4] = 3
    assert at_border(labels) == {0}
    np.moveaxis(labels, face[0], 0)[face[1], 3, 3] = 5
    assert at_border(labels) == {0, 5}


@pytest.mark.parametrize(("right_at", "left_at", "swapped"), [(2, 15, 0), (15, 2, 1)])
def test_right_and_left_are_told_apart(right_at, left_at, swapped):
    classes = np.zeros((5, 5, 20), np.uint8)  # W runs from right to left
    classes[:, :, right_at : right_at + 3] = 1
    classes[:, :, left_at : left_at + 3] = 2
    assert len(swapped_sides(classes, {"right kidney": 1, "left kidney": 2})) == swapped
    assert swapped_sides(classes, {"right kidney": 1}) == []
