"""The demo's last act: the emulated band wears unseen movement and says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from tinyhar.band import emulate
from tinyhar.band.client import Client, connect
from tinyhar.band.codes import What
from tinyhar.errors import ToolError

WINDOWS_EACH = 3
"""How many windows of each activity the band wears."""


def watch(run: Path, console: Console) -> None:
    """Stream a stretch of every activity to the run's band and print its answers.

    The Cortex-M4 in QEMU where it can be had, else the host's band with a line saying why.
    """
    with np.load(run / "validation.npz") as saved:
        counts, labels = saved["counts"], saved["labels"]
    with _band(run, console) as band, connect(band.url) as client:
        names = client.names(What.CLASS_NAME)
        console.print(f"\n[bold]{band.board}[/] wears synthetic movement that it has never seen:")
        for activity in dict.fromkeys(labels.tolist()):
            worn = counts[labels == activity][:WINDOWS_EACH]
            console.print(f"  does {names[activity]:<14} says {_answers(client, worn, names)}")


def _band(run: Path, console: Console) -> emulate.Emulated:
    try:
        return emulate.start("mps2_an386", emulate.image_of(run, "mps2_an386"))
    except ToolError as error:
        console.print(f"[yellow]note[/] the band runs on this machine's host port: {error}")
        return emulate.start("host", emulate.image_of(run, "host"))


def _answers(client: Client, windows: np.ndarray, names: tuple[str, ...]) -> str:
    said = []
    for window in windows:
        client.stream(window, 0)
        said += [
            f"{names[each.smoothed]} ({each.confidence / 255:.0%})"
            for each in client.take_predictions()
        ]
    return ", ".join(said)
