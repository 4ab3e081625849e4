"""Each flag for one reason, on organs as they lie in a patient, and none where all is well."""

from dataclasses import replace

import pytest

from metaunetr.engine.flags import Found, flags_of
from metaunetr.organs import find
from metaunetr.result import CUT_OFF, OrganResult

LENGTH = 400.0  # mm; the image reaches from the pelvis to the lower chest


def organ(name, ml, hu, low, high, spread=40.0):
    return Found(find(name), ml, hu, spread, confidence=0.95, calibrated=False,
                 parts=1, cut_off=high >= LENGTH, wrong_side=False, extent=(low, high),
                 upper_width=1.2)


WELL = (
    organ("spleen", 200, 110, 260, 350), organ("right kidney", 160, 150, 200, 310),
    organ("left kidney", 165, 155, 210, 325), organ("gallbladder", 30, 10, 240, 290),
    organ("liver", 1500, 105, 200, 375), organ("stomach", 300, -150, 250, 360, spread=400.0),
    organ("aorta", 120, 140, 170, 400), organ("inferior vena cava", 80, 120, 165, 360),
)


def flags(*changed, length=LENGTH):
    """All flags of the organs above, of which some are changed; None leaves one out."""
    organs = {one.organ.name: one for one in WELL}
    for name, changes in changed:
        if changes is None:
            del organs[name]
        else:
            organs[name] = replace(organs[name], **changes)
    found = ((name, flag) for name, one in organs.items()
             for flag in flags_of(one, organs, length))
    return [(name, flag) for name, flag in found if flag != CUT_OFF]


def test_organs_as_they_should_be_have_no_doubts():
    assert flags() == []


DOUBTS = {
    "a liver full of contrast medium, or no HU": ("liver", {"hu_mean": 1013.0}, "outside the poss"),
    "a spleen of air": ("spleen", {"hu_mean": -700.0}, "outside the possible"),
    "a vena cava of fat": ("inferior vena cava", {"hu_mean": -60.0}, "outside the possible"),
    "a vertebra as aorta": ("aorta", {"hu_spread": 170.0}, "as those of no vessel"),
    "a spleen that is too large": ("spleen", {"volume_ml": 900.0}, "expected 54 to 629 mL"),
    "a spleen that is too small": ("spleen", {"volume_ml": 30.0}, "expected 54 to 629 mL"),
    "too large though cut off": ("spleen", {"volume_ml": 900.0, "cut_off": True}, "expected 54"),
    "two parts": ("gallbladder", {"parts": 2}, "2 separate parts"),
    "on the wrong side": ("spleen", {"wrong_side": True}, "wrong side"),
    "low confidence": ("gallbladder", {"confidence": 0.85}, "the confidence is at most 0.88"),
    "low expected Dice": ("spleen", {"confidence": 0.69, "calibrated": True},
                          "the confidence is at most 0.7"),
    "shown as 0.70": ("spleen", {"confidence": 0.704, "calibrated": True}, "at most 0.7"),
    "a kidney without its lower pole": (
        "right kidney", {"volume_ml": 110.0, "extent": (235.0, 310.0)}, "67% of the left kidney's"),
    "a kidney without its lower pole, of a patient whose right kidney is longer": (
        "right kidney", {"volume_ml": 117.0, "confidence": 0.9}, "71% of the left kidney's"),
    "a kidney of little volume": ("left kidney", {"volume_ml": 90.0}, "56% of the right kidney's"),
    "an aorta that ends above the kidneys": ("aorta", {"extent": (270.0, 400.0)}, "lower poles"),
    "an aorta that ends below the liver's top": ("aorta", {"extent": (170.0, 330.0)}, "upper end"),
    "an aorta without an arch": ("aorta", {"extent": (170.0, 380.0)}, "without an arch"),
    "a vena cava that ends in the liver": (
        "inferior vena cava", {"extent": (165.0, 310.0)}, "upper end"),
}


@pytest.mark.parametrize(("name", "changes", "words"), DOUBTS.values(), ids=DOUBTS)
def test_what_is_wrong_with_an_organ_is_its_only_doubt(name, changes, words):
    ((flagged, flag),) = flags((name, changes))
    assert flagged == name and words in flag


def test_what_two_organs_contradict_is_flagged_in_both():
    assert [name for name, _ in flags(("left kidney", {"hu_mean": 40.0}))] == [
        "right kidney", "left kidney"]
    assert [name for name, _ in flags(("inferior vena cava", {"hu_mean": 200.0}))] == [
        "aorta", "inferior vena cava"]


NOTHING = {
    "part of a spleen": [("spleen", {"volume_ml": 30.0, "cut_off": True})],
    "part of a kidney": [("right kidney", {"volume_ml": 60.0, "extent": (200.0, 250.0),
                                           "cut_off": True})],
    "a kidney that is small by nature": [("right kidney", {"volume_ml": 117.0})],
    "a kidney as large as the other": [("right kidney", {"confidence": 0.9})],
    "one kidney": [("right kidney", None)],
    "a kidney beside one that fragments lengthen": [("left kidney", {"extent": (210.0, 380.0)})],
    "calibrated": [("gallbladder", {"confidence": 0.75, "calibrated": True})],
    "shown as 0.71": [("gallbladder", {"confidence": 0.706, "calibrated": True})],
    "a scan that ends in the kidneys": [("aorta", {"extent": (3.0, 400.0)})],
    "up to the arch": [("aorta", {"extent": (170.0, 380.0), "upper_width": 3.5,
                                  "cut_off": False})],
}


@pytest.mark.parametrize("changed", NOTHING.values(), ids=NOTHING)
def test_what_a_scan_cuts_off_or_lacks_is_no_doubt(changed):
    assert flags(*changed) == []


def test_the_border_is_told_and_no_doubt():
    (aorta,) = (one for one in WELL if one.organ.name == "aorta")
    assert flags_of(aorta, {}, LENGTH) == (CUT_OFF,)
    found = OrganResult(aorta.organ, 10, 1.0, 60.0, 9.0, 0.9, (CUT_OFF, "2 separate parts"))
    assert found.doubts == ("2 separate parts",)
