"""What a run's progress says."""

from __future__ import annotations

import io
import signal
from contextlib import suppress

import pytest
from rich.console import Console

from tinyhar.cli.watcher import Watcher
from tinyhar.distill import EpochReport


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, ""), (0.4, ""), (0.6, ", 1 s left"), (75.0, ", 1 min 15 s left")]
)
def test_time_left_is_told_while_there_is_any(seconds: float, said: str) -> None:
    told = io.StringIO()
    report = EpochReport(5, 5, 0.5, {}, 0.9, 0.9, rate=0.1, seconds=1.0, eta_seconds=seconds)
    Watcher(Console(file=told, width=200)).epoch("student", report)
    assert told.getvalue().rstrip().endswith(f"F1 0.900 (best 0.900){said}")


def test_a_ctrl_c_that_was_swallowed_counts_at_the_next_stage() -> None:
    with Watcher(Console(file=io.StringIO())) as watcher:
        with suppress(KeyboardInterrupt):  # as a callback from C does
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            watcher.stage("teach", "train the teacher")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_stage_s_next_training_is_drawn_as_its_own() -> None:
    def report(epoch: int, epochs: int) -> EpochReport:
        return EpochReport(epoch, epochs, 0.5, {}, 0.9, 0.9, rate=0.1, seconds=1.0, eta_seconds=0.0)

    with Watcher(Console(file=io.StringIO())) as watcher:
        watcher.epoch("student", report(50, 50))
        watcher.epoch("chosen", report(1, 10))
        (task,) = watcher.bar.tasks
        assert (task.description, task.completed, task.total) == ("chosen", 1, 10)


def test_brackets_in_a_note_are_text() -> None:
    told = io.StringIO()
    Watcher(Console(file=told, width=200)).note("over the budget of [pruning] in [/some/path]")
    assert "[pruning] in [/some/path]" in told.getvalue()
