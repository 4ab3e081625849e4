"""The measure of realism: a model that has seen only real CT recognises the phantom's organs."""

import numpy as np
import pytest

from metaunetr import phantom
from metaunetr.metrics import dice

SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER = 1, 2, 3, 6


@pytest.mark.slow
def test_a_model_of_real_ct_finds_the_large_organs():
    from metaunetr import Segmenter

    made = phantom.make(0)
    found = Segmenter("abdomen13-2mm", device="cpu").segment(made.image).labels.array
    scores = {
        organ: dice(found == organ, made.labels.array == organ)
        for organ in (SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER)
    }
    print(f"{made.description['phase']}: {scores}")
    assert np.min(list(scores.values())) >= 0.6, scores
