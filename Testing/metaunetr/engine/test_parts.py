import numpy as np
import pytest
import torch

from metaunetr.engine.parts import drop_fragments, sizes_of_parts


def box(*ranges, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*part) for part in ranges)] = True
    return mask


ONE = box((2, 12), (2, 12), (2, 12))
SPECK = box((15, 16), (15, 16), (15, 16))
HALF = box((13, 20), (13, 20), (13, 20))
PARTS = {
    "nothing": (np.zeros((5, 5, 5), bool), []),
    "one": (ONE, [1000]),
    "a speck beside it": (ONE | SPECK, [1000, 1]),
    "two parts": (ONE | HALF, [1000, 343]),
    "touching by a corner": (box((0, 5), (0, 5), (0, 5)) | box((5, 9), (5, 9), (5, 9)), [189]),
}


@pytest.mark.parametrize(("mask", "sizes"), PARTS.values(), ids=PARTS)
def test_parts_are_what_hangs_together(mask, sizes):
    assert sizes_of_parts(mask).tolist() == sizes


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_fragments_become_background_and_true_parts_stay(dtype):
    scores = torch.zeros(3, 20, 20, 20, dtype=dtype)
    scores[1:] = -5
    scores[1][torch.from_numpy(ONE | HALF)] = 7
    scores[2][torch.from_numpy(SPECK)] = 9  # the only part of its organ, however small
    scores[1][torch.from_numpy(box((0, 1), (0, 3), (18, 20)))] = 7
    drop_fragments(scores)
    classes = scores.argmax(dim=0).numpy()
    assert np.array_equal(classes == 1, (ONE | HALF) & ~SPECK)
    assert np.array_equal(classes == 2, SPECK)
