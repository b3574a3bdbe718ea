"""What a view remembers: the right seconds, the right minute, nothing more."""

from __future__ import annotations

import numpy as np
import pytest

from tests.band.live_parts import Wired
from tinyhar.band.history import ANSWER_SECONDS, SIGNAL_SECONDS, Answer, History, runs
from tinyhar.band.session import Joined, Lost


def remembered(events: int) -> tuple[Wired, History]:
    wired = Wired()
    first, *rest = wired.take(events)
    assert isinstance(first, Joined)
    history = History(first.sensing)
    for event in rest:
        history.take(event)
    return wired, history


def test_the_last_seconds_of_the_signal_are_kept_in_units() -> None:
    wired, history = remembered(500)
    samples = round(history.seconds * 50)
    last = np.arange(samples - round(SIGNAL_SECONDS * 50), samples) % len(wired.played.counts)
    assert np.allclose(history.signal, wired.played.counts[last] * history.sensing.lsb)


def test_little_is_kept_in_memory_however_long_it_runs() -> None:
    _, history = remembered(3000)
    assert sum(map(len, history._pieces)) <= 2 * SIGNAL_SECONDS * 50 + 10
    assert history.seconds > 200
    assert history.answers[0].seconds >= history.seconds - ANSWER_SECONDS


def test_windows_a_second_are_those_of_the_stride() -> None:
    _, history = remembered(500)
    assert history.windows_per_second == pytest.approx(50 / 8, rel=0.02)
    assert history.latest is not None
    assert history.latest.ms > 0


def test_a_lost_line_is_remembered_until_it_moves_again() -> None:
    wired, history = remembered(10)
    history.take(Lost("the cable"))
    assert history.lost == "the cable"
    history.take(Joined("simulated", history.sensing, wired.sources[0], 2.0))
    assert history.lost == ""
    assert len(history.signal)


def test_another_model_begins_a_new_history() -> None:
    _, history = remembered(100)
    other, _ = Wired().take(2)
    assert isinstance(other, Joined)
    history.take(other)
    assert history.sensing is other.sensing
    assert not history.answers
    assert len(history.signal) == 0


def test_runs_are_stretches_of_one_class() -> None:
    def said(seconds: float, shown: int) -> Answer:
        return Answer(seconds, shown, shown, 1.0, 0.1, np.ones(3) / 3)

    _, history = remembered(2)
    history.answers.extend([said(1, 0), said(2, 0), said(3, 1), said(4, 0)])
    assert runs(history.answers) == [(0, 1, 2), (1, 2, 3), (0, 3, 4)]
    history.clear()
    assert runs(history.answers) == []
