"""What is said to have been done in a window."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhar.band.movement import UNKNOWN, Movement


@pytest.mark.parametrize(
    ("last", "window", "done"),
    [
        (3, 4, ("sit",)),
        (5, 4, ("sit", "walk")),
        (9, 4, ("walk", "?")),
        (11, 4, ()),
        (11, 12, ("sit", "walk", "?")),
        (1, 4, ("sit",)),
    ],
)
def test_what_was_done_in_a_window_is_told_in_order(
    last: int, window: int, done: tuple[str, ...]
) -> None:
    labels = np.array([0] * 4 + [1] * 4 + [UNKNOWN] * 4)
    movement = Movement(np.zeros((12, 3), np.int16), labels, ("sit", "walk"))
    assert movement.done(last, window) == done


def test_a_part_of_a_movement_keeps_counts_and_labels_together() -> None:
    movement = Movement(np.ones((12, 3), np.int16), np.arange(12), tuple("abcdefghijkl")).first(5)
    assert (movement.counts.shape, movement.labels.tolist()) == ((5, 3), [0, 1, 2, 3, 4])
