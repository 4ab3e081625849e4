"""Organ numbers by the names that data sets use."""

from __future__ import annotations

from metaunetr.organs import ORGANS
from metaunetr_training.data.datasets.names import organs_of

NAMES = {
    "kidneys": (2, 3), "Kidney": (2, 3), "RightKidney": (2,), "right_kidney": (2,),
    "kidneys_left": (3,), "adrenals": (12, 13), "adrenal_gland_left": (13,), "RAG": (12,),
    "postcava": (9,), "InferiorVenaCava": (9,), "gall_bladder": (4,), "oesophagus": (5,),
    "arota": (8,), "portal_vein_and_splenic_vein": (10,), "bladder": (15,),
    "prostate/uterus": (16,),
    # ambiguous or unknown
    "both kidneys": (), "left and right kidneys": (), "portal vein": (), "prostate": (),
    "right liver": (), "left": (), "": (), "6": (), "liver tumour": (),
}


def test_the_names_of_the_project_are_known():
    for organ in ORGANS:
        for name in (organ.name, organ.key, organ.name.title(), organ.name.replace(" ", "-")):
            assert organs_of(name) == (organ.number,), name


def test_names_of_data_sets_are_synonyms_or_unknown():
    assert {name: organs_of(name) for name in NAMES} == NAMES
