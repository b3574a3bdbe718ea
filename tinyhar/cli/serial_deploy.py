"""``band.py deploy`` and ``rollback``: another model onto a band, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

from tinyhar.band.client import connect
from tinyhar.band.codes import SlotState, name_of
from tinyhar.band.discover import choose
from tinyhar.band.link import BAUD
from tinyhar.cli.options import Baud, Json, Port

if TYPE_CHECKING:
    from tinyhar.band.deploy_messages import SlotResponse
    from tinyhar.band.deploy_report import Deployed


OF_IMAGE = 2
"""The slot's number that stands for the bundle in the band's firmware."""

console = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Give the serial tool these commands."""
    for command in (deploy, rollback):
        app.command()(command)


def deploy(
    bundle: Annotated[Path, typer.Argument(help="A bundle (.thb), or a finished run's folder.")],
    port: Port = None,
    whole: Annotated[
        bool, typer.Option("--full", help="Send all, also what the band could copy.")
    ] = False,
    any_sensors: Annotated[
        bool,
        typer.Option("--any-sensors", help="Even for other channels than the band's model has."),
    ] = False,
    baud: Baud = BAUD,
    as_json: Json = False,
) -> None:
    """Bring a bundle onto a band: sent, checked, tried on its golden windows, then activated."""
    from tinyhar.band.deploy import deploy as bring
    from tinyhar.band.deploy_file import read_bundle_file

    file = read_bundle_file(bundle)
    with connect(choose(port), baud) as client, _bar(as_json) as progress:
        done = bring(client, file, whole=whole, any_sensors=any_sensors, progress=progress)
    if as_json:
        print(json.dumps(_plain(done), indent=2))
    else:
        _tell(done)


def rollback(port: Port = None, baud: Baud = BAUD, as_json: Json = False) -> None:
    """Go back to the bundle that the band ran before, or to its firmware's own."""
    from tinyhar.band.deploy import rollback as go_back

    with connect(choose(port), baud) as client:
        activated = go_back(client)
        bundle_id = client.identity.bundle_id.hex()
    if as_json:
        print(json.dumps(asdict(activated) | {"bundle_id": bundle_id}, indent=2))
    else:
        where = "its firmware's own" if activated.slot == OF_IMAGE else f"slot {activated.slot}"
        console.print(
            f"[green]rolled back[/] to bundle {bundle_id[:12]} ({where}), "
            f"{activated.golden} golden windows right"
        )


def slot_facts(slots: tuple[SlotResponse, ...]) -> dict[str, str]:
    """What `info` tells of them."""
    return {_slot_name(slot.index): _slot_words(slot) for slot in slots}


def _slot_name(index: int) -> str:
    return "slot_of_firmware" if index == OF_IMAGE else f"slot_{index}"


def _slot_words(slot: SlotResponse) -> str:
    words = [name_of(SlotState, slot.state)]
    if slot.bundle_bytes:
        words.append(f"bundle {slot.bundle_id.hex()[:12]}, {slot.bundle_bytes} bytes")
    if slot.state == SlotState.RECEIVING:
        words.append(f"{slot.received} of them there")
    if slot.sequence:
        words.append(f"activation {slot.sequence}")
    if slot.active:
        words.append("runs")
    if slot.capacity:
        words.append(f"room for {slot.capacity} bytes")
    return ", ".join(words)


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Bytes, speed and time left on stderr; none for machines or when stderr is a file."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not Console(stderr=True).is_terminal,
    )
    with bar:
        task = bar.add_task("deploying", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _plain(done: Deployed) -> dict[str, Any]:
    return asdict(done) | {
        "bundle_id": done.bundle_id.hex(),
        "bytes_per_second": done.bytes_per_second,
        "line_share": done.line_share,
    }


def _tell(done: Deployed) -> None:
    name = done.bundle_id.hex()[:12]
    if not done.transfer_seconds:
        console.print(f"[green]nothing to do[/]: the band runs bundle {name} already")
        return
    sizes = [f"full {done.full_bytes:,} bytes"]
    if done.partial_bytes is not None:
        sizes.append(f"partial {done.partial_bytes:,}")
    sizes.append(f"sent {done.sent_bytes:,}")
    if done.resumed_bytes:
        sizes.append(f"there from before {done.resumed_bytes:,}")
    console.print(", ".join(sizes))
    share = f", {done.line_share:.0%} of {done.baud:,} baud" if done.line_share else ""
    console.print(
        f"{done.transfer_seconds:.2f} s on the line, {done.bytes_per_second:,.0f} bytes/s{share}; "
        f"{done.seconds:.2f} s in all"
    )
    console.print(
        f"[green]deployed[/]: bundle {escape(name)} runs from slot {done.slot}, "
        f"{done.golden} golden windows right"
    )
