"""What the serial tool shows to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tinyhar.band.link import START_ONE

if TYPE_CHECKING:
    from tinyhar.band.bench import Bench
    from tinyhar.band.clock import Latency
    from tinyhar.band.doctor import Step
    from tinyhar.band.play import Played
    from tinyhar.band.validate import ValidationReport
    from tinyhar.cli.listener import Score

MOST_MISMATCHES = 10
"""Printed; --json has them all."""

console = Console(highlight=False)


@dataclass(frozen=True)
class Found:
    """A port, and who answered there, or why nobody did."""

    url: str
    what: str
    board: str
    bundle_id: str
    error: str


def found(ports: Sequence[Found]) -> None:
    """One line a port."""
    if not ports:
        console.print("no serial port and no emulated band found; plug one in, or start one with")
        console.print(f"  {START_ONE.strip('`')}")
    for port in ports:
        who = f"{port.board}, bundle {port.bundle_id[:12]}" if port.board else port.error
        mark = "[green]band[/]" if port.board else "[yellow]  - [/]"
        console.print(f"{mark} {escape(port.url)}  [dim]{escape(port.what)}[/]  {escape(who)}")


def step(one: Step) -> None:
    """A step of the diagnosis, as soon as it is known."""
    mark = "[green]ok  [/]" if one.good else "[red]bad [/]"
    console.print(f"{mark} {one.name:<11}{escape(one.seen)}")
    if one.remedy:
        console.print(f"     {'':<11}[yellow]{escape(one.remedy)}[/]")


def diagnosis(good: bool) -> None:
    """The end of it."""
    console.print("[green]all is well[/]" if good else "[red]something is wrong, see above[/]")


def facts(plain: dict[str, Any]) -> None:
    """What `info` found out."""
    table = _pairs()
    for name, value in plain.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key.replace('_', ' ')} {each}" for key, each in value.items())
        elif isinstance(value, tuple):
            value = ", ".join(value)
        table.add_row(name.replace("_", " "), escape(str(value)))
    console.print(table)


def selftest(plain: dict[str, Any]) -> None:
    """How many golden windows gave their logits."""
    if plain["good"]:
        console.print(f"[green]good[/]: {plain['run']} golden windows, every byte as on the desk")
    elif not plain["run"]:
        console.print("[red]bad[/]: the bundle carries no golden windows; pack it with some")
    else:
        console.print(
            f"[red]bad[/]: {plain['failed']} of {plain['run']} golden windows differ; window "
            f"{plain['first_failed']} gives {plain['got']}, expected {plain['expected']}"
        )


def validation(report: ValidationReport) -> None:
    """Verdict, figures, and the first mismatches."""
    table = _pairs()
    table.add_row("band", f"{report.board}, {report.engine} engine, bundle {report.bundle_id[:12]}")
    table.add_row("agreement", f"{report.agreement:.2%} ({report.equal} of {report.windows})")
    desk = f"the desk's {report.macro_f1_desk:.4f}"
    table.add_row("macro-F1 on the band", f"{report.macro_f1_device:.4f} ({desk})")
    table.add_row("speed", f"{report.windows_per_second:,.0f} windows/s, {report.retries} retries")
    if report.instructions_per_window is not None:
        mean, most = report.instructions_per_window, report.instructions_max
        table.add_row("instructions a window", f"{mean:,} (at most {most:,})")
    table.add_row("time a window", _latency(report.latency_ms))
    console.print(table)
    for mismatch in report.mismatches[:MOST_MISMATCHES]:
        console.print(f"[red]differs[/] {escape(str(mismatch))}")
    verdict = "[green]equal[/]: every byte" if report.good else "[red]different[/]"
    console.print(verdict)


def bench(result: Bench) -> None:
    """Speeds."""
    table = _pairs()
    table.add_row("round trip", f"{result.round_trip_ms:.2f} ms")
    table.add_row("windows", f"{result.windows_per_second:,.0f} /s")
    table.add_row("frames", f"{result.frames_per_second:,.0f} /s, {result.retries} retries")
    out, back = result.bytes_per_second_out, result.bytes_per_second_in
    table.add_row("line", f"{out / 1000:,.1f} kB/s out, {back / 1000:,.1f} kB/s in")
    if result.instructions_per_window is not None:
        table.add_row("instructions a window", f"{result.instructions_per_window:,}")
    table.add_row("time a window", _latency(result.latency_ms))
    console.print(table)


class StreamView:
    """A line a prediction, as it comes; nothing for machines."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(highlight=False, quiet=quiet, soft_wrap=True)
        self.width = 0

    def begin(self, scale: str, names: Sequence[str]) -> None:
        """What a count was taken for, and what the columns are."""
        self.width = max(map(len, (*names, "the band says")))
        if scale:
            self.console.print(f"[dim]{escape(scale)}[/]")
        says, really = (f"{title:<{self.width}}" for title in ("the band says", "really"))
        self.console.print(f"[dim]{'time':>11}  {says} sure    {really} by its window[/]")

    def line(self, heard: dict[str, Any]) -> None:
        """One prediction."""
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: " "}[heard["right"]]
        really = " > ".join(heard["really"]) or "-"
        self.console.print(
            f"{heard['seconds']:9.2f} s  [bold]{escape(heard['smoothed']):<{self.width}}[/] "
            f"{heard['confidence']:4.0%}  {mark} {escape(really):<{self.width}} "
            f"[dim]{escape(heard['class'])}[/]"
        )


def played(result: Played, score: Score) -> None:
    """The end of a stream."""
    lost = f", {result.missed} lost on the line" if result.missed else ""
    heard = f"{result.predictions} prediction{'' if result.predictions == 1 else 's'}{lost}"
    lines = [
        f"{heard} of {result.samples} samples in "
        f"{result.seconds:.1f} s ({result.samples_per_second:,.0f} samples/s)"
    ]
    if score.windows:
        lines.append(
            f"right: {score.shown} of {score.windows} windows of one activity; "
            f"by the window alone: {score.alone}"
        )
    if score.instructions_per_window is not None:
        lines.append(f"instructions a window: {score.instructions_per_window:,}")
    if score.latency_ms is not None:
        lines.append(f"time a window: {_latency(score.latency_ms)}")
    for line in lines:
        console.print(f"[dim]{line}[/]")


def logits(raw: bytes) -> list[int]:
    """Logits int8 as plain numbers."""
    values: list[int] = np.frombuffer(raw, np.int8).tolist()
    return values


@contextmanager
def progress(total: int, unit: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while something runs; none for machines or when stderr is a file."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not Console(stderr=True).is_terminal,
    )
    with bar:
        task = bar.add_task(unit, total=total)
        yield lambda done: bar.update(task, completed=done)


def _latency(times: Latency) -> str:
    spread = f"p90 {times.p90:.2f}, p99 {times.p99:.2f}, max {times.max:.2f}"
    return f"{times.p50:.2f} ms ({spread}) {times.clock}"


def _pairs() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
