"""What a wearer sees of a stream of answers. tests/firmware holds the C to the same integers."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from tinyhar.convert.bundle import Smoothing
from tinyhar.evaluate import smoothing
from tinyhar.evaluate.smoothing import Smoother, smooth


def one_hot(classes: list[int]) -> np.ndarray:
    return (np.eye(3, dtype=np.int8) * 50)[classes]


def test_without_smoothing_every_window_shows_its_own_class() -> None:
    classes = [0, 2, 1, 1, 0, 2]
    assert smooth(one_hot(classes), Smoothing(1, 1)).tolist() == classes


def test_one_wrong_window_does_not_show() -> None:
    assert smooth(one_hot([0, 0, 0, 1, 0, 0]), Smoothing(3, 1)).tolist() == [0] * 6


def test_a_change_waits_until_the_new_class_has_led_long_enough() -> None:
    assert smooth(one_hot([0, 1, 1, 2, 1, 1, 1]), Smoothing(1, 3)).tolist() == [0] * 6 + [1]


def test_the_lowest_class_wins_a_tie() -> None:
    assert smooth(np.array([[3, 3, 3]], np.int8), Smoothing(1, 1)).tolist() == [0]


def test_confidence_is_the_share_of_agreeing_windows() -> None:
    smoother = Smoother(Smoothing(4, 1), 3)
    shown = [smoother.push(row) for row in one_hot([0, 0, 1, 0, 0])]
    assert [confidence for _, confidence in shown] == [255, 255, 170, 191, 191]


def test_logits_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\), not \(3,\)"):
        Smoother(Smoothing(), 3).push([1, 2])


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(smoothing).failed == 0
