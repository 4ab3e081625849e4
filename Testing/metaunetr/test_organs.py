"""The organ table agrees with the data sets it maps and with SNOMED CT's use in DICOM."""

from __future__ import annotations

import pytest

from metaunetr.organs import BY_NAME, BY_NUMBER, LEFT, ORGANS, RIGHT, find


def test_organs_are_numbered_from_1_without_gaps():
    assert [organ.number for organ in ORGANS] == list(range(1, 17))
    assert list(BY_NUMBER) == list(range(1, 17))


@pytest.mark.parametrize("what", [
    lambda organ: organ.name, lambda organ: organ.key, lambda organ: (organ.code, organ.side),
])
def test_no_two_organs_share_a_name_or_code(what):
    assert len({what(organ) for organ in ORGANS}) == len(ORGANS)


# The order in which each data set's own documentation lists its labels, from 1.
DATASETS = {
    "btcv": ["spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver",
             "stomach", "aorta", "inferior vena cava", "portal and splenic vein", "pancreas",
             "right adrenal gland", "left adrenal gland"],
    "amos": ["spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver",
             "stomach", "aorta", "inferior vena cava", "pancreas", "right adrenal gland",
             "left adrenal gland", "duodenum", "urinary bladder", "prostate or uterus"],
}


@pytest.mark.parametrize(("dataset", "names"), DATASETS.items(), ids=DATASETS.keys())
def test_labels_are_those_of_the_data_set(dataset, names):
    labels = {o.name: o.datasets[dataset] for o in ORGANS if dataset in o.datasets}
    assert labels == {name: number for number, name in enumerate(names, start=1)}


def test_abdomenct_1k_has_one_label_for_both_kidneys():
    labels = {o.name: o.datasets["abdomenct1k"] for o in ORGANS if "abdomenct1k" in o.datasets}
    assert labels == {
        "liver": 1, "right kidney": 2, "left kidney": 2, "spleen": 3, "pancreas": 4}


def test_sides_are_modifiers_of_paired_organs():
    for organ in ORGANS:
        expected = {"right": RIGHT, "left": LEFT}.get(organ.name.split()[0])
        assert organ.side == expected
    for pair in ("kidney", "adrenal gland"):
        assert BY_NAME[f"right {pair}"].code == BY_NAME[f"left {pair}"].code


@pytest.mark.parametrize("organ", ORGANS, ids=lambda organ: organ.key)
def test_every_organ_is_complete(organ):
    scheme, value, meaning = organ.code
    assert scheme == "SCT" and value.isdigit() and meaning
    assert len(organ.colour) == 3 and all(0 <= channel <= 255 for channel in organ.colour)
    assert organ.datasets
    if organ.volume:
        assert 0 < organ.volume.low < organ.volume.high
        assert organ.volume.source


@pytest.mark.parametrize(("text", "number"), [
    ("liver", 6), ("Liver", 6), (" LIVER ", 6), ("right_kidney", 2), ("Inferior Vena Cava", 9),
    ("16", 16),
])
def test_organs_are_found_as_people_write_them(text, number):
    assert find(text).number == number


@pytest.mark.parametrize("text", ["", "heart", "0", "17", "kidney"])
def test_what_is_no_organ_is_said_with_the_names(text):
    with pytest.raises(KeyError, match="known: spleen, right kidney"):
        find(text)
