import numpy as np
import pytest
import torch

from metaunetr.engine.parts import count_parts, drop_fragments


def box(*ranges, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*part) for part in ranges)] = True
    return mask


ONE = box((2, 12), (2, 12), (2, 12))
SPECK = box((15, 16), (15, 16), (15, 16))
HALF = box((13, 20), (13, 20), (13, 20))
PARTS = {
    "nothing": (np.zeros((5, 5, 5), bool), 0),
    "one": (ONE, 1),
    "a speck beside it": (ONE | SPECK, 1),
    "two parts": (ONE | HALF, 2),
    "touching by a corner": (box((0, 5), (0, 5), (0, 5)) | box((5, 9), (5, 9), (5, 9)), 1),
}


@pytest.mark.parametrize(("mask", "count"), PARTS.values(), ids=PARTS)
def test_parts_are_what_hangs_together_and_is_no_speck(mask, count):
    assert count_parts(mask) == count


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_fragments_go_to_the_runner_up_and_true_parts_stay(dtype):
    stray = box((0, 2), (0, 3), (18, 20))
    scores = torch.zeros(3, 20, 20, 20, dtype=dtype)
    scores[0] = 4
    scores[1][torch.from_numpy(ONE | HALF | stray)] = 7
    scores[2][torch.from_numpy(SPECK)] = 9  # an organ may be small
    scores[2][torch.from_numpy(box((0, 1), (0, 1), (18, 20)))] = 6  # as large: stays
    drop_fragments(scores)
    classes = scores.argmax(dim=0).numpy()
    assert np.array_equal(classes == 1, (ONE | HALF) & ~SPECK)
    assert np.array_equal(classes == 2, SPECK | box((0, 1), (0, 1), (18, 20)))


def test_a_runner_up_that_is_a_fragment_too_goes_as_well():
    scores = torch.zeros(3, 20, 20, 20)
    scores[1][torch.from_numpy(ONE)] = 7
    scores[2][torch.from_numpy(HALF)] = 7
    scores[1:, 0, 0, 18:] = torch.tensor([[6.0], [5.0]])
    drop_fragments(scores)
    classes = scores.argmax(dim=0).numpy()
    assert np.array_equal(classes == 1, ONE) and np.array_equal(classes == 2, HALF)
