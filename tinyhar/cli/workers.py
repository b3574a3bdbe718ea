"""What commands that give work to others share: who does it, and where the data lies for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from tinyhar.bench.workers import Workers


def folder_for_workers(data: Path | None) -> Path | None:
    """The data's folder as every worker finds it, whatever its own folder and variables are."""
    named = os.environ.get("TINYHAR_DATA")
    folder = data or (Path(named) if named else None)
    return folder.resolve() if folder else None


def workers_for(wanted: int | None, address: str | None, out: Path, console: Console) -> Workers:
    """Ray's workers, or this process alone where they are not wanted or not there."""
    from tinyhar.bench.workers import Alone, OnRay, has_ray

    if wanted == 0:
        return Alone()
    if wanted is None and address is None and not has_ray():
        console.print("[yellow]note[/] Ray is not installed: cells run one after another")
        return Alone()
    return OnRay(wanted, address, out)
