"""``tinyhar band start``: an emulated band, running a run's own firmware."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from tinyhar.band import emulate
from tinyhar.band.client import connect
from tinyhar.errors import BandError

app = typer.Typer(no_args_is_help=True, help="Emulated bands.")


@app.callback()
def _root() -> None:
    pass


@app.command()
def start(
    run: Annotated[Path, typer.Option(help="The run whose firmware the band runs.")],
    board: Annotated[str, typer.Option(help=f"One of {', '.join(emulate.BOARDS)}.")] = "host",
    tcp: Annotated[
        bool, typer.Option("--tcp", help="Host: a socket instead of a pseudo-terminal.")
    ] = False,
    flash: Annotated[
        Path | None,
        typer.Option(help="Host: the file that keeps what is deployed to the band."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start a band, print its URL, and keep it running until Ctrl-C."""
    image = emulate.image_of(run, board)
    with suppress(KeyboardInterrupt), emulate.start(board, image, tcp=tcp, flash=flash) as band:
        _tell(band, as_json, flash)
        raise BandError(f"the band ended by itself: {band.wait()}; start it again")


def _tell(band: emulate.Emulated, as_json: bool, flash: Path | None) -> None:
    with connect(band.url) as client:
        firmware = client.identity.firmware
    if as_json:
        facts = {"url": band.url, "pid": band.process.pid, "board": band.board}
        print(json.dumps(facts | {"firmware": firmware, "log": str(band.log)}), flush=True)
    else:
        kept = f"in {flash}" if flash else "until it stops"
        print(f"{band.url}\n{band.board}, firmware {firmware}; Ctrl-C stops it", flush=True)
        print(f"what is deployed to it is kept {kept}", flush=True)
