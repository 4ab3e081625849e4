"""The measure of realism: a model that has seen only real CT recognises the phantom's organs."""

from dataclasses import replace

import numpy as np
import pytest

from metaunetr import phantom
from metaunetr.image import Image
from metaunetr.metrics import dice

SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER = 1, 2, 3, 6


@pytest.mark.slow
def test_a_model_of_real_ct_finds_the_large_organs():
    from metaunetr import Segmenter

    made = phantom.make(0)
    organs = (SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, LIVER)
    slices = np.flatnonzero(np.isin(made.labels.array, organs).any(axis=(1, 2)))
    part = slice(slices[0], slices[-1] + 1)  # what lies above and below only takes time
    labels, hu = made.labels.array[part], made.image.array[part]
    image = Image(hu, replace(made.image.grid, shape=hu.shape))
    found = Segmenter("abdomen13-2mm", device="cpu").segment(image).labels.array
    scores = {organ: dice(found == organ, labels == organ) for organ in organs}
    print(f"{made.description['phase']}: {scores}")
    assert np.min(list(scores.values())) >= 0.6, scores
