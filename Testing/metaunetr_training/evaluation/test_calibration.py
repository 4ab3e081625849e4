from dataclasses import replace

import numpy as np
import pytest

from metaunetr.calibration import Calibration, read_calibration
from metaunetr_training.evaluation.calibration import fit, regression
from metaunetr_training.evaluation.scores import Score

TOO_SURE = Calibration(-2.0, 1.0, 0.3)


def pairs(cases, organs, dice, noise=0.03, volumes=(2, 2000), seed=0):
    """Scores whose Dice is a function of their confidence and volume, and noise."""
    rng = np.random.default_rng(seed)
    return [
        Score(f"{case:03d}", "liver", float(np.clip(dice(c, ml) + rng.normal(0, noise), 0, 1)), 0.5,
              3.0, prediction_ml=float(ml), dataset="some", confidence=float(c))
        for case in range(cases)
        for c, ml in zip(rng.uniform(0.6, 0.98, organs),
                         np.exp(rng.uniform(*np.log(volumes), organs)), strict=True)
    ]


def test_a_network_that_is_too_sure_is_set_right_on_other_cases():
    found = fit(pairs(12, 10, TOO_SURE))
    assert found.error_after < 0.2 * found.error_before
    for score in pairs(12, 10, TOO_SURE, noise=0.0, seed=1):
        expected = found.calibration(score.confidence, score.prediction_ml)
        assert expected == pytest.approx(score.dice, abs=0.03)


def test_small_organs_of_the_same_confidence_are_expected_to_be_worse():
    found = fit(pairs(12, 10, TOO_SURE)).calibration
    assert found(0.9, 5.0) == pytest.approx(TOO_SURE(0.9, 5.0), abs=0.03)
    assert found(0.9, 1500.0) == pytest.approx(TOO_SURE(0.9, 1500.0), abs=0.03)


def test_the_card_takes_the_calibration_as_it_is():
    found = fit(pairs(12, 10, TOO_SURE))
    entry = found.to_card()
    assert read_calibration(entry) == found.calibration
    assert (entry["n"], entry["cases"]) == (120, 12)
    assert "120 organs of 12 cases" in found.sentence()


@pytest.mark.parametrize(("scores", "reason"), [
    ([], "at least 30 organs of 5 cases"),
    (pairs(9, 3, TOO_SURE), "at least 30 organs of 5 cases"),
    (pairs(4, 13, TOO_SURE), "at least 30 organs of 5 cases"),
    (pairs(8, 10, lambda c, ml: 1.6 - c), "does not rise"),
    (pairs(8, 10, lambda c, ml: c, noise=0.0), "no better than the plain confidence"),
], ids=["none", "few organs", "few cases", "falling", "right as it is"])
def test_where_there_is_no_calibration_the_reason_is_told(scores, reason):
    found = fit(scores)
    assert found.calibration is None and found.to_card() is None
    assert reason in found.sentence() and f"{len(scores)} organs" in found.sentence()


def test_organs_that_were_not_found_or_not_scored_do_not_count():
    made = pairs(12, 10, TOO_SURE)
    others = [Score("900", "liver", 0.0, 0.0, np.inf, dataset="some"),
              Score("901", "liver", prediction_ml=9.0, dataset="some", confidence=0.9)]
    assert fit(made + others).calibration == fit(made).calibration


def test_a_case_is_predicted_without_itself():
    """Only the organs of one case tell how good fragments of 0.01 mL are."""
    made = [replace(score, prediction_ml=0.01, dice=0.0) if score.case == "000" else score
            for score in pairs(6, 10, lambda c, ml: TOO_SURE(c, 100.0), noise=0.0)]
    found = fit(made)
    seen = [abs(found.calibration(s.confidence, s.prediction_ml) - s.dice) for s in made]
    assert np.mean(seen) < 0.1 and found.error_after > 0.2


@pytest.mark.parametrize("volumes", [(50.0, 50.0), (49.9, 50.1)], ids=["one volume", "nearly one"])
def test_volumes_that_tell_nothing_have_no_weight(volumes):
    made = pairs(12, 10, TOO_SURE, volumes=volumes)
    found = fit(made).calibration
    assert found(0.9, 50.0) == pytest.approx(TOO_SURE(0.9, 50.0), abs=0.03)
    assert found(0.9, 5.0) == pytest.approx(found(0.9, 500.0), abs=0.1)


def test_a_larger_organ_is_never_expected_to_be_worse():
    scores = pairs(12, 10, lambda c, ml: c - 0.05 * np.log(ml))
    found = regression(*(np.array([getattr(s, name) for s in scores])
                         for name in ("confidence", "prediction_ml", "dice")))
    assert found.log_volume_ml == 0
