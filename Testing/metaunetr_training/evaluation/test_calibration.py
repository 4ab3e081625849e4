import numpy as np
import pytest

from metaunetr.calibration import Calibration
from metaunetr_training.evaluation.calibration import fit, isotonic
from metaunetr_training.evaluation.scores import Score


def pairs(cases, organs, dice, noise=0.03, seed=0):
    """Scores whose Dice is a function of their confidence, and noise."""
    rng = np.random.default_rng(seed)
    return [
        Score(f"{case:03d}", "liver", float(np.clip(dice(c) + rng.normal(0, noise), 0, 1)), 0.5,
              3.0, dataset="some", confidence=float(c))
        for case in range(cases) for c in rng.uniform(0.6, 1.0, organs)
    ]


def too_sure(confidence):
    return 2 * confidence - 1.1


def test_a_network_that_is_too_sure_is_set_right_on_other_cases():
    found = fit(pairs(12, 10, too_sure))
    assert found.error_after < 0.5 * found.error_before
    for score in pairs(12, 10, too_sure, noise=0.0, seed=1):
        assert abs(found.curve(score.confidence) - score.dice) < 0.12
    inside = np.linspace(0.68, 0.92, 9)
    assert [found.curve(c) for c in inside] == pytest.approx(too_sure(inside), abs=0.06)


def test_the_card_takes_the_curve_as_it_is():
    found = fit(pairs(12, 10, too_sure))
    entry = found.to_card()
    assert Calibration.from_card(entry) == found.curve
    assert (entry["n"], entry["cases"]) == (120, 12)
    assert 2 <= len(entry["confidence"]) <= 10
    assert "120 organs of 12 cases" in found.sentence()


@pytest.mark.parametrize(("scores", "reason"), [
    ([], "at least 30 organs of 5 cases"),
    (pairs(9, 3, too_sure), "at least 30 organs of 5 cases"),
    (pairs(4, 13, too_sure), "at least 30 organs of 5 cases"),
    (pairs(8, 10, lambda c: 1.6 - c), "does not rise"),
    (pairs(8, 10, lambda c: c, noise=0.0), "no better than the plain confidence"),
], ids=["none", "few organs", "few cases", "falling", "right as it is"])
def test_where_there_is_no_calibration_the_reason_is_told(scores, reason):
    found = fit(scores)
    assert found.curve is None and found.to_card() is None
    assert reason in found.sentence() and f"{len(scores)} organs" in found.sentence()


def test_organs_that_were_not_found_or_not_scored_do_not_count():
    made = pairs(12, 10, too_sure)
    others = [Score("900", "liver", 0.0, 0.0, np.inf, dataset="some"),
              Score("901", "liver", dataset="some", confidence=0.9)]
    assert fit(made + others).curve == fit(made).curve


def test_a_case_is_predicted_without_itself():
    """Each case has a Dice of its own that only its own pairs could tell."""
    rng = np.random.default_rng(0)
    made = [Score(f"{case:03d}", "liver", level, 0.5, 3.0, dataset="some", confidence=c)
            for case, level in enumerate(rng.uniform(0, 1, 6))
            for c in 0.5 + 0.5 * level + rng.uniform(0, 1e-3, 10)]
    seen = isotonic(np.array([s.confidence for s in made]), np.array([s.dice for s in made]))
    error_seen = np.mean([abs(seen(s.confidence) - s.dice) for s in made])
    assert error_seen < 0.01 < fit(made).error_after


def test_equal_confidences_make_one_knot_or_none():
    assert isotonic(np.full(40, 0.9), np.linspace(0, 1, 40)) is None
    curve = isotonic(np.repeat([0.7, 0.9], 40), np.repeat([0.2, 0.8], 40))
    assert curve == Calibration((0.7, 0.9), (0.2, 0.8))
