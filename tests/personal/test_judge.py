"""Before and after are judged on the same windows, over the classes that occur there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tinyhar.errors import DataError
from tinyhar.personal.judge import compare, confused, judge


def test_f1_is_scikit_learn_s_over_classes_that_occur() -> None:
    random = np.random.default_rng(0)
    true, said = random.integers(0, 4, 200), random.integers(0, 6, 200)
    found = judge(true, said, 6)
    expected = f1_score(true, said, labels=range(4), average="macro")
    assert found.macro_f1 == pytest.approx(expected)
    assert np.isnan(found.class_f1[4:]).all() and found.windows == 200


def test_an_answer_that_is_no_class_costs_recall() -> None:
    found = judge(np.array([0, 0, 1, 1]), np.array([0, -1, 1, 1]), 2)
    assert found.class_f1.tolist() == pytest.approx([2 / 3, 1])
    assert found.confusion.tolist() == [[1, 0, 1], [0, 2, 0]]


def test_gains_and_losses_have_their_sign() -> None:
    true = np.array([0, 0, 1, 1])
    better = compare(true, np.array([0, 1, 0, 1]), true, 2)
    assert better is not None
    assert better.gain == pytest.approx(0.5) and better.relative_gain == pytest.approx(1.0)
    worse = compare(true, true, np.array([0, 1, 0, 1]), 2)
    assert worse is not None and worse.gain == pytest.approx(-0.5)
    assert compare(true[:0], true[:0], true[:0], 2) is None


def test_confusions_are_named_worst_first() -> None:
    true = np.repeat([0, 1, 2], 10)
    said = np.r_[[1] * 3, [0] * 7, [2] * 9, [1], [2] * 10]
    assert confused(judge(true, said, 3), ("a", "b", "c")) == [
        "90% of 'b' is taken for 'c'",
        "30% of 'a' is taken for 'b'",
    ]


def test_nothing_to_judge_is_said() -> None:
    with pytest.raises(DataError, match="nothing to judge"):
        judge(np.empty(0, int), np.empty(0, int), 2)
