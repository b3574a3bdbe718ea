"""``band.py teach`` and ``forget``: classes that the band learns by itself, without training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tinyhar.band.client import connect
from tinyhar.band.discover import choose
from tinyhar.band.link import BAUD
from tinyhar.cli import serial_live_options as given
from tinyhar.cli.options import Baud, Json, Port
from tinyhar.cli.status import INTERRUPTED
from tinyhar.errors import DataError

if TYPE_CHECKING:
    from tinyhar.band.source import Source
    from tinyhar.band.teach_messages import TeachResponse

console = Console(highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Give the serial tool these commands."""
    for command in (teach, forget):
        app.command()(command)


def teach(
    name: Annotated[str, typer.Argument(help="One of the band's classes, or a new one.")],
    seconds: Annotated[float, typer.Option(help="How long the band is shown it.")] = 20.0,
    perform: Annotated[
        str | None,
        typer.Option(help="Which of the source's activities is shown.", show_default="NAME"),
    ] = None,
    port: Port = None,
    run: given.Run = None,
    csv: given.Csv = None,
    synthetic: given.Synthetic = False,
    person: given.Person = None,
    speed: Annotated[str, typer.Option(help="real: the band's rate; full: the line's.")] = "real",
    acc_range: given.AccRange = None,
    gyro_range: given.GyroRange = None,
    baud: Baud = BAUD,
    as_json: Json = False,
) -> None:
    """Show the band a class; it averages what it sees, and knows it from then on."""
    from tinyhar.band.movement import ranges
    from tinyhar.band.sensing import sensing_of
    from tinyhar.band.teach import teach as show
    from tinyhar.band.worn import source_of

    given.check_speed(speed)
    wish = given.wish(run, csv, synthetic, person)
    with connect(choose(port), baud) as client:
        sensing = sensing_of(client, run, ranges(acc_range, gyro_range))
        source = source_of(wish, client, sensing)
        source.hurry(speed == "full")
        _perform(source, name, perform)
        try:
            with _bar(name, round(seconds * sensing.rate), as_json) as progress:
                known = show(client, source, name, seconds, progress=progress)
        except KeyboardInterrupt:
            console.print("stopped; the band knows what it knew before")
            raise typer.Exit(INTERRUPTED) from None
    _tell(known, as_json, f"[green]taught[/] {escape(name)} with {known.windows} windows", name)


def forget(
    name: Annotated[str | None, typer.Argument(help="A class that the band was taught.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that it was taught.")] = False,
    port: Port = None,
    baud: Baud = BAUD,
    as_json: Json = False,
) -> None:
    """Undo teaching: the band's own classes as they were, new ones gone."""
    from tinyhar.band.teach import forget as undo

    if (name is None) != everything:
        raise DataError("forget: name one class, or say --all")
    with connect(choose(port), baud) as client:
        known = undo(client, name)
    _tell(known, as_json, f"[green]forgotten[/]: {escape(name or 'all that it was taught')}", name)


def _perform(source: Source, name: str, activity: str | None) -> None:
    """Which part of what is played is shown: all of a recording that has no labels."""
    if activity is not None or source.activities:
        source.perform(activity or name)


@contextmanager
def _bar(name: str, samples: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    err = Console(stderr=True)
    columns = (TextColumn(f"[bold]{escape(name)}[/]"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as b:
        task = b.add_task("", total=samples)
        yield lambda done: b.update(task, completed=done)


def _tell(known: TeachResponse, as_json: bool, words: str, name: str | None) -> None:
    if as_json:
        plain: dict[str, Any] = {"name": name} | asdict(known)
        print(json.dumps(plain, indent=2))
    else:
        console.print(f"{words}; {known.taught} of the band's {known.classes} classes are taught")
