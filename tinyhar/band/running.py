"""Which emulated bands run on this machine: one small file for each, so that others find them."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class Running:
    """An emulated band: its process, where it listens, and what it is."""

    pid: int
    url: str
    board: str
    image: str


def folder() -> Path:
    """Where the files are."""
    return platformdirs.user_state_path("tinyhar", appauthor=False) / "bands"


def remember(band: Running) -> None:
    """Note a band that has started. A machine that cannot hold the note only cannot discover it."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        draft = folder() / f".{band.pid}"
        draft.write_text(json.dumps(asdict(band)), encoding="utf-8")
        draft.replace(folder() / f"{band.pid}.json")


def forget(pid: int) -> None:
    """A band has stopped."""
    with suppress(OSError):
        (folder() / f"{pid}.json").unlink(missing_ok=True)


def running() -> list[Running]:
    """The bands whose processes live; notes of others are removed."""
    bands = []
    for file in sorted(folder().glob("*.json")):
        try:
            band = Running(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if _lives(band):
            bands.append(band)
        else:
            forget(band.pid)
    return bands


def _lives(band: Running) -> bool:
    """The process is there and, where the system tells, still runs that image."""
    try:
        os.kill(band.pid, 0)
        command = Path(f"/proc/{band.pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except OSError:
        return False
    return os.fsencode(band.image) in command.split(b"\0")
