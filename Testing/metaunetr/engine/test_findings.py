import numpy as np
import pytest
import torch

from metaunetr.engine.findings import (
    InputStatistics,
    ModelFindings,
    at_border,
    count_parts,
    describe,
    swapped_sides,
)
from metaunetr.organs import find


def box(*ranges, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*part) for part in ranges)] = True
    return mask


ONE = box((2, 12), (2, 12), (2, 12))
PARTS = {
    "nothing": (np.zeros((5, 5, 5), bool), 0),
    "one": (ONE, 1),
    "a speck beside it": (ONE | box((15, 16), (15, 16), (15, 16)), 1),
    "two halves": (ONE | box((14, 20), (14, 20), (14, 20)), 2),
    "touching by a corner": (box((0, 5), (0, 5), (0, 5)) | box((5, 10), (5, 10), (5, 10)), 1),
}


@pytest.mark.parametrize(("mask", "parts"), PARTS.values(), ids=PARTS)
def test_parts_are_connected_pieces_that_matter(mask, parts):
    assert count_parts(mask) == parts


def test_statistics_are_those_of_the_voxels():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (30, 8, 8)).astype(np.uint8)
    hu = rng.integers(-1000, 1000, labels.shape).astype(np.int16)
    statistics = InputStatistics(4)
    for slab, values in zip(labels, hu, strict=True):
        statistics.take(slab, values)
    for channel in (1, 2, 3):
        voxels, mean, deviation = statistics.of(channel)
        inside = hu[labels == channel].astype(float)
        assert voxels == len(inside)
        assert (mean, deviation) == pytest.approx((inside.mean(), inside.std()))


def test_confidence_is_the_mean_probability_of_the_winner():
    scores = torch.randn(3, 10, 6, 6, generator=torch.Generator().manual_seed(2))
    findings = ModelFindings((10, 6, 6), 3, uncertainty=True)
    findings.take(0, scores[:, :4])
    findings.take(4, scores[:, 4:])
    probability, winner = scores.softmax(0).max(0)
    for channel in range(3):
        assert findings.confidence(channel) == pytest.approx(
            probability[winner == channel].mean().item(), abs=1e-5
        )
    assert np.array_equal(findings.classes, winner.numpy())
    p = scores.softmax(0)
    entropy = -(p * p.log()).sum(0) / np.log(3) * 100
    assert np.abs(findings.entropy - entropy.numpy()).max() <= 0.51


CASES = {
    "a spleen as it should be": ("spleen", 200, False, False, []),
    "a spleen that is too large": ("spleen", 2000, False, False, ["outside 54 to 629 mL"]),
    "cut off": ("spleen", 200, True, False, ["border"]),
    "no reference volume": ("stomach", 2000, False, False, []),
    "on the wrong side": ("left kidney", 150, False, True, ["wrong side"]),
    "not found": ("gallbladder", 0, False, False, ["not found"]),
}


@pytest.mark.parametrize(("name", "ml", "cut", "wrong", "expected"), CASES.values(), ids=CASES)
def test_flags_tell_what_looks_wrong(name, ml, cut, wrong, expected):
    findings = ModelFindings((20, 20, 20), 2, uncertainty=False)
    findings.classes[ONE] = 1 if ml else 0
    statistics = InputStatistics(2)
    if ml:
        statistics.take(np.ones(ml, np.uint8), np.full(ml, 50, np.int16))
    found = describe(find(name), 1, findings, statistics, 1.0, cut, wrong)
    assert found.volume_ml == ml
    assert len(found.flags) == len(expected)
    assert all(words in flag for words, flag in zip(expected, found.flags, strict=True))


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
