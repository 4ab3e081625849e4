"""The learning rate rises, falls to zero, and ends with the iterations or the time."""

from __future__ import annotations

import pytest

from metaunetr_training.training.schedule import Schedule
from tiny_prepared import tiny_recipe


def schedule(*changes: str) -> Schedule:
    return Schedule.of(tiny_recipe("training.iterations=100", "training.warmup=0.1",
                                   "training.learning_rate=0.01", *changes).training)


@pytest.mark.parametrize(("progress", "rate"), [
    (0, 0.0005), (0.05, 0.005), (0.1, 0.01), (0.55, 0.005), (1, 0),
])
def test_the_learning_rate(progress, rate):
    assert schedule().learning_rate(progress) == pytest.approx(rate)


def test_it_never_rises_again():
    rates = [schedule().learning_rate(0.1 + 0.009 * n) for n in range(101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("changes", "iteration", "seconds", "reserve", "progress"), [
    ((), 25, 1e9, 0, 0.25),
    (("training.max_minutes=10",), 25, 60, 0, 0.25),
    (("training.max_minutes=10",), 25, 300, 0, 0.5),
    (("training.max_minutes=10",), 25, 300, 200, 0.75),
    (("training.max_minutes=10",), 25, 700, 0, 1),
    (("training.max_minutes=10",), 100, 0, 0, 1),
    (("training.max_minutes=1",), 0, 0, 100, 0),
])
def test_progress_by_iterations_or_by_the_clock(changes, iteration, seconds, reserve, progress):
    assert schedule(*changes).progress(iteration, seconds, reserve) == pytest.approx(progress)
