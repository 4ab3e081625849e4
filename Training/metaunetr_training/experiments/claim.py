"""Does the architecture count for more than the token mixer? Tests that can fail.

1. Between mixers and between seeds: one-way analysis of variance of the mean Dice of runs, with the
   mixer as a random effect (Searle, Casella, McCulloch, Variance Components, 1992, chapter 3).
2. Mixers against identity: differences of mean Dice.
3. Architectures against mixers: the standard deviation of mean Dice among each.

What each must show is fixed in Training/EXPERIMENTS.md, before the experiment.

Intervals of 2 and 3 are bootstrap intervals over cases and seeds: whole cases are drawn, the same
for all networks, and the seeds of each network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from metaunetr_training.evaluation.statistics import RESAMPLES, SEED, Interval, holm, paired

CONFIRMED, REFUTED, UNDECIDED = "confirmed", "refuted", "undecided"
LEVEL = 0.05  # of significance
MARGIN = 0.02  # of Dice; smaller differences do not matter

Tables = Mapping[str, np.ndarray]  # (seeds, cases, organs) by network; NaN: not scored


def mean(table: np.ndarray) -> float:
    """Mean over the organs of each organ's mean over cases and seeds."""
    by_organ = table.reshape(-1, table.shape[-1])
    scored = ~np.isnan(by_organ).all(axis=0)
    return float(np.nanmean(by_organ[:, scored], axis=0).mean()) if scored.any() else nan


def resampled(tables: Tables) -> dict[str, np.ndarray]:
    """The `mean` of every network in each of RESAMPLES draws of cases and seeds.

    A draw that lacks all cases of an organ has that organ's mean of all cases.
    """
    rng = np.random.default_rng(SEED)
    cases = next(iter(tables.values())).shape[1]
    drawn_cases = rng.multinomial(cases, np.full(cases, 1 / cases), RESAMPLES)
    found = {}
    for name, table in tables.items():
        table = table[..., ~np.isnan(table).all(axis=(0, 1))]
        seeds = len(table)
        drawn_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
        sums = counts = 0
        for one, weight in zip(table, drawn_seeds.T, strict=True):  # (cases, organs), (draws,)
            sums = sums + weight[:, None] * (drawn_cases @ np.nan_to_num(one))
            counts = counts + weight[:, None] * (drawn_cases @ ~np.isnan(one))
        means = np.broadcast_to(np.nanmean(table, axis=(0, 1)), sums.shape).copy()
        np.divide(sums, counts, out=means, where=counts > 0)
        found[name] = means.mean(axis=1)
    return found


def interval(draws: np.ndarray) -> Interval:
    """The 95 % percentile interval."""
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)


@dataclass(frozen=True)
class Spread:
    """Mean Dice of runs, between and within networks.

    Attributes:
        between: standard deviation of networks beyond that of seeds; 0 where there is none.
        seeds: standard deviation of the seeds of one network.
        share: of the variance of a single run that is due to the network, with its 95 % interval.
        f, p: of the hypothesis that the network has no influence. NaN with one seed each.
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
        return REFUTED if self.p < LEVEL else f"not {REFUTED}"


def spread(groups: Sequence[Sequence[float]]) -> Spread:
    """The analysis of variance of runs, grouped by network."""
    from scipy.stats import f as distribution

    sizes = np.array([len(group) for group in groups])
    networks, runs = len(groups), int(sizes.sum())
    df = networks - 1, runs - networks
    if min(df) < 1:
        return Spread(networks, runs, nan, nan, nan, (nan, nan), nan, nan)
    grand = np.concatenate([np.asarray(group, float) for group in groups]).mean()
    between = sum(len(g) * (np.mean(g) - grand) ** 2 for g in groups) / df[0]
    within = sum(((np.asarray(g, float) - np.mean(g)) ** 2).sum() for g in groups) / df[1]
    each = (runs - (sizes**2).sum() / runs) / df[0]  # seeds of a network, if all had equally many
    if within == 0:
        return Spread(networks, runs, float(np.sqrt(between / each)), 0.0, 1.0, (nan, nan), nan,
                      nan)
    f = between / within

    def share(value: float) -> float:
        ratio = max(0.0, (value - 1) / each)
        return float(ratio / (1 + ratio))

    ends = tuple(share(f / distribution.ppf(q, *df)) for q in (0.975, 0.025))
    return Spread(networks, runs, float(np.sqrt(max(0.0, (between - within) / each))),
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
    """The mean over seeds and organs of each case; an organ counts in all or none."""
    return np.array([np.nanmean(case) for case in table.swapaxes(0, 1)])


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
