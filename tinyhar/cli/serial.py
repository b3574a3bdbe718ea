"""The serial tool: ``python tools/band.py discover | doctor | info | selftest | validate | ...``.

Each command prints for people, or with ``--json`` one JSON document for machines and nothing else.
Exit status: 0 good, 1 a bad verdict, 2 bad input or no band, 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from tinyhar.band.client import Client, connect
from tinyhar.band.codes import Engine, What, name_of
from tinyhar.band.discover import candidates, choose
from tinyhar.band.link import BAUD
from tinyhar.cli import serial_deploy, serial_live, serial_teach
from tinyhar.cli import serial_views as views
from tinyhar.cli.options import Baud, Json, Port
from tinyhar.cli.status import BAD_INPUT, BAD_VERDICT
from tinyhar.errors import BandError, DataError, TinyharError

if TYPE_CHECKING:
    from tinyhar.band.movement import Movement

app = typer.Typer(
    help="Talk to a band over a serial line, real or emulated.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
serial_deploy.register(app)
serial_live.register(app)
serial_teach.register(app)

Run = Annotated[Path | None, typer.Option(help="The run's folder.", metavar="RUN")]


@app.command()
def discover(baud: Baud = BAUD, as_json: Json = False) -> None:
    """List the ports where a band may be, and ask each who it is."""
    found = [views.Found(c.url, c.what, *_who(c.url, baud)) for c in candidates()]
    _show(as_json, {"candidates": [asdict(each) for each in found]}, views.found, found)
    if not any(each.board for each in found):
        _leave(BAD_INPUT)


def _who(url: str, baud: int) -> tuple[str, str, str]:
    """Board and bundle of the band there, or what keeps it from telling."""
    try:
        with connect(url, baud) as client:
            return client.identity.board, client.identity.bundle_id.hex(), ""
    except BandError as error:
        return "", "", str(error)


@app.command()
def doctor(port: Port = None, run: Run = None, baud: Baud = BAUD, as_json: Json = False) -> None:
    """Find out step by step what keeps a band from answering, and what to do about it."""
    from tinyhar.band.doctor import diagnose

    bundle_id = _desk(run).bundle_id if run else None
    steps = []
    for step in diagnose(port, baud, bundle_id):
        steps.append(step)
        if not as_json:
            views.step(step)
    good = all(step.good for step in steps)
    _show(as_json, {"good": good, "steps": [asdict(step) for step in steps]}, views.diagnosis, good)
    if not good:
        _leave(BAD_VERDICT)


@app.command()
def info(port: Port = None, baud: Baud = BAUD, as_json: Json = False) -> None:
    """Who the band is, what it runs, and what it counted since it started."""
    with _band(port, baud) as client:
        facts = _facts(client)
    _show(as_json, facts, views.facts, facts)


def _facts(client: Client) -> dict[str, Any]:
    from tinyhar.band.deploy import slots
    from tinyhar.band.lessons import lessons

    identity = client.identity
    facts = asdict(identity) | {
        "port": client.exchange.link.name,
        "firmware": identity.firmware,
        "bundle_id": identity.bundle_id.hex(),
        "engine": name_of(Engine, identity.engine),
        "reset_reason": identity.reason,
        "rate_hz": identity.rate_mhz / 1000,
        "classes": client.names(What.CLASS_NAME),
        "channels": client.names(What.CHANNEL_NAME),
        "taught": {one.name: f"{one.seconds:.1f} s" for one in lessons(client)} or "nothing",
        "statistics": asdict(client.statistics()),
        "settings": asdict(client.settings()) if identity.classes else {},
    }
    facts |= serial_deploy.slot_facts(slots(client))
    for part in ("fw_major", "fw_minor", "fw_patch", "rate_mhz", "board_length"):
        del facts[part]
    return facts


@app.command()
def selftest(port: Port = None, baud: Baud = BAUD, as_json: Json = False) -> None:
    """Run the golden windows that the band's bundle carries."""
    with _band(port, baud) as client:
        result = client.selftest()
    plain = asdict(result) | {
        "expected": views.logits(result.expected),
        "got": views.logits(result.got),
        "good": not result.failed and result.run > 0,
    }
    _show(as_json, plain, views.selftest, plain)
    if not plain["good"]:
        _leave(BAD_VERDICT)


