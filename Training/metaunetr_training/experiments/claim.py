"""Does the architecture count for more than the token mixer? Tests that can fail.

1. Between mixers and between seeds: analysis of variance of the mean Dice of runs, with the mixer
   as a random effect and the seed, which determines the patches of all networks, as a block
   (Searle, Casella, McCulloch, Variance Components, 1992, chapter 4).
2. Mixers against identity: differences of mean Dice.
3. Architectures against mixers: the standard deviation of mean Dice among each.

What each must show is fixed in Training/EXPERIMENTS.md, before the experiment.

Intervals of 2 and 3 allow for cases and seeds: whole cases are drawn (bootstrap), the same for all
networks, and the variation of seeds is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from metaunetr_training.evaluation.statistics import (
    RESAMPLES,
    SEED,
    Interval,
    draws_of_mean,
    holm,
    paired,
)

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"
LEVEL = 0.05  # of significance
MARGIN = 0.02  # of Dice; smaller differences do not matter

# (seeds, cases, organs) by network; NaN, in all networks, where the case lacks the organ
Tables = Mapping[str, np.ndarray]


def mean(table: np.ndarray) -> float:
    """Mean over the organs of each organ's mean over cases and seeds."""
    by_organ = table.reshape(-1, table.shape[-1])
    scored = ~np.isnan(by_organ).all(axis=0)
    return float(np.nanmean(by_organ[:, scored], axis=0).mean()) if scored.any() else nan


def resampled(tables: Tables) -> dict[str, np.ndarray]:
    """The `mean` of every network in each of RESAMPLES draws of cases and seeds.

    The cases are drawn, the same for all networks. Two seeds are too few to be drawn: their
    variation is taken to be normal, with the standard deviation of seeds pooled over all networks
    that have several; without any such network it is left out.
    """
    rng = np.random.default_rng(SEED)
    means = [[mean(one[None]) for one in table] for table in tables.values() if len(table) > 1]
    deviation = np.sqrt(np.mean([np.var(seeds, ddof=1) for seeds in means])) if means else 0.0
    return {name: draws_of_mean(table.mean(axis=0))
            + rng.normal(0, deviation / np.sqrt(len(table)), RESAMPLES)
            for name, table in tables.items()}


def interval(draws: np.ndarray) -> Interval:
    """The 95 % percentile interval."""
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True)
class Spread:
    """Mean Dice of runs, between and within networks.

    Attributes:
        between: standard deviation of networks beyond that of seeds; 0 where there is none.
        seeds: standard deviation of the seeds of one network, beyond what a seed does to all.
        share: of the variance of a single run that is due to the network, with its 95 % interval.
        f, p: of the hypothesis that the network has no influence. NaN with one seed.
    """

    networks: int
    runs: int
    between: float
    seeds: float
    share: float
    interval: Interval
    f: float
    p: float

    @property
    def verdict(self) -> str:
        """On "networks differ no more than seeds"; never confirmed, as many seeds would be
        needed."""
        if isnan(self.p):
            return UNDECIDED
        return REFUTED if self.p < LEVEL else f"not {REFUTED}"


def spread(runs: Sequence[Sequence[float]]) -> Spread:
    """The analysis of variance of runs (networks, seeds): two-way, without interaction."""
    from scipy.stats import f as distribution

    values = np.array(runs, float)
    networks, seeds = values.shape
    df = networks - 1, (networks - 1) * (seeds - 1)
    if min(df) < 1:
        return Spread(networks, values.size, nan, nan, nan, (nan, nan), nan, nan)
    of_network = values.mean(axis=1, keepdims=True)
    rest = values - of_network - values.mean(axis=0) + values.mean()
    between = seeds * of_network.var(ddof=1)
    within = (rest**2).sum() / df[1]
    if np.isclose(within, 0):
        return Spread(networks, values.size, float(np.sqrt(between / seeds)), 0.0, 1.0, (nan, nan),
                      nan, nan)
    f = between / within

    def share(value: float) -> float:
        ratio = max(0.0, (value - 1) / seeds)
        return float(ratio / (1 + ratio))

    ends = tuple(share(f / distribution.ppf(q, *df)) for q in (0.975, 0.025))
    return Spread(networks, values.size, float(np.sqrt(max(0.0, (between - within) / seeds))),
                  float(np.sqrt(within)), share(f), ends, float(f),
                  float(distribution.sf(f, *df)))


@dataclass(frozen=True)
class Difference:
    """Mean Dice of a network minus that of another.

    Attributes:
        interval: 95 %, over cases and seeds.
        p: Wilcoxon's signed-rank test of the cases' means, corrected by Holm for all differences of
            one table. effect: matched-pairs rank-biserial correlation.
    """

    name: str
    other: str
    mean: float
    interval: Interval
    p: float
    effect: float


def differences(tables: Tables, pairs: Sequence[tuple[str, str]]) -> list[Difference]:
    """The differences of pairs of networks, first minus second."""
    draws = resampled(tables)
    tests = [paired(_by_case(tables[other]), _by_case(tables[name])) for name, other in pairs]
    corrected = holm([test.p for test in tests])
    return [Difference(name, other, mean(tables[name]) - mean(tables[other]),
                       interval(draws[name] - draws[other]), p, test.effect)
            for (name, other), test, p in zip(pairs, tests, corrected, strict=True)]


def _by_case(table: np.ndarray) -> np.ndarray:
    """The mean over seeds and organs of each case."""
    return np.nanmean(table.mean(axis=0), axis=1)


def none_above_margin(found: Sequence[Difference]) -> str:
    """The verdict on "no difference is above MARGIN"."""
    if any(each.interval[0] > MARGIN for each in found):
        return REFUTED
    return CONFIRMED if all(each.interval[1] < MARGIN for each in found) else UNDECIDED


@dataclass(frozen=True)
class Contest:
    """Standard deviations of mean Dice among architectures and among mixers.

    Attributes:
        interval: 95 %, of `architectures` minus `mixers`.
    """

    architectures: float
    mixers: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """On "architectures differ more"."""
        if self.interval[0] > 0:
            return CONFIRMED
        return REFUTED if self.interval[1] < 0 else UNDECIDED


def contest(tables: Tables, architectures: Sequence[str], mixers: Sequence[str]) -> Contest:
    """Compares the spread among architectures, of one mixer, with that among mixers, of one
    architecture."""
    draws = resampled(tables)

    def deviation(names: Sequence[str], values) -> np.ndarray:
        return np.std([values[name] for name in names], axis=0, ddof=1)

    means = {name: mean(table) for name, table in tables.items()}
    return Contest(float(deviation(architectures, means)), float(deviation(mixers, means)),
                   interval(deviation(architectures, draws) - deviation(mixers, draws)))
