"""``tinyhar``: one command a job; errors become one line and a status."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import tinyhar
from tinyhar.cli import band, bench, data, energy, personal, robustness, run, search
from tinyhar.cli.status import BAD_INPUT
from tinyhar.errors import TinyharError

app = typer.Typer(
    help="Recordings of movement go in, a wrist band that names the movement comes out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command()(run.run)
app.command()(run.demo)
app.command()(run.summary)
app.command()(run.export)
app.command()(robustness.robustness)
app.command()(energy.energy)
app.command()(search.search)
app.add_typer(data.app, name="data", help="Data sets: list, look into, fetch.")
app.add_typer(band.app, name="band", help="Emulated bands.")
app.add_typer(
    bench.app, name="bench", help="Measure and compare: methods, compression, costs on a device."
)
app.add_typer(personal.app, name="personal", help="Your own classes on a finished model.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinyhar {tinyhar.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run ``tinyhar``; leaves with a status of :mod:`tinyhar.cli.status`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except TinyharError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(BAD_INPUT)
