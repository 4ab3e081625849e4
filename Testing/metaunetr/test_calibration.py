"""The curve from confidence to Dice in a card: what it says, and what is no such curve."""

from dataclasses import replace
from math import isnan, nan

import pytest

from analytic import HuBins, analytic_image, make_bundle
from metaunetr import bundle
from metaunetr.calibration import Calibration
from metaunetr.engine import Segmenter
from tiny_bundle import write_bundle

CURVE = {"confidence": [0.6, 0.8, 1.0], "dice": [0.3, 0.7, 0.9], "n": 60, "cases": 6}


@pytest.mark.parametrize(("confidence", "dice"), [
    (0.6, 0.3), (0.7, 0.5), (0.8, 0.7), (1.0, 0.9), (0.2, 0.3), (0.9, 0.8),
])
def test_the_curve_is_linear_between_its_knots_and_level_beyond(confidence, dice):
    assert Calibration.from_card(CURVE)(confidence) == pytest.approx(dice)


def test_an_organ_that_was_not_found_has_no_confidence_to_calibrate():
    assert isnan(Calibration.from_card(CURVE)(nan))


@pytest.mark.parametrize(("changes", "words"), [
    ({"confidence": [0.6, 1.0]}, "must have one length: 2 and 3"),
    ({"confidence": [0.6, 0.6, 1.0]}, "confidence of the calibration must rise"),
    ({"dice": [0.3, 0.2, 0.9]}, "dice of the calibration must not fall"),
    ({"dice": [0.3, 0.7, 1.5]}, "dice of the calibration must be .* numbers from 0 to 1"),
    ({"confidence": [0.6, float("nan"), 1.0]}, "confidence of the calibration must be"),
    ({"confidence": [True, False, True]}, "confidence of the calibration must be"),
    ({"confidence": "0.6 0.8 1.0"}, "confidence of the calibration must be"),
    ({"confidence": [0.5], "dice": [0.5]}, "2 to 100 numbers"),
    ({"confidence": [n / 200 for n in range(101)]}, "2 to 100 numbers"),
])
def test_what_is_no_such_curve(changes, words):
    with pytest.raises(ValueError, match=words):
        Calibration.from_card(CURVE | changes)


@pytest.mark.parametrize(("entry", "expected"), [
    ({}, None), ({"calibration": None}, None),
    ({"calibration": CURVE}, Calibration((0.6, 0.8, 1.0), (0.3, 0.7, 0.9))),
])
def test_a_card_may_hold_one(tmp_path, entry, expected):
    assert bundle.load(write_bundle(tmp_path, **entry)).calibration == expected


def test_the_engine_reports_what_the_curve_says(monkeypatch):
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: [])
    monkeypatch.setattr("metaunetr.engine.segmenter.as_air", lambda image: image)
    raw = make_bundle(HuBins())
    curve = Calibration((0.0, 1.0), (0.1, 0.4))
    plain, calibrated = (
        Segmenter(model, device="cpu").segment(analytic_image())
        for model in (raw, replace(raw, calibration=curve))
    )
    for before, after in zip(plain.organs, calibrated.organs, strict=True):
        assert after.confidence == pytest.approx(0.1 + 0.3 * before.confidence, nan_ok=True)
    assert plain.record["confidence"] == "mean probability"
    assert calibrated.record["confidence"] == "expected Dice"
