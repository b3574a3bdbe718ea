"""Where a band may be: serial ports of this machine, and emulated bands that run on it."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

from tinyhar.band.link import START_ONE
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


def left_out() -> list[str]:
    """Serial ports that are no candidates: a PC has some whether anything is there or not."""
    return sorted(port.device for port in list_ports.comports() if port.vid is None)


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
            f"no band found: plug one in, start an emulated one with {START_ONE}, or name it with "
            "--port"
        )
    if len(found) > 1:
        raise BandError(f"several ports may be a band, name one with --port: {listed(found)}")
    return found[0].url


def listed(found: list[Candidate]) -> str:
    """The candidates in a line."""
    return ", ".join(f"{each.url} ({each.what})" for each in found)
