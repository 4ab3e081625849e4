"""Statistics of `experiment mixers`, by hand and by what they must decide."""

import numpy as np
import pytest

from metaunetr_training.evaluation.statistics import bootstrap
from metaunetr_training.experiments import claim

nan = np.nan
# one seed, three cases, two organs; the second organ in one case only
TABLE = np.array([[[0.8, nan], [0.6, 0.2], [0.7, nan]]])


def test_every_organ_counts_alike():
    assert claim.mean(TABLE) == pytest.approx((0.7 + 0.2) / 2)
    two_seeds = np.concatenate([TABLE, TABLE + 0.1])
    assert claim.mean(two_seeds) == pytest.approx((0.75 + 0.25) / 2)


def test_without_several_seeds_only_cases_are_drawn():
    draws = claim.resampled({"one": TABLE})["one"]
    assert claim.interval(draws) == pytest.approx(bootstrap(TABLE[0]))


def test_the_variation_of_seeds_is_that_of_all_networks():
    same = np.full((2, 4, 1), 0.5)
    differing = same + np.array([-0.1, 0.1])[:, None, None]  # variance 0.02; pooled 0.01
    draws = claim.resampled({"same": same, "differing": differing, "one": same[:1]})
    for name, deviation in (("same", 0.1 / 2**0.5), ("differing", 0.1 / 2**0.5), ("one", 0.1)):
        assert draws[name].mean() == pytest.approx(0.5, abs=0.005)
        assert draws[name].std() == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("seeds", [(2, 2), (2, 1)])
def test_intervals_hold_the_true_difference(seeds):
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        cases = rng.normal(0.6, 0.1, (1, 17, 5))
        tables = {str(n): cases + rng.normal(0, 0.015, (count, 1, 1))
                  + rng.normal(0, 0.05, (count, 17, 5))
                  for n, count in enumerate((*seeds, 2, 2, 2, 2))}
        (found,) = claim.differences(tables, [("0", "1")])
        held += found.interval[0] <= 0 <= found.interval[1]
    assert held / 60 >= 0.9


def test_cases_are_the_same_for_all_networks():
    hard_and_easy = np.array([[[0.2], [0.9], [0.4], [0.8]]])
    (found,) = claim.differences({"b": hard_and_easy + 0.03, "a": hard_and_easy}, [("b", "a")])
    assert found.mean == pytest.approx(0.03)
    assert found.interval == pytest.approx((0.03, 0.03))
    assert found.effect == 1


def test_analysis_of_variance_by_hand():
    """The second seed is better by 1, which is not an error."""
    found = claim.spread([[1, 2], [3, 5], [6, 6]])  # mean squares: 61/6 between, 0.5 the rest
    assert (found.networks, found.runs) == (3, 6)
    assert found.f == pytest.approx(61 / 3)
    assert found.p == pytest.approx(1 / (1 + 61 / 3)), "of F with 2 and 2 degrees of freedom"
    assert found.verdict == "refuted"
    assert found.seeds == pytest.approx(np.sqrt(0.5))
    assert found.between == pytest.approx(np.sqrt((61 / 6 - 0.5) / 2))
    assert found.interval[0] < found.share < found.interval[1] <= 1


@pytest.mark.parametrize("runs", [[[1], [2], [3]], [[1, 2]], [[1, 2], [3, 4]]])
def test_without_a_second_seed_or_network_or_any_rest_nothing_is_decided(runs):
    found = claim.spread(runs)
    assert np.isnan([found.f, found.p]).all() and found.verdict == "undecided"


def test_the_interval_holds_the_true_share():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        runs = rng.normal(0, 1, (6, 1)) + rng.normal(0, 1, (6, 2))  # share 0.5
        low, high = claim.spread(runs.tolist()).interval
        held += low <= 0.5 <= high
    assert held / 400 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("intervals", "verdict"), [
    ([(-0.05, 0.01), (0.0, 0.019)], "confirmed"), ([(-0.05, 0.01), (0.021, 0.05)], "refuted"),
    ([(-0.05, 0.01), (0.01, 0.05)], "undecided"),
])
def test_one_difference_above_the_margin_refutes(intervals, verdict):
    found = [claim.Difference("a", "b", 0.0, each, nan, nan) for each in intervals]
    assert claim.none_above_margin(found) == verdict


@pytest.mark.parametrize(("mixers", "architectures", "verdict"), [
    ((0.5, 0.51, 0.49), (0.5, 0.6, 0.4), "confirmed"),
    ((0.5, 0.6, 0.4), (0.5, 0.51, 0.49), "refuted"),
    ((0.5, 0.51, 0.49), (0.5, 0.511, 0.489), "undecided"),
])
def test_the_claim_can_fail(mixers, architectures, verdict):
    rng = np.random.default_rng(0)
    tables = {f"{kind}{n}": value + rng.normal(0, 0.01, (2, 9, 3))
              for kind, values in (("m", mixers), ("a", architectures))
              for n, value in enumerate(values)}
    found = claim.contest(tables, ("a0", "a1", "a2"), ("m0", "m1", "m2"))
    assert found.verdict == verdict
