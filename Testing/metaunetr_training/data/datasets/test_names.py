"""Which organ a data set means by a name."""

from __future__ import annotations

import pytest

from metaunetr.organs import ORGANS
from metaunetr_training.data.datasets.names import organs_of


@pytest.mark.parametrize("organ", ORGANS, ids=lambda organ: organ.key)
def test_the_names_of_the_project_are_known(organ):
    for name in (organ.name, organ.key, organ.name.title(), organ.name.replace(" ", "-")):
        assert organs_of(name) == (organ.number,)


@pytest.mark.parametrize(("name", "numbers"), [
    ("kidneys", (2, 3)), ("Kidney", (2, 3)), ("kidney", (2, 3)), ("both kidneys", ()),
    ("kidney_right", (2,)), ("RightKidney", (2,)), ("right_kidney", (2,)), ("Left kidney", (3,)),
    ("left and right kidneys", ()), ("kidneys_left", (3,)),
    ("adrenal glands", (12, 13)), ("adrenals", (12, 13)), ("adrenal_gland_left", (13,)),
    ("right adrenal", (12,)), ("RAG", (12,)), ("LAG", (13,)),
    ("postcava", (9,)), ("IVC", (9,)), ("inferior_vena_cava", (9,)), ("InferiorVenaCava", (9,)),
    ("gall bladder", (4,)), ("gall_bladder", (4,)), ("oesophagus", (5,)), ("arota", (8,)),
    ("portal_vein_and_splenic_vein", (10,)), ("portal vein", ()),
    ("bladder", (15,)), ("prostate/uterus", (16,)), ("prostate", ()),
    ("right liver", ()), ("left", ()), ("", ()), ("6", ()), ("cancer", ()), ("liver tumour", ()),
])
def test_other_names_mean_what_they_say_or_nothing(name, numbers):
    assert organs_of(name) == numbers
