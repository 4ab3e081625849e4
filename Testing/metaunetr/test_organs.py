"""The organ table is consistent, and finds organs by what people write."""

from __future__ import annotations

import pytest

from metaunetr.organs import BY_NAME, BY_NUMBER, LEFT, ORGANS, RIGHT, find


def test_organs_are_numbered_from_1_without_gaps():
    assert list(BY_NUMBER) == list(range(1, len(ORGANS) + 1))


@pytest.mark.parametrize("what", [
    lambda organ: organ.name, lambda organ: organ.key, lambda organ: (organ.code, organ.side),
])
def test_no_two_organs_share_a_name_or_code(what):
    assert len({what(organ) for organ in ORGANS}) == len(ORGANS)


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
    if organ.volume:
        assert 0 < organ.volume.low < organ.volume.high
        assert organ.volume.source


@pytest.mark.parametrize(("text", "number"), [
    ("liver", 6), ("Liver", 6), (" LIVER ", 6), ("right_kidney", 2), ("Inferior Vena Cava", 9),
    ("16", 16),
])
def test_organs_are_found_as_people_write_them(text, number):
    assert find(text).number == number


@pytest.mark.parametrize("text", ["", "heart", "0", "99", "kidney"])
def test_what_is_no_organ_is_said_with_the_names(text):
    with pytest.raises(KeyError, match="known: spleen, right kidney"):
        find(text)
