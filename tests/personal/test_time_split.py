"""No sample is learned from and judged by; what judges is later; windows keep their distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.personal.time_split import Stretch, split_in_time, stretches, whole

runs = st.lists(st.tuples(st.integers(-1, 3), st.integers(1, 60)), min_size=1, max_size=8)
recorded = st.lists(runs, min_size=1, max_size=4)
shares = st.floats(0, 0.9)


def labels_of(several: list[list[tuple[int, int]]]) -> list[np.ndarray]:
    return [np.concatenate([np.full(n, label) for label, n in one]) for one in several]


@given(recorded, st.integers(2, 20), shares, st.booleans())
def test_no_sample_is_on_both_sides(several, window, held_out, by_recording) -> None:
    labels = labels_of(several)
    found = whole(labels) if by_recording else stretches(labels)
    split = split_in_time(found, window=window, held_out=held_out)
    sides = [
        {(p.recording, at) for p in side for at in range(p.begin, p.end)}
        for side in (split.learn, split.judge)
    ]
    assert not sides[0] & sides[1]


@given(recorded, st.integers(2, 20), shares, st.integers(1, 30))
def test_windows_of_a_cut_stretch_stay_a_window_apart(several, window, held_out, stride) -> None:
    found = stretches(labels_of(several))
    split = split_in_time(found, window=window, held_out=held_out)
    for one in found:

        def inside(side, one=one):
            return [
                s
                for p in side
                if (p.recording, p.label) == (one.recording, one.label)
                and one.begin <= p.begin < one.end
                for s in p.starts(window, stride)
            ]

        learn, judge = inside(split.learn), inside(split.judge)
        if learn and judge:
            assert min(judge) >= max(learn) + 2 * window, "a window's gap after the last one's end"


@given(recorded, st.integers(2, 20), shares)
def test_what_judges_is_later_and_every_class_is_learned(several, window, held_out) -> None:
    found = stretches(labels_of(several))
    split = split_in_time(found, window=window, held_out=held_out)
    long_enough = {one.label for one in found if len(one) >= window}
    assert {one.label for one in split.learn} == long_enough
    for label in long_enough:
        learn = [p for p in split.learn if p.label == label]
        judge = [p for p in split.judge if p.label == label]
        if judge:
            assert max(learn) < min(judge)
    for part in (*split.learn, *split.judge):
        assert len(part) >= window
        assert any(
            one.recording == part.recording and one.begin <= part.begin and part.end <= one.end
            for one in found
        )


def test_one_long_stretch_loses_a_window_in_between() -> None:
    split = split_in_time([Stretch(0, 0, 1000, 0)], window=50, held_out=0.3)
    assert split.learn == (Stretch(0, 0, 650, 0),)
    assert split.judge == (Stretch(0, 700, 1000, 0),)


def test_between_two_takes_nothing_is_lost() -> None:
    takes = [Stretch(i, 0, 100, 0) for i in range(4)]
    split = split_in_time(takes, window=50, held_out=0.3)
    assert split.learn == tuple(takes[:3]) and split.judge == (takes[3],)


@pytest.mark.parametrize("length", [50, 100, 149])
def test_a_class_that_is_too_short_is_learned_from_as_a_whole(length: int) -> None:
    split = split_in_time([Stretch(0, 0, length, 0)], window=50, held_out=0.3)
    assert split.learn == (Stretch(0, 0, length, 0),) and split.judge == ()


def test_takes_of_different_classes_are_each_split_when_cut_as_wholes() -> None:
    labels = [
        np.zeros(100),
        np.zeros(100),
        np.ones(100),
        np.ones(100),
        np.r_[np.zeros(50), np.ones(50)],
    ]
    split = split_in_time(whole(labels), window=20, held_out=0.5)
    assert [p.recording for p in split.judge] == [1, 3, 4]
