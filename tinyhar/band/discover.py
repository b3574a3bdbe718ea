"""Where a band may be: serial ports of this machine, and emulated bands that run on it."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

from tinyhar.band.running import running
from tinyhar.errors import BandError


@dataclass(frozen=True)
class Candidate:
    """A port or URL that may lead to a band, and what is known of it before opening it."""

    url: str
    what: str


def candidates() -> list[Candidate]:
    """Emulated bands first, then USB serial ports; a PC's bare ttyS ports are left out."""
    emulated = [Candidate(band.url, f"emulated {band.board}") for band in running()]
    ports = [
        Candidate(port.device, _describe(port.description, port.manufacturer))
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
        if port.vid is not None
    ]
    return emulated + ports


def _describe(description: str | None, manufacturer: str | None) -> str:
    known = [text for text in (description, manufacturer) if text and text != "n/a"]
    return ", ".join(known) or "USB serial port"


def choose(port: str | None) -> str:
    """The port that was named, else the only candidate; BandError lists them if there are more."""
    if port:
        return port
    found = candidates()
    if not found:
        raise BandError(
            "no band found: plug one in, start an emulated one with "
            "`tinyhar band start --board host --run RUN`, or name it with --port"
        )
    if len(found) > 1:
        listed = ", ".join(f"{c.url} ({c.what})" for c in found)
        raise BandError(f"several ports may be a band, name one with --port: {listed}")
    return found[0].url
