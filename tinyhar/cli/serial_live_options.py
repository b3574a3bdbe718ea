"""What ``live``, ``monitor`` and ``calibrate`` are told, and the session that follows from it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tinyhar.errors import DataError

if TYPE_CHECKING:
    from tinyhar.band.client import Client
    from tinyhar.band.sensing import Sensing
    from tinyhar.band.session import Event, Joined, Session
    from tinyhar.band.source import Source
    from tinyhar.band.worn import Wish

Run = Annotated[
    Path | None,
    typer.Option(help="Wear this run's unseen people; with --csv, only its scale.", metavar="RUN"),
]
Csv = Annotated[Path | None, typer.Option(help="Wear a recording of yours instead.")]
Synthetic = Annotated[bool, typer.Option("--synthetic", help="Wear computed movement.")]
Person = Annotated[str | None, typer.Option(help="Which of the run's unseen people.")]
AccRange = Annotated[
    float | None, typer.Option(help="Without a run: full scale of the accelerometer, g.", min=0.1)
]
GyroRange = Annotated[
    float | None, typer.Option(help="Without a run: full scale of the gyroscope, deg/s.", min=1)
]

OWN: Final = "me"
"""Whose recordings they are when nobody says."""


def wish(run: Path | None, csv: Path | None, synthetic: bool, person: str | None) -> Wish:
    """The movement that was asked for; DataError where options contradict each other."""
    from tinyhar.band.worn import Wish

    if synthetic and (run or csv):
        raise DataError("--synthetic: not together with --run or --csv; name one source")
    if person and (csv or synthetic):
        raise DataError("--person: one of a run's unseen people; not with --csv or --synthetic")
    return Wish(run, csv, synthetic, person)


def session_of(
    port: str | None,
    wanted: Wish,
    baud: int,
    acc_range: float | None,
    gyro_range: float | None,
    *,
    hurry: bool = False,
) -> Session:
    """A session that wears the movement that was asked for."""
    from tinyhar.band.movement import ranges
    from tinyhar.band.sensing import sensing_of
    from tinyhar.band.session import Finder, Session
    from tinyhar.band.worn import source_of

    full_scale = ranges(acc_range, gyro_range)

    def prepare(client: Client) -> tuple[Sensing, Source]:
        sensing = sensing_of(client, wanted.run, full_scale)
        source = source_of(wanted, client, sensing)
        source.hurry(hurry)
        return sensing, source

    return Session(Finder(port), prepare, baud=baud)


def begin(session: Session) -> tuple[Joined, Generator[Event, None, None]]:
    """The band's first answer, and what follows; TinyharError where there is no band."""
    from tinyhar.band.session import Joined

    events = session.events()
    first = next(events)
    assert isinstance(first, Joined)
    return first, events


def check_speed(speed: str) -> None:
    """real or full."""
    if speed not in ("real", "full"):
        raise DataError(f"--speed {speed}: it is real or full")
