from math import isnan, nan

import numpy as np
import pytest
from scipy import stats

from metaunetr_training.evaluation.statistics import bootstrap, holm, paired


def test_the_interval_is_that_of_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).beta(9, 2, 25)
    expected = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="percentile",
                               random_state=np.random.default_rng(2)).confidence_interval
    assert bootstrap(values) == pytest.approx((expected.low, expected.high), abs=0.003)
    assert bootstrap(values) == bootstrap(values)


def test_the_interval_of_thirty_cases_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(30):
        low, high = bootstrap(rng.normal(0.8, 0.1, 30))
        held.append(low <= 0.8 <= high)
    assert np.mean(held) >= 0.8


@pytest.mark.parametrize("values", [[], [0.9], [0.9, 0.8], [0.9, 0.8, nan]])
def test_fewer_than_three_cases_have_no_interval(values):
    assert bootstrap(np.array(values)) is None


def test_the_mean_of_organs_is_resampled_by_whole_cases():
    """Two organs, wrong in the same cases: drawn apart, their errors would even out."""
    good = np.linspace(0.5, 1, 12)
    alike = bootstrap(np.stack([good, good], axis=1))
    opposed = bootstrap(np.stack([good, good[::-1]], axis=1))
    assert alike == pytest.approx(bootstrap(good))
    assert opposed[1] - opposed[0] < 1e-9 < alike[1] - alike[0]


def test_an_organ_that_few_cases_hold_weighs_as_much_as_another():
    values = np.array([[0.9, 0.5], [0.9, nan], [0.9, nan], [0.9, nan], [0.9, 0.5]])
    low, high = bootstrap(values)
    assert high <= 0.9 + 1e-9 and low == pytest.approx(0.7)


@pytest.mark.parametrize(("ps", "expected"), [
    ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
    ([0.5, 0.6], [1.0, 1.0]),
    ([nan, 0.02, nan], [nan, 0.02, nan]),
    ([], []),
])
def test_holms_correction(ps, expected):
    assert holm(ps) == pytest.approx(expected, nan_ok=True)


def test_wilcoxon_and_its_effect_size():
    first = np.array([0.70, 0.72, 0.75, 0.80, 0.81, 0.83, 0.86])
    found = paired(first, first + [0.01, 0.02, -0.03, 0.04, 0.05, 0.06, 0.07])
    ranks = {"up": 1 + 2 + 4 + 5 + 6 + 7, "down": 3}
    assert found.effect == pytest.approx((ranks["up"] - ranks["down"]) / 28)
    assert found.p == pytest.approx(2 * sum([1, 1, 1, 2]) / 2**7)  # sums of ranks 0, 1, 2, 3
    assert found.mean == pytest.approx(0.22 / 7)


@pytest.mark.parametrize(("shifts", "effect"), [
    ([0.1] * 5, 1.0), ([-0.1, -0.2, -0.3], -1.0), ([0, 0, 0, 0, 0, 0, 0], nan), ([], nan),
    ([0.1, 0.2, 0.3, 0.4, 0.5, 0, 0, 0], 1.0),
])
def test_too_few_pairs_that_differ_are_not_tested(shifts, effect):
    first = np.full(len(shifts), 0.5)
    found = paired(first, first + np.array(shifts))
    assert isnan(found.p)
    assert found.effect == pytest.approx(effect, nan_ok=True)
