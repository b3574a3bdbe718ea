"""``tinyhar data list | info | fetch``: what can be read, what is in it, how to get it."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from tinyhar.cli.options import DataOption
from tinyhar.errors import DataError
from tinyhar.recordings import DATASETS, DatasetInfo, Recording, data_root, dataset, load
from tinyhar.recordings.words import counted

app = typer.Typer(help="Data sets: list them, look into one, fetch one.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="A data set's name, see `tinyhar data list`.")]


@app.command("list")
def list_datasets(data: DataOption = None) -> None:
    """What can be read, and what of it is here."""
    root = _root_or_none(data)
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what", *(["here"] if root else [])):
        table.add_column(heading)
    for info in (info for info in DATASETS.values() if not info.part_of):
        table.add_row(info.name, info.brief, *([_presence(info, root)] if root else []))
    console = Console()
    console.print(table)
    console.print()
    if root is None:
        console.print("To see what is here: --data DIR, or set TINYHAR_DATA.", style="dim")
    console.print("More of one, with its licence: tinyhar data info NAME", style="dim")


def _root_or_none(data: Path | None) -> Path | None:
    return data_root(data) if data is not None or os.environ.get("TINYHAR_DATA") else None


def _presence(info: DatasetInfo, root: Path) -> str:
    if info.made_here:
        return "always"
    try:
        source = info.find(root)
        return "yes" if source is not None and source.names() else "no"
    except DataError:
        return "damaged"


@app.command("info")
def info(
    name: NameArgument,
    data: DataOption = None,
    position: Annotated[
        str | None, typer.Option(help="Look at the sensors at this place only.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Also draw the example into this file.")
    ] = None,
) -> None:
    """Subjects, activities, hours, rate and channels of a data set, and an example of it."""
    entry = dataset(name)
    if png is not None:
        _check_writable(png)
    console = Console()
    console.print(f"[bold]{entry.name}[/]  {escape(entry.title)}", soft_wrap=True)
    if entry.homepage:
        console.print(f"{entry.homepage}  ({escape(entry.licence)})", soft_wrap=True)
    parts = [part.name for part in DATASETS.values() if part.part_of == name]
    if parts:
        console.print(f"one scenario alone: {', '.join(parts)}", highlight=False)
    root = _root_or_none(data)
    if entry.name == "csv":
        console.print(_csv_format(), markup=False, highlight=False, soft_wrap=True)
        if root is None:
            return
    if root is None and not entry.made_here:
        raise DataError(
            f"where is {name}? Use --data DIR or set TINYHAR_DATA; "
            f"`tinyhar data fetch {name} --data DIR` downloads it"
        )
    recordings = load(name, root, position=position)
    _describe(console, recordings)
    _draw(console, entry, recordings, png)


PICTURES = (".png", ".svg", ".pdf")


def _check_writable(picture: Path) -> None:
    """DataError before the long work, not after it."""
    if picture.suffix.lower() not in PICTURES:
        raise DataError(f"--png {picture}: a picture's name ends in {', '.join(PICTURES)}")
    there = picture.exists()
    try:
        picture.open("ab").close()
        if not there:
            picture.unlink()
    except OSError as error:
        raise DataError(f"--png {picture}: cannot be written ({error.strerror})") from error


def _csv_format() -> str:
    from tinyhar.recordings import csv

    return csv.__doc__ or ""


def _describe(console: Console, recordings: list[Recording]) -> None:
    subjects = list(dict.fromkeys(r.subject for r in recordings))
    seconds = sum(r.duration for r in recordings)
    scale, unit = time_scale(seconds)
    rates = sorted({r.rate for r in recordings})
    console.print(
        f"{counted(len(recordings), 'recording')} of {counted(len(subjects), 'subject')}, "
        f"{seconds / scale:.3g} {unit} at {', '.join(f'{rate:g}' for rate in rates)} Hz"
    )
    console.print(f"subjects: {', '.join(subjects)}", highlight=False)
    scenarios = Counter(r.scenario for r in recordings if r.scenario)
    if scenarios:
        each = (f"{name} ({counted(n, 'recording')})" for name, n in sorted(scenarios.items()))
        console.print(f"scenarios: {', '.join(each)}", highlight=False)
    for line in _channel_lines(recordings):
        console.print(line, markup=False, highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("activity")
    table.add_column(unit, justify="right")
    table.add_column("subjects", justify="right")
    for activity, lasting, people in activity_table(recordings):
        table.add_row(activity, f"{lasting / scale:.2f}", str(people) if people else "")
    console.print(table)
    for note in dict.fromkeys(note for r in recordings for note in r.notes):
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)


def time_scale(seconds: float) -> tuple[float, str]:
    """What to divide by, and the unit's name, so that the number is easy to read."""
    if seconds >= 7200:
        return 3600, "hours"
    return (60, "minutes") if seconds >= 120 else (1, "seconds")


