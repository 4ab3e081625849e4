"""When an adapted model is better."""

from __future__ import annotations

import re
from math import nan

import pytest

from metaunetr_training.adapt.gain import Gain
from metaunetr_training.evaluation.scores import Score


def scores(**organs: list[float]) -> list[Score]:
    """Dice, and the same NSD, of each organ in cases a, b, …"""
    return [Score(case, organ.replace("_", " "), dice, dice, dataset="corrected")
            for organ, values in organs.items()
            for case, dice in zip("abcd", values, strict=False)]


@pytest.mark.parametrize(("before", "after", "reason"), [
    ({"liver": [0.8, 0.9], "spleen": [0.5]}, {"liver": [0.85, 0.9], "spleen": [0.49]}, ""),
    ({"liver": [0.8, 0.9]}, {"liver": [0.8, 0.9]}, "mean Dice did not rise"),
    ({"liver": [0.8], "spleen": [0.8]}, {"liver": [0.95], "spleen": [0.77]},
     r"Dice fell by more than 0.02: spleen \(0.800 before, 0.770 after\)"),
    # rightly not found any more, which evaluation does not score
    ({"liver": [0.8], "gallbladder": [0.0]}, {"liver": [0.8], "gallbladder": [nan]}, ""),
    ({"gallbladder": [nan]}, {"gallbladder": [0.0]}, "mean Dice did not rise"),
    ({"gallbladder": [nan]}, {"gallbladder": [nan]}, "no corrected organ could be measured"),
])
def test_a_model_is_better_if_the_mean_rises_and_no_organ_falls(before, after, reason):
    gain = Gain.of(scores(**before), scores(**after))
    assert re.fullmatch(f"{reason}.*" if reason else "", gain.reason)


def test_the_table_has_n_and_both_values():
    gain = Gain.of(scores(liver=[0.8, 0.9], spleen=[0.5]), scores(liver=[0.9, 0.9], spleen=[0.7]))
    assert gain.to_json()["organs"]["liver"] == {
        "n": 2, "dice": [0.85, 0.9], "nsd_2mm": [0.85, 0.9]}
    assert gain.to_json()["mean"]["dice"] == [0.675, 0.8]
    assert "spleen                       1   0.500 → 0.700" in gain.table()
