"""``band.py calibrate``: the guide of ``band/calibrate.py`` in a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from tinyhar.band.link import BAUD
from tinyhar.cli import serial_live_options as given
from tinyhar.cli.options import Baud, JsonLines, Port
from tinyhar.cli.serial_live_lines import BAD, GOOD
from tinyhar.cli.status import BAD_VERDICT, INTERRUPTED
from tinyhar.recordings.words import counted

if TYPE_CHECKING:
    from tinyhar.band.calibration_plan import Plan
    from tinyhar.band.session import Session
    from tinyhar.band.takes import Takes

_TONES = {"good": GOOD, "bad": f"bold {BAD}", "dim": "dim", "": "default"}


class Terminal:
    """A person at a terminal, or nobody: then nothing is asked."""

    def __init__(self, attended: bool, count_down: int, stderr: bool) -> None:
        self.attended = attended
        self._seconds = count_down
        self.console = Console(highlight=False, soft_wrap=True, stderr=stderr)

    def say(self, text: str, tone: str = "") -> None:
        """A line."""
        self.console.print(f"[{_TONES[tone]}]{escape(text)}[/]")

    def ask(self, question: str, default: str = "") -> str:
        """What was typed, or the default."""
        hint = f" \\[{escape(default)}]" if default else ""
        return self.console.input(f"[bold]{escape(question)}[/]{hint}: ").strip() or default

    def count_down(self, label: str) -> None:
        """A second a number."""
        for left in range(self._seconds, 0, -1):
            self.console.print(f"[bold]{escape(label)}[/] in {left} ...", end="\r")
            time.sleep(1)

    @contextmanager
    def progress(self, label: str, samples: int) -> Iterator[Callable[[int], None]]:
        """A bar that fills as the samples come."""
        columns = (TextColumn(f"[bold]{escape(label)}[/]"), BarColumn(), TextColumn("go on"))
        hidden = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=hidden) as bar:
            task = bar.add_task("", total=samples)
            yield lambda done: bar.update(task, completed=done)


def calibrate(
    out: Annotated[Path, typer.Option(help="Folder of the recordings; an old one goes on.")],
    classes: Annotated[
        str, typer.Option(help="What to record, with commas; asked for if not given.")
    ] = "",
    seconds: Annotated[float, typer.Option(help="Of each class.")] = 10.0,
    port: Port = None,
    run: given.Run = None,
    csv: given.Csv = None,
    synthetic: given.Synthetic = False,
    person: given.Person = None,
    act: Annotated[
        bool,
        typer.Option(
            "--act", help="Let the source perform the class of the same name; ask nobody."
        ),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="One more take of classes that are there already.")
    ] = False,
    resting: Annotated[str, typer.Option(help="Classes done at rest, with commas.")] = "",
    subject: Annotated[str | None, typer.Option(help="Who wears the band.")] = None,
    countdown: Annotated[int, typer.Option(help="Seconds before each take.", min=0)] = 3,
    speed: Annotated[
        str, typer.Option(help="real: the band's rate; full: takes as fast as the line goes.")
    ] = "real",
    acc_range: given.AccRange = None,
    gyro_range: given.GyroRange = None,
    baud: Baud = BAUD,
    as_json: JsonLines = False,
) -> None:
    """Record a few seconds of each of your own classes, each looked at as soon as it is done."""
    from tinyhar.band.calibration_plan import Plan, class_names

    given.check_speed(speed)
    names, at_rest = class_names(classes), class_names(resting)
    plan = Plan(names, seconds, act, again, at_rest, hurry=speed == "full")
    attended = sys.stdin.isatty() and not act and not as_json
    voice = Terminal(attended, countdown if attended else 0, stderr=as_json)
    wish = given.wish(run, csv, synthetic, person)
    session = given.session_of(port, wish, baud, acc_range, gyro_range)
    good, takes = _guide(session, out, subject, voice, plan)
    if as_json:
        print(json.dumps(takes.as_json(), indent=2))
    if not good:
        raise typer.Exit(BAD_VERDICT)


def _guide(
    session: Session, out: Path, subject: str | None, voice: Terminal, plan: Plan
) -> tuple[bool, Takes]:
    from tinyhar.band.calibrate import Guide
    from tinyhar.band.calibration_plan import check_plan
    from tinyhar.band.feed import Feed
    from tinyhar.band.takes import open_takes

    first, following = given.begin(session)
    try:
        takes = open_takes(out, first.sensing, subject)
        check_plan(plan, first.sensing, takes.classes, voice.attended)
    except BaseException:
        following.close()
        raise
    voice.say(f"{first.url}: {first.sensing.identity.board}; {first.source.words}", "dim")
    feed = Feed(session, first, following, lambda text: voice.say(text, "bad"))
    feed.start()
    try:
        good = Guide(feed, takes, voice, plan).run()
    except (KeyboardInterrupt, EOFError):
        kept = sum(entry.kept for entry in takes.entries)
        voice.say(f"\nleft; {counted(kept, 'take')} kept in {out}, and the same command goes on")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        feed.stop()
    _sum_up(takes, voice)
    return good, takes


def _sum_up(takes: Takes, voice: Terminal) -> None:
    """What there is, and what to do with it."""
    for name in takes.classes:
        kept = takes.kept(name)
        voice.say(f"{name:<24} {takes.seconds(name):6.1f} s in {counted(len(kept), 'take')}")
    if len(takes.classes) > 1:
        voice.say(f"next: tinyhar personal fit RUN {takes.folder}", "good")
