"""What a difference between methods is worth: pairs, intervals, ranks.

Pairs are judged by the mean difference with its bootstrap interval (Efron 1987, bias-corrected and
accelerated) and Wilcoxon's signed-rank test (1945); several pairs at once by Holm's correction
(1979). Many methods over many blocks are judged as Demsar does (Statistical Comparisons of
Classifiers over Multiple Data Sets, JMLR 7, 2006): average ranks, Friedman's test in Iman and
Davenport's form, Nemenyi's critical difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyhar.errors import DataError

RESAMPLES: Final = 9999
LEVEL: Final = 0.05
"""Of every test here; intervals hold 1 - LEVEL."""


@dataclass(frozen=True)
class Comparison:
    """One method minus another over pairs.

    Attributes:
        mean: of the differences.
        low, high: ends of the 95 % bootstrap interval of the mean; None for a single pair.
        p: Wilcoxon's, two-sided, of differences that lie evenly around 0.
        pairs: how many.
    """

    mean: float
    low: float | None
    high: float | None
    p: float
    pairs: int


@dataclass(frozen=True)
class Ranking:
    """Methods ranked in every block, 1 the best.

    Attributes:
        ranks: average rank of each method, in the order given.
        blocks: in how many blocks they were ranked.
        p: that all methods are alike, after Friedman, Iman and Davenport.
        critical: two average ranks that differ by more do so beyond chance (Nemenyi).
        cliques: runs of methods, by their place in the order given, that are not told apart.
    """

    ranks: tuple[float, ...]
    blocks: int
    p: float
    critical: float
    cliques: tuple[tuple[int, ...], ...]


def compare(first: ArrayLike, second: ArrayLike, *, seed: int = 0) -> Comparison:
    """Scores of two methods, paired: float[n] each; first minus second.

    Raises:
        DataError: no pairs, or lists of different lengths.
    """
    from scipy.stats import bootstrap

    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise DataError(f"{a.shape} and {b.shape} scores cannot be paired: give as many of each")
    # Equal scores must stay equal: a difference of rounding would get a rank of its own.
    difference = np.round(a - b, 12)
    mean, low, high = float(difference.mean()), None, None
    if len(difference) > 1:
        low = high = mean
        if np.ptp(difference) > 0:
            found = bootstrap(
                (difference,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=seed
            ).confidence_interval
            low, high = float(found.low), float(found.high)
    return Comparison(mean, low, high, signed_rank(difference), len(difference))


def signed_rank(difference: NDArray[np.float64]) -> float:
    """Wilcoxon's two-sided p of differences float[n]; zeros are shared out (Demsar, 3.1.3)."""
    from scipy.stats import wilcoxon

    if not difference.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few pairs: the exact p says so by itself
        return float(wilcoxon(difference, zero_method="zsplit").pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """p values of one family, corrected by Holm's step-down so that any below LEVEL counts."""
    order = np.argsort(p, kind="stable")
    steps = np.asarray(p, np.float64)[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in corrected]


def rank(scores: ArrayLike) -> Ranking:
    """Rank methods by scores float[block, method], higher is better; ties share their ranks.

    Raises:
        DataError: less than two methods or no block.
    """
    from scipy.stats import rankdata

    table = np.asarray(scores, np.float64)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise DataError(f"scores {table.shape}: ranking takes [block, method], two methods or more")
    places = rankdata(-np.round(table, 12), axis=1)
    ranks = places.mean(axis=0)
    blocks, methods = table.shape
    critical = critical_difference(methods, blocks)
    return Ranking(
        ranks=tuple(float(value) for value in ranks),
        blocks=blocks,
        p=_friedman(table),
        critical=critical,
        cliques=_cliques(ranks, critical),
    )


def critical_difference(methods: int, blocks: int, level: float = LEVEL) -> float:
    """Nemenyi's q sqrt(k (k + 1) / 6 N), q of the studentized range over sqrt 2 (Demsar, 3.2.2)."""
    from scipy.stats import studentized_range

    q = studentized_range.ppf(1 - level, methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def _friedman(table: NDArray[np.float64]) -> float:
    """p of Iman and Davenport's F = (N - 1) chi2 / (N (k - 1) - chi2), chi2 corrected for ties."""
    from scipy.stats import f, friedmanchisquare

    blocks, methods = table.shape
    if methods < 3 or blocks < 2:
        return signed_rank(table[:, 0] - table[:, 1]) if methods == 2 else 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0 / 0 where all are tied
        chi2 = float(friedmanchisquare(*np.round(table, 12).T).statistic)
    if not np.isfinite(chi2):
        return 1.0
    most = blocks * (methods - 1)
    if chi2 >= most * (1 - 1e-12):
        return 0.0
    statistic = (blocks - 1) * chi2 / (most - chi2)
    return float(f.sf(statistic, methods - 1, (methods - 1) * (blocks - 1)))


def _cliques(ranks: NDArray[np.float64], critical: float) -> tuple[tuple[int, ...], ...]:
    """The longest runs, by rank, whose ends are no further apart than `critical`."""
    order = [int(index) for index in np.argsort(ranks, kind="stable")]
    runs: list[tuple[int, ...]] = []
    for start in range(len(order)):
        run = [i for i in order[start:] if ranks[i] - ranks[order[start]] <= critical]
        if len(run) > 1 and not (runs and set(run) <= set(runs[-1])):
            runs.append(tuple(run))
    return tuple(runs)
