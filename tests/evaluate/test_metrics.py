from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from tinyhar.errors import DataError
from tinyhar.evaluate.metrics import (
    confusion,
    evaluate,
    f1_of_confusion,
    in_order,
    macro_f1,
    subject_f1,
    summary,
)

CLASSES = 4
answers = st.lists(
    st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1), st.sampled_from("abc")),
    min_size=1,
    max_size=60,
)


def test_macro_f1_by_hand() -> None:
    # class 0: TP 1, FN 1 -> 2/3; class 1: TP 1, FP 1 -> 2/3; class 2: TP 1 -> 1
    assert macro_f1([0, 0, 1, 2], [0, 1, 1, 2], classes=3) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_a_class_that_nobody_did_counts_as_zero() -> None:
    assert macro_f1([0, 1], [0, 1], classes=2) == 1.0
    assert macro_f1([0, 1], [0, 1], classes=4) == 0.5


def test_confusion_has_rows_for_truth_and_a_place_for_absent_classes() -> None:
    matrix = confusion([0, 0, 2], [0, 1, 2], classes=4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


@given(answers)
def test_all_figures_agree_with_scikit_learn(rows: list[tuple[int, int, str]]) -> None:
    true, predicted, who = (list(column) for column in zip(*rows, strict=True))
    judged = evaluate(true, predicted, who, classes=CLASSES)
    labels = range(CLASSES)
    each = f1_score(true, predicted, labels=labels, average=None, zero_division=0.0)
    np.testing.assert_allclose(judged.class_f1, each)
    assert judged.macro_f1 == pytest.approx(macro_f1(true, predicted, classes=CLASSES))
    assert judged.macro_f1 == pytest.approx(np.mean(each))
    assert judged.accuracy == pytest.approx(accuracy_score(true, predicted))
    assert judged.windows == len(rows) == sum(judged.subject_windows.values())
    assert list(judged.subject_f1) == sorted(set(who))


@given(answers)
def test_a_persons_f1_is_over_the_classes_they_did(rows: list[tuple[int, int, str]]) -> None:
    true, predicted, who = (np.array(column) for column in zip(*rows, strict=True))
    for name, value in subject_f1(true, predicted, who, classes=CLASSES).items():
        theirs = who == name
        done = np.unique(true[theirs])
        expected = f1_score(
            true[theirs], predicted[theirs], labels=done, average="macro", zero_division=0.0
        )
        assert value == pytest.approx(expected)


def test_answering_what_somebody_never_did_costs_them() -> None:
    people = subject_f1([0, 0, 1, 1], [0, 2, 1, 1], ["a", "a", "b", "b"], classes=3)
    assert people == pytest.approx({"a": 2 / 3, "b": 1.0})


def test_f1_of_an_empty_class_is_zero_not_nan() -> None:
    assert f1_of_confusion([[3, 0], [0, 0]]).tolist() == [1.0, 0.0]


def test_people_come_in_natural_order() -> None:
    assert in_order({"10", "2", "anna", "1"}) == ["1", "2", "10", "anna"]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_summary_is_mean_and_sample_deviation(values: list[float]) -> None:
    result = summary(values)
    assert result.n == len(values)
    assert result.mean == pytest.approx(np.mean(values))
    assert result.std == pytest.approx(np.std(values, ddof=1))


def test_one_seed_has_no_spread() -> None:
    assert summary([0.9]).std == 0.0
    with pytest.raises(DataError, match="nothing to summarise"):
        summary([])


@pytest.mark.parametrize(
    ("true", "predicted", "subjects", "said"),
    [
        ([], [], None, "not empty"),
        ([0, 1], [0], None, r"\(2,\) and predicted \(1,\)"),
        ([0, 3], [0, 1], None, "true class 3 is not one of 0..2"),
        ([0, 1], [0, -1], None, "predicted class -1 is not one of 0..2"),
        ([0, 1], [0, 1], ["a"], "1 subject names for 2 windows"),
    ],
)
def test_wrong_input_is_named(true: list, predicted: list, subjects: list, said: str) -> None:
    with pytest.raises(DataError, match=said):
        evaluate(true, predicted, subjects, classes=3)
