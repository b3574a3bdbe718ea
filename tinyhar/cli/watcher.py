"""Draws a run's progress: a line a stage, a bar with loss, F1 and time left while one trains."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tinyhar.distill import EpochReport


class Watcher:
    """A :class:`tinyhar.pipeline.Progress` on a terminal; plain lines where there is none.

    A Ctrl-C that comes while Python cannot raise it (in a callback from C it is printed and
    forgotten) is raised at the next epoch or stage.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.title = ""
        self.bar = Progress(
            TextColumn("  {task.description:8}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  F1 {task.fields[f1]}{task.fields[left]}"),
            console=console,
            transient=True,
        )
        self.task: TaskID | None = None
        self._interrupted = False
        self._before: Any = None

    def __enter__(self) -> Watcher:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:  # as a script's background jobs are started
            signal.signal(signal.SIGINT, self._interrupt)
        self.bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.bar.stop()
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def _go_on(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt

    def stage(self, name: str, title: str) -> None:
        """A stage begins."""
        self._go_on()
        self.title = title
        if not self.console.is_terminal:
            self.console.print(f"... {title}")

    def epoch(self, what: str, report: EpochReport) -> None:
        """A training finished an epoch."""
        self._go_on()
        shown: dict[str, Any] = {
            "loss": f"{report.loss:.3f}",
            "f1": _score(report.macro_f1, report.best_f1),
            "left": _left(report),
        }
        if self.task is None:
            self.task = self.bar.add_task(what, total=report.epochs, **shown)
        elif self.bar.tasks[0].description != what:  # the stage's next training
            self.bar.reset(self.task, description=what, total=report.epochs, **shown)
        self.bar.update(self.task, completed=report.epoch, **shown)
        if not self.console.is_terminal and report.epoch % max(1, report.epochs // 5) == 0:
            self.console.print(
                f"    {what} {report.epoch}/{report.epochs}: loss {shown['loss']}, "
                f"F1 {shown['f1']}{shown['left']}"
            )

    def note(self, text: str) -> None:
        """Something worth a line."""
        self.console.print(f"  [yellow]note[/] {escape(text)}")

    def done(self, name: str, seconds: float | None) -> None:
        """A stage ended."""
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None
        took = "kept from before" if seconds is None else _clock(seconds)
        self.console.print(f"[green]✓[/] {self.title} [dim]({took})[/]")


def _score(f1: float | None, best: float | None) -> str:
    if f1 is None:
        return "not validated"
    return f"{f1:.3f}" + (f" (best {best:.3f})" if best else "")


def _left(report: EpochReport) -> str:
    """Time left, while there is any."""
    return f", {_clock(report.eta_seconds)} left" if report.eta_seconds >= 0.5 else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
