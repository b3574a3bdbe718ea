"""A threshold refuses the share of known movement that was asked for, and more of the unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.personal import rejection
from tinyhar.personal.rejection import SCORES, judged, separation, set_threshold


def known(n: int, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    logits = random.normal(size=(n, classes))
    logits[np.arange(n), y] += 6
    return logits, y


@pytest.mark.parametrize("score", SCORES)
@given(share=st.floats(0.02, 0.5))
def test_the_wanted_share_of_what_it_was_set_from_is_refused(score: str, share: float) -> None:
    logits, _ = known(500)
    found = set_threshold(logits, score=score, false_rejects=share)
    assert abs(found.refuses(logits).mean() - share) <= 1 / 500


@pytest.mark.parametrize("score", SCORES)
def test_a_class_taken_out_is_refused_and_known_ones_are_not(score: str) -> None:
    logits, _ = known(800)
    later, y_later = known(800, seed=1)
    found = judged(set_threshold(logits, score=score), later, y_later, "abcd")
    assert found.false_rejects < 0.1
    assert set(found.caught) == set("abcd") and found.catch_rate > 0.9


def test_scores_are_what_they_say() -> None:
    logits = np.array([[1.0, 5.0, 2.0], [0.0, 0.0, 0.0]])
    assert rejection.largest(logits).tolist() == [5, 0]
    assert rejection.margin(logits).tolist() == [3, 0]
    np.testing.assert_allclose(rejection.energy(logits), np.log(np.exp(logits).sum(axis=1)))


def test_separation_is_the_area_under_the_roc() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(1, 1, 300), random.normal(0, 1, 200)
    assert separation(a, b) == pytest.approx((a[:, None] > b[None]).mean(), abs=1e-12)
    assert separation(a, a) == pytest.approx(0.5)


def test_with_two_classes_there_is_nothing_to_take_out() -> None:
    logits, y = known(50, classes=2)
    found = judged(set_threshold(logits), logits, y, "ab")
    assert not found.caught and np.isnan(found.catch_rate)


@pytest.mark.parametrize(
    ("logits", "options", "words"),
    [
        (np.empty((0, 3)), {}, "no known windows"),
        (np.ones((3, 3)), {"score": "luck"}, "'luck'"),
        (np.ones((3, 3)), {"false_rejects": 1.5}, "1.5"),
    ],
)
def test_what_cannot_be_is_said(logits, options, words: str) -> None:
    with pytest.raises(DataError, match=words):
        set_threshold(logits, **options)
