"""``band.py live`` and ``monitor``: a band watched while it is worn, for people and for pipes."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from tinyhar.band.link import BAUD
from tinyhar.cli import serial_live_options as given
from tinyhar.cli.options import Baud, JsonLines, Port
from tinyhar.errors import DataError


def register(app: typer.Typer) -> None:
    """Give the serial tool these commands."""
    from tinyhar.cli.serial_live_calibrate import calibrate

    for command in (live, monitor, calibrate):
        app.command()(command)


def live(
    port: Port = None,
    run: given.Run = None,
    csv: given.Csv = None,
    synthetic: given.Synthetic = False,
    person: given.Person = None,
    acc_range: given.AccRange = None,
    gyro_range: given.GyroRange = None,
    out: Annotated[Path, typer.Option(help="Folder for recordings (key r).")] = Path("recordings"),
    subject: Annotated[str, typer.Option(help="Whose recordings they are.")] = given.OWN,
    baud: Baud = BAUD,
) -> None:
    """Watch a band: signals, its answers, the last minute, latency. Records on a key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DataError("live needs a terminal; `monitor` prints plain lines to pipe elsewhere")
    from tinyhar.cli.serial_live_app import LiveApp

    wish = given.wish(run, csv, synthetic, person)
    session = given.session_of(port, wish, baud, acc_range, gyro_range)
    first, events = given.begin(session)
    app = LiveApp(session, first, events, out, subject)
    app.run(mouse=False)
    app.let_go()
    if app.failure:
        raise app.failure
    if app.return_code:
        raise typer.Exit(app.return_code)


def monitor(
    port: Port = None,
    run: given.Run = None,
    csv: given.Csv = None,
    synthetic: given.Synthetic = False,
    person: given.Person = None,
    acc_range: given.AccRange = None,
    gyro_range: given.GyroRange = None,
    seconds: Annotated[
        float | None, typer.Option(help="End after so many seconds of movement.", min=0.1)
    ] = None,
    speed: Annotated[str, typer.Option(help="real: the band's rate; full: the line's.")] = "real",
    baud: Baud = BAUD,
    as_json: JsonLines = False,
) -> None:
    """Print a line a prediction, to pipe elsewhere; notes on the line go to stderr."""
    from tinyhar.band.history import History
    from tinyhar.cli.serial_live_plain import Plain

    given.check_speed(speed)
    wish = given.wish(run, csv, synthetic, person)
    session = given.session_of(port, wish, baud, acc_range, gyro_range, hurry=speed == "full")
    first, events = given.begin(session)
    history, plain = History(first.sensing), Plain(as_json)
    plain.begin(first)
    try:
        with closing(events):
            for event in events:
                history.take(event)
                plain.take(event, history)
                if seconds is not None and history.seconds >= seconds:
                    break
    except BrokenPipeError:  # whoever read us has seen enough; what is buffered has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