@app.command()
def validate(
    run: Annotated[Path, typer.Option(help="The run that the band was built from.")],
    port: Port = None,
    baud: Baud = BAUD,
    limit: Annotated[int | None, typer.Option(help="At most so many windows.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Send unseen subjects' movement and compare the answers with the desk's, byte for byte."""
    from tinyhar.band.lessons import lessons
    from tinyhar.band.validate import check_model
    from tinyhar.band.validate import validate as compare

    desk = _desk(run).sample(limit)
    with _band(port, baud) as client:
        check_model(client, desk.bundle_id)
        desk = desk.after(lessons(client))
        with views.progress(len(desk.counts), "windows", as_json) as advance:
            report = compare(
                client,
                desk.counts,
                desk.logits,
                desk.labels,
                subjects=desk.subjects,
                bundle_id=desk.bundle_id,
                desk_layers=desk.layers,
                progress=advance,
            )
    _show(as_json, report.as_json(), views.validation, report)
    if not report.good:
        _leave(BAD_VERDICT)


@app.command()
def stream(
    port: Port = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Play this run's unseen windows; with --csv, only its scale."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="A recording of yours instead.")] = None,
    acc_range: Annotated[
        float | None, typer.Option(help="--csv: full scale of the accelerometer, g.", min=0.1)
    ] = None,
    gyro_range: Annotated[
        float | None, typer.Option(help="--csv: full scale of the gyroscope, deg/s.", min=1)
    ] = None,
    speed: Annotated[str, typer.Option(help="real: the band's rate; full: the line's.")] = "real",
    seconds: Annotated[
        float | None, typer.Option(help="At most so many seconds of movement.", min=0.1)
    ] = None,
    baud: Baud = BAUD,
    as_json: Json = False,
) -> None:
    """Play a recording as if the band's own sensor delivered it, and print its predictions."""
    from tinyhar.band.play import play
    from tinyhar.cli.listener import Listener

    ranges = {"--acc-range": acc_range, "--gyro-range": gyro_range}
    _check_what_to_play(run, csv, speed, [name for name, value in ranges.items() if value])
    with _band(port, baud) as client:
        client.require_model()
        movement = _movement(client, run, csv, acc_range, gyro_range)
        if seconds is not None:
            movement = movement.first(max(1, round(seconds * client.identity.rate_mhz / 1000)))
        listener = Listener(client, movement, views.StreamView(as_json))
        played = play(client, movement.counts, listener.hear, real_time=speed == "real")
    _show(as_json, listener.as_json(played), views.played, played, listener.score())


def _check_what_to_play(run: Path | None, csv: Path | None, speed: str, ranges: list[str]) -> None:
    if run is None and csv is None:
        raise DataError("name what to play: --run RUN (its unseen windows) or --csv FILE")
    if ranges and (run is not None or csv is None):
        raise DataError(
            f"{' and '.join(ranges)}: for a --csv without --run; a run knows its band's scale"
        )
    if speed not in ("real", "full"):
        raise DataError(f"--speed {speed}: it is real or full")


def _movement(
    client: Client,
    run: Path | None,
    csv: Path | None,
    acc_range: float | None,
    gyro_range: float | None,
) -> Movement:
    from tinyhar.band import movement
    from tinyhar.band.desk import read_bundle
    from tinyhar.band.validate import check_model

    if csv is None:
        assert run is not None
        desk = _desk(run)
        check_model(client, desk.bundle_id)
        return movement.of_run(desk)
    if run is None:
        return movement.of_csv(csv, client, full_scale=movement.ranges(acc_range, gyro_range))
    bundle, bundle_id = read_bundle(run)
    check_model(client, bundle_id)
    return movement.of_csv(csv, client, bundle=bundle)


@app.command()
def bench(
    port: Port = None,
    run: Run = None,
    seconds: Annotated[float, typer.Option(help="How long to measure.", min=0.1)] = 3.0,
    baud: Baud = BAUD,
    as_json: Json = False,
) -> None:
    """Measure round trips, windows and bytes a second, and the band's own time for a window."""
    from tinyhar.band.bench import bench as measure

    counts = _desk(run).counts if run else None
    with _band(port, baud) as client:
        result = measure(client, counts, seconds)
    _show(as_json, asdict(result), views.bench, result)


@contextmanager
def _band(port: str | None, baud: int) -> Iterator[Client]:
    with connect(choose(port), baud) as client:
        yield client


def _desk(run: Path) -> Any:
    from tinyhar.band.desk import read_desk

    return read_desk(run)


def _show(as_json: bool, plain: dict[str, Any], view: Any, *arguments: Any) -> None:
    if as_json:
        print(json.dumps(plain, indent=2))
    else:
        view(*arguments)


def _leave(status: int) -> NoReturn:
    raise typer.Exit(status)


def main() -> None:
    """Run the serial tool; leaves with 0, 1 (bad verdict), 2 (bad input) or 130 (interrupted)."""
    try:
        app()
    except TinyharError as error:
        if "--json" in sys.argv:
            kind, message = type(error).__name__, str(error)
            print(json.dumps({"error": {"kind": kind, "message": message}}, indent=2))
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
