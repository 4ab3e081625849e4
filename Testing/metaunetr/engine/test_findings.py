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
from metaunetr.organs import BY_NUMBER, find


def test_statistics_are_those_of_the_voxels():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (30, 8, 8)).astype(np.uint8)
    hu = rng.integers(-1000, 1000, labels.shape).astype(np.int16)
    statistics = InputStatistics(labels, hu)
    for number in (1, 2, 3):
        voxels, mean, deviation = statistics.of(BY_NUMBER[number])
        inside = hu[labels == number].astype(float)
        assert voxels == len(inside)
        assert (mean, deviation) == pytest.approx((inside.mean(), inside.std()))


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


CASES = {
    "a spleen as it should be": ("spleen", 200, False, False, []),
    "a spleen that is too large": ("spleen", 2000, False, False, ["expected 54 to 629 mL"]),
    "cut off": ("spleen", 200, True, False, ["border"]),
    "no reference volume": ("stomach", 2000, False, False, []),
    "on the wrong side": ("left kidney", 150, False, True, ["wrong side"]),
    "not found": ("gallbladder", 0, False, False, ["not found"]),
}


@pytest.mark.parametrize(("name", "ml", "cut", "wrong", "expected"), CASES.values(), ids=CASES)
def test_flags_tell_what_looks_wrong(name, ml, cut, wrong, expected):
    scores = torch.zeros(2, 20, 20, 20)
    scores[1, 2:12, 2:12, 2:12] = 5 if ml else -5
    findings = ModelFindings(scores, uncertainty=False)
    labels = np.full((1, 1, ml), find(name).number, np.uint8)
    statistics = InputStatistics(labels, np.full(labels.shape, 50, np.int16))
    found = describe(find(name), 1, findings, statistics, 1.0, cut, wrong)
    assert found.volume_ml == ml
    assert len(found.flags) == len(expected)
    assert all(words in flag for words, flag in zip(expected, found.flags, strict=True))


@pytest.mark.parametrize(("calibration", "expected"), [
    (None, 0.9), (Calibration((0.5, 1.0), (0.2, 0.8)), 0.68),
])
def test_a_calibration_turns_confidence_into_the_dice_to_be_expected(calibration, expected):
    scores = torch.zeros(2, 4, 4, 4)
    scores[1] = float(np.log(9))  # against 1: a probability of 0.9
    findings = ModelFindings(scores, uncertainty=False)
    labels = np.full((1, 1, 100), 1, np.uint8)
    statistics = InputStatistics(labels, np.full(labels.shape, 50, np.int16))
    found = describe(find("spleen"), 1, findings, statistics, 1.0, False, False, calibration)
    assert found.confidence == pytest.approx(expected, abs=1e-6)


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
