"""The calibration in a card: the Dice that it expects, and what is no calibration."""

from dataclasses import replace
from math import isnan, log, nan

import pytest

from analytic import HuBins, analytic_image, make_bundle
from metaunetr import bundle
from metaunetr.calibration import Calibration, Curve, read_calibration
from metaunetr.engine import Segmenter
from tiny_bundle import write_bundle

WEIGHTS = {"intercept": -log(9), "logit_confidence": 2.0, "log_volume_ml": 0.5, "n": 60, "cases": 6}
CURVE = {"confidence": [0.6, 0.8, 1.0], "dice": [0.3, 0.7, 0.9], "n": 60, "cases": 6}


@pytest.mark.parametrize(("confidence", "volume", "odds"), [
    (0.75, 1.0, 1.0), (0.75, 9.0, 3.0), (0.9, 1.0, 9.0), (0.5, 81.0, 1.0),
    (1.0, 1.0, 99**2 / 9), (0.0, 1.0, 1 / 9 / 99**2),
], ids=["small", "nine times as large", "surer", "undecided", "certain", "certainly not"])
def test_the_odds_of_the_expected_dice_are_a_product_of_powers(confidence, volume, odds):
    expected = read_calibration(WEIGHTS)(confidence, volume)
    assert expected / (1 - expected) == pytest.approx(odds)


@pytest.mark.parametrize(("confidence", "dice"), [
    (0.6, 0.3), (0.7, 0.5), (0.8, 0.7), (1.0, 0.9), (0.2, 0.3), (0.9, 0.8),
])
def test_the_curve_is_linear_between_its_knots_and_level_beyond(confidence, dice):
    for volume in (1.0, 1000.0):
        assert read_calibration(CURVE)(confidence, volume) == pytest.approx(dice)


@pytest.mark.parametrize("entry", [WEIGHTS, CURVE])
def test_an_organ_that_was_not_found_has_no_confidence_to_calibrate(entry):
    assert isnan(read_calibration(entry)(nan, 1.0))


@pytest.mark.parametrize(("entry", "words"), [
    ({}, "the calibration lacks 'intercept'"),
    ({"intercept": 0.0, "logit_confidence": 1.0}, "the calibration lacks 'log_volume_ml'"),
    (WEIGHTS | {"intercept": float("nan")}, "intercept must be a number from -100 to 100"),
    (WEIGHTS | {"logit_confidence": -1.0}, "logit_confidence must be a number from 0 to 20"),
    (WEIGHTS | {"log_volume_ml": "0.5"}, "log_volume_ml must be a number from 0 to 20"),
    ([0.5], "calibration must be an object"),
])
def test_what_is_no_calibration(entry, words):
    with pytest.raises(ValueError, match=words):
        read_calibration(entry)


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
        read_calibration(CURVE | changes)


@pytest.mark.parametrize(("entry", "expected"), [
    ({}, None), ({"calibration": None}, None),
    ({"calibration": WEIGHTS}, Calibration(-log(9), 2.0, 0.5)),
    ({"calibration": CURVE}, Curve((0.6, 0.8, 1.0), (0.3, 0.7, 0.9))),
])
def test_a_card_may_hold_one(tmp_path, entry, expected):
    assert bundle.load(write_bundle(tmp_path, **entry)).calibration == expected


def test_the_engine_reports_the_expected_dice(monkeypatch):
    monkeypatch.setattr("metaunetr.engine.segmenter.inspect_ct", lambda image: [])
    monkeypatch.setattr("metaunetr.engine.segmenter.as_air", lambda image: image)
    raw = make_bundle(HuBins())
    curve = Curve((0.0, 1.0), (0.1, 0.4))
    plain, calibrated = (
        Segmenter(model, device="cpu").segment(analytic_image())
        for model in (raw, replace(raw, calibration=curve))
    )
    for before, after in zip(plain.organs, calibrated.organs, strict=True):
        assert after.confidence == pytest.approx(0.1 + 0.3 * before.confidence, nan_ok=True)
    assert plain.record["confidence"] == "mean probability"
    assert calibrated.record["confidence"] == "expected Dice"
