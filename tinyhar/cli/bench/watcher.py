"""Draws a bench's progress: a line a cell, a bar with cells done, left and the time left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tinyhar.bench.league import score
from tinyhar.bench.schedule import Job
from tinyhar.bench.workers import Ending
from tinyhar.evaluate.formats import duration


class Watcher:
    """A :class:`tinyhar.bench.schedule.Watcher` on a terminal; plain lines where there is none."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            transient=True,
        )
        self.task = self.bar.add_task("bench", told="", visible=False)
        self.total = self.done = self.failed = 0
        self.workers = 1
        self.since: dict[str, float] = {}
        self.took: dict[bool, list[float]] = {True: [], False: []}
        self.left: dict[bool, int] = {True: 0, False: 0}

    def __enter__(self) -> Watcher:
        self.bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.bar.stop()

    def begin(self, jobs: Sequence[Job], workers: int) -> None:
        """So much is to be done."""
        self.total, self.workers = len(jobs), workers
        for job in jobs:
            self.left[job.cell is None] += 1
        cells, teachers = self.left[False], self.left[True]
        many = "one at a time" if workers == 1 else f"{workers} at a time"
        told = " and ".join(
            _counted(n, what) for n, what in ((cells, "cell"), (teachers, "teacher"))
        )
        self.console.print(f"{told} to do, {many}")
        self._draw()

    def started(self, job: Job) -> None:
        """A worker has it."""
        self.since[job.name] = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(f"... {escape(job.title)}", highlight=False, soft_wrap=True)
        self._draw()

    def ended(self, job: Job, ending: Ending) -> None:
        """It is done, or failed."""
        self.done += 1
        self.left[job.cell is None] -= 1
        took = time.monotonic() - self.since.pop(job.name, time.monotonic())
        if ending.record is None:
            self.failed += 1
            self._line(f"[red]✗[/] {escape(job.title)}: {escape(ending.error)}")
        else:
            self.took[job.cell is None].append(took)
            result = "" if job.cell is None else f" [bold]{score(ending.record):.3f}[/]"
            self._line(f"[green]✓[/] {escape(job.title)}{result} [dim]({duration(took)})[/]")
        self._draw()

    def again(self, job: Job, why: str) -> None:
        """Its worker died; another one tries."""
        self._line(f"[yellow]![/] {escape(job.title)}: {escape(why)}; tried again")

    def _line(self, text: str) -> None:
        where = (
            "" if self.console.is_terminal else f" [dim]{self.done}/{self.total}{self._eta()}[/]"
        )
        self.console.print(text + where, highlight=False, soft_wrap=True)

    def _eta(self) -> str:
        """Time left, from how long teachers and cells took so far; nothing before the first."""
        every = [*self.took[True], *self.took[False]]
        if not every:
            return ""
        mean = {kind: sum(t) / len(t) if t else max(every) for kind, t in self.took.items()}
        seconds = sum(self.left[kind] * mean[kind] for kind in mean) / self.workers
        return f", about {duration(seconds)} left"

    def _draw(self) -> None:
        failed = f", {self.failed} failed" if self.failed else ""
        busy = f", {len(self.since)} under way" if self.since else ""
        self.bar.update(
            self.task,
            total=self.total,
            completed=self.done,
            visible=True,
            told=f"{self.total - self.done} left{busy}{self._eta()}{failed}",
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
