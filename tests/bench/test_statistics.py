"""Statistics against published examples, scipy and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tinyhar.bench import statistics
from tinyhar.errors import DataError

DEMSAR = np.array(
    [
        *([0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569]),
        *([0.954, 0.971, 0.968, 0.967], [0.628, 0.661, 0.654, 0.657]),
        *([0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931]),
        *([0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625]),
        *([0.775, 0.838, 0.866, 0.875], [1.000, 1.000, 1.000, 1.000]),
        *([0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669]),
        *([0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970]),
    ]
)
"""AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets: Demsar 2006, table 6.

In the thirteenth (voting) both 0.975 have ranks 2 and 3 there, so they differ in a later digit.
"""


def test_ranks_are_demsars() -> None:
    ranking = statistics.rank(DEMSAR)
    np.testing.assert_allclose(ranking.ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert ranking.blocks == 14


def test_friedmans_test_is_scipys_in_iman_and_davenports_form() -> None:
    chi2 = stats.friedmanchisquare(*DEMSAR.T).statistic
    f = 13 * chi2 / (14 * 3 - chi2)
    assert statistics.rank(DEMSAR).p == pytest.approx(stats.f.sf(f, 3, 39))
    # Without the correction for ties these are Demsar's 9.28 and 3.69; he rejects at 0.05 too.
    ranks = np.asarray(statistics.rank(DEMSAR).ranks)
    plain = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 5**2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    assert 13 * plain / (14 * 3 - plain) == pytest.approx(3.69, abs=0.005)
    assert plain < chi2
    assert statistics.rank(DEMSAR).p < 0.05


def test_the_critical_difference_is_demsars() -> None:
    assert statistics.critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert statistics.critical_difference(4, 14, level=0.10) == pytest.approx(1.12, abs=0.005)


@pytest.mark.parametrize(
    ("methods", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (10, 3.164)],
)
def test_nemenyis_q_is_demsars_table_5(methods: int, q: float) -> None:
    blocks = 10
    expected = q * np.sqrt(methods * (methods + 1) / (6 * blocks))
    assert statistics.critical_difference(methods, blocks) == pytest.approx(expected, rel=4e-4)


def test_cliques_are_the_longest_runs_within_the_critical_difference() -> None:
    ranking = statistics.rank(DEMSAR)  # 1.964, 2.000, 2.893, 3.143 with 1.25 between
    assert ranking.cliques == ((3, 1, 0, 2),) or ranking.cliques == ((3, 1, 2, 0),)
    sure = statistics.rank(np.tile([0.9, 0.8, 0.7, 0.6], (50, 1)))
    assert sure.ranks == (1, 2, 3, 4)
    assert sure.cliques == ()
    assert sure.p < 1e-6


def test_methods_that_are_always_equal_are_not_told_apart() -> None:
    ranking = statistics.rank(np.full((6, 3), 0.9))
    assert ranking.ranks == (2, 2, 2)
    assert ranking.p == 1.0
    assert ranking.cliques == ((0, 1, 2),)


def test_a_pair_of_methods_is_compared_over_their_differences() -> None:
    first = [0.91, 0.92, 0.95, 0.97, 0.99, 0.96]
    second = [0.90, 0.90, 0.92, 0.93, 0.94, 0.90]  # 1, 2, 3, 4, 5, 6 hundredths
    found = statistics.compare(first, second)
    assert found.mean == pytest.approx(0.035)
    assert found.pairs == 6
    assert found.p == pytest.approx(2 / 2**6)  # all six on one side, exactly
    assert found.low is not None and found.high is not None
    assert 0.015 < found.low < 0.03 < 0.04 < found.high < 0.055
    assert statistics.compare(second, first).mean == pytest.approx(-0.035)


def test_equal_scores_prove_nothing_and_one_pair_has_no_interval() -> None:
    same = statistics.compare([0.9, 0.8, 0.7], [0.9, 0.8, 0.7])
    assert (same.mean, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    single = statistics.compare([0.9], [0.8])
    assert single.low is None and single.high is None and single.p == 1.0


def test_the_interval_is_the_same_every_time() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 12))
    assert statistics.compare(a, b) == statistics.compare(a, b)


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        found = statistics.compare(rng.normal(0.01, 0.02, 30), np.zeros(30))
        held += found.low is not None and found.high is not None and found.low <= 0.01 <= found.high
    assert held >= 51  # 57 expected of 60


def test_holms_correction_by_hand() -> None:
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1; never falling
    assert statistics.holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert statistics.holm([0.5, 0.9]) == [1.0, 1.0]
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction_never_lowers_nor_reorders(p: list[float]) -> None:
    corrected = statistics.holm(p)
    assert all(c >= v or c == 1.0 for c, v in zip(corrected, p, strict=True))
    order = np.argsort(p, kind="stable")
    assert all(np.diff(np.asarray(corrected)[order]) >= 0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="paired"):
        statistics.compare([0.9], [0.8, 0.7])
    with pytest.raises(DataError, match="paired"):
        statistics.compare([], [])
    with pytest.raises(DataError, match="two methods"):
        statistics.rank([[0.9]])
