"""Means with their uncertainty, and whether paired differences could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

RESAMPLES = 10_000
SEED = 0
FEWEST_FOR_INTERVAL = 3  # of fewer cases, resampling only repeats them
FEWEST_FOR_TEST = 6  # of five pairs even the most extreme ranking has p = 2 / 2^5 > 0.05

Interval = tuple[float, float]


def bootstrap(values: np.ndarray) -> Interval | None:
    """95 % percentile interval of a mean over cases; None for fewer than three cases.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; whole cases are
    drawn, with a fixed seed. Percentile intervals of a handful of cases are too narrow.

    Args:
        values: (cases,), or (cases, organs) with NaN where an organ was not scored: then of the
            mean over organs of their means over cases.
    """
    values = np.asarray(values, float)
    values = values[:, None] if values.ndim == 1 else values
    values = values[~np.isnan(values).all(axis=1)]
    if len(values) < FEWEST_FOR_INTERVAL:
        return None
    low, high = np.percentile(draws_of_mean(values), (2.5, 97.5))
    return float(low), float(high)


def draws_of_mean(values: np.ndarray) -> np.ndarray:
    """The mean over organs of their means over cases, in RESAMPLES draws of cases (RESAMPLES,).

    A draw that lacks all cases of an organ has that organ's mean of all cases.

    Args:
        values: (cases, organs), NaN where an organ was not scored; the draws are the same for
            equally many cases.
    """
    n = len(values)
    drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    values = values[:, ~np.isnan(values).all(axis=0)]
    sums = drawn @ np.nan_to_num(values)
    counts = drawn @ ~np.isnan(values)
    means = np.broadcast_to(np.nanmean(values, axis=0), sums.shape).copy()
    np.divide(sums, counts, out=means, where=counts > 0)
    return means.mean(axis=1)


@dataclass(frozen=True)
class Paired:
    """Differences of pairs: second minus first.

    Attributes:
        n: pairs. mean, interval: of the differences, 95 %; None for fewer than three.
        p: two-sided; NaN where there are too few different pairs for a test to say anything.
        effect: matched-pairs rank-biserial correlation, -1 to 1; NaN where all are equal.
    """

    n: int
    mean: float
    interval: Interval | None
    p: float
    effect: float


def paired(first: np.ndarray, second: np.ndarray) -> Paired:
    """Wilcoxon's signed-rank test of values (n,) of the same cases.

    Equal pairs are dropped, as by Wilcoxon (Biometrics Bulletin 1945;1:80-83). Effect size: the
    share of ranks in favour of the second minus that of the first (Kerby, Comprehensive
    Psychology 2014;3:11.IT.3.1).
    """
    from scipy.stats import rankdata, wilcoxon

    difference = np.asarray(second, float) - np.asarray(first, float)
    different = difference[difference != 0]
    effect = p = nan
    if len(different):
        ranks = rankdata(np.abs(different))
        effect = float((ranks @ np.sign(different)) / ranks.sum())
    if len(different) >= FEWEST_FOR_TEST:
        p = float(wilcoxon(different).pvalue)
    return Paired(len(difference), float(difference.mean()) if len(difference) else nan,
                  bootstrap(difference), p, effect)


def holm(ps: Sequence[float]) -> list[float]:
    """p-values corrected for being several (Holm, Scand J Statist 1979;6:65-70); NaN stays."""
    tested = sorted((p, place) for place, p in enumerate(ps) if not isnan(p))
    corrected, largest = [nan] * len(ps), 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - rank)))
        corrected[place] = largest
    return corrected