def activity_table(recordings: list[Recording]) -> list[tuple[str, float, int]]:
    """Name, seconds and number of subjects of each activity; what nobody named comes last."""
    seconds: dict[str, float] = defaultdict(float)
    people: dict[str, set[str]] = {}
    for recording in recordings:
        names = (*recording.activities, "(unlabelled)")
        values, counts = np.unique(recording.labels, return_counts=True)
        for value, count in zip(values, counts, strict=True):
            seconds[names[value]] += count / recording.rate
            people.setdefault(names[value], set()).add(recording.subject)
    order = dict.fromkeys(a for r in recordings for a in r.activities)
    rows = [(a, seconds[a], len(people.get(a, ()))) for a in order]
    blank = "(unlabelled)"
    return [*rows, (blank, seconds[blank], len(people[blank]))] if blank in people else rows


def _channel_lines(recordings: list[Recording]) -> list[str]:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for channel in dict.fromkeys(c for r in recordings for c in r.channels):
        groups.setdefault((channel.position, channel.kind, channel.unit), []).append(channel.axis)
    return [
        f"channels: {position}_{kind}_{'/'.join(axes)} [{unit}]"
        for (position, kind, unit), axes in groups.items()
    ]


def _draw(
    console: Console, entry: DatasetInfo, recordings: list[Recording], png: Path | None
) -> None:
    from tinyhar.recordings import sketch

    stretch = sketch.example(recordings)
    width = max(min(console.width - 12, 100), 20)
    console.print(f"\nexample: subject {stretch.subject}, {stretch.duration:.0f} s")
    shown = [c for c in stretch.channels if c.position == stretch.channels[0].position]
    for index, channel in enumerate(shown[:6]):
        values = stretch.signal[:, index]
        lines = sketch.braille(values, width, 2)
        labels = (f"{values.max():9.1f}", f"{values.min():9.1f}")
        name = f"{channel.name} [{channel.unit}]"
        console.print(name, markup=False, highlight=False, style="dim")
        for label, line in zip(labels, lines, strict=True):
            console.print(f"{label} {line}", markup=False, highlight=False, no_wrap=True)
    console.print(" " * 10 + sketch.ruler(stretch, width), markup=False, highlight=False)
    if png is not None:
        kind = "synthetic movement" if entry.made_here else "recording"
        title = f"{entry.name}: {kind} of subject {stretch.subject}"
        try:
            sketch.picture(stretch, png, title)
        except OSError as error:
            raise DataError(f"--png {png}: cannot be written ({error.strerror})") from error
        console.print(f"drawn into {png}", markup=False, soft_wrap=True)


@app.command("fetch")
def fetch(name: NameArgument, data: DataOption = None) -> None:
    """Download a data set from its official address; goes on where an earlier try broke off."""
    from tinyhar.recordings.fetch import fetch as download

    entry = dataset(name)
    if data is not None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"--data {data}: cannot be made ({error.strerror})") from error
    root = data_root(data)
    console = Console()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(entry.name, total=None)
        fetched = download(
            entry, root, lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print(
        f"{fetched.path}: {fetched.size:,} bytes, sha256 {fetched.sha256} "
        f"(verified: {fetched.verified})",
        markup=False,
        soft_wrap=True,
    )
