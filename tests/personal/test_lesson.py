"""An epoch holds as many windows of each class, with a fixed share of the user's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.personal.lesson import MOST, balanced, dense_stride

counts = st.lists(st.integers(0, 300), min_size=3, max_size=3)


@given(counts, counts, st.floats(0.1, 0.9), st.integers(0, 5))
def test_classes_are_balanced_and_the_user_has_its_share(own, others, share, seed) -> None:
    mine = np.repeat(np.arange(3), own)
    theirs = np.repeat(np.arange(3), others)
    chosen, rehearsed = balanced(mine, theirs, classes=3, share=share, seed=seed)
    again = balanced(mine, theirs, classes=3, share=share, seed=seed)
    assert np.array_equal(chosen, again[0]) and np.array_equal(rehearsed, again[1])
    for k in range(3):
        ours, others_of_k = (mine[chosen] == k).sum(), (theirs[rehearsed] == k).sum()
        if own[k] and others[k]:
            assert ours == round(share * MOST) and ours + others_of_k == MOST
        else:
            assert ours == MOST * bool(own[k]) and others_of_k == MOST * bool(others[k])


def test_all_windows_are_used_before_one_comes_again() -> None:
    chosen, _ = balanced(np.zeros(50, int), np.empty(0, int), classes=1, share=0.5, seed=1)
    assert len(chosen) == MOST
    assert set(np.bincount(chosen).tolist()) <= {MOST // 50, MOST // 50 + 1}


def test_a_dense_stride_is_never_zero() -> None:
    assert dense_stride(125) == 12 and dense_stride(4) == 1
