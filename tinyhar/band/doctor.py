"""What is wrong with a band or the way to it: one step after the other, each with its remedy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyhar.band.client import Client
from tinyhar.band.codes import ResetReason
from tinyhar.band.discover import Candidate, candidates, left_out, listed
from tinyhar.band.errors import BandRefused, LinkError, OtherModel, OtherProtocol
from tinyhar.band.link import BAUD, START_ONE, Link, SerialLink
from tinyhar.band.validate import check_model
from tinyhar.errors import BandError

ECHOES: Final = 50
"""Short requests sent to judge the line."""

STEPS: Final = (
    *("search", "port", "permission", "opens", "answers", "protocol", "model", "line", "golden"),
)
"""In the order in which they are taken; the first that fails ends the diagnosis. A port that is
named is not searched, and one that is no file (``socket://``) is opened straight away."""


@dataclass(frozen=True)
class Step:
    """One question: whether all is well, what was seen, and what to do if it is not."""

    name: str
    good: bool
    seen: str
    remedy: str = ""


def diagnose(
    url: str | None = None,
    baud: int = BAUD,
    bundle_id: bytes | None = None,
    open_link: Callable[[str, int], Link] = SerialLink,
) -> Iterator[Step]:
    """The steps for one port, up to the first that fails.

    Args:
        url: the port; where None, the only one that may be a band is searched.
        baud: for a line that has a speed.
        bundle_id: the model to expect, 32 bytes.
        open_link: opens the port.
    """
    if url is None:
        found = candidates()
        yield _search(found)
        if len(found) != 1:
            return
        url = found[0].url
    for step in _at_the_port(url):
        yield step
        if not step.good:
            return
    try:
        link = open_link(url, baud)
    except LinkError as error:
        yield Step("opens", False, str(error), "do what the line says, then run `doctor` again")
        return
    yield Step("opens", True, f"{url} at {link.baud} baud" if link.baud else url)
    try:
        yield from _at_the_band(link, bundle_id)
    except BandError as error:
        yield Step(
            "line", False, str(error), "the band stopped answering; look at its power and cable"
        )
    finally:
        link.close()


def _search(found: list[Candidate]) -> Step:
    if len(found) == 1:
        return Step("search", True, f"one port may be a band: {listed(found)}")
    if found:
        seen = f"{len(found)} ports may be a band: {listed(found)}"
        return Step("search", False, seen, "name one of them with --port")
    others = left_out()
    unasked = f"; not tried, as nothing says a band is there: {', '.join(others)}" if others else ""
    return Step(
        "search",
        False,
        f"no emulated band runs on this machine, and no USB serial port is there{unasked}",
        "plug a band in (a cable that carries data, not only power), or start an emulated one: "
        f"{START_ONE}; a band on any other port must be named with --port",
    )


def _at_the_port(url: str) -> Iterator[Step]:
    if "://" in url:
        return
    there = Path(url).exists() or os.name != "posix"
    yield Step(
        "port",
        there,
        f"{url} {'exists' if there else 'does not exist'}",
        ""
        if there
        else "plug the band in (a cable that carries data, not only power); `discover` lists ports",
    )
    allowed = os.access(url, os.R_OK | os.W_OK) or os.name != "posix"
    remedy = "join the port's group: `sudo usermod -aG dialout $USER`, then log in again"
    seen = f"reading and writing {url} is {'allowed' if allowed else 'not allowed'}"
    yield Step("permission", allowed, seen, "" if allowed else remedy)


def _at_the_band(link: Link, bundle_id: bytes | None) -> Iterator[Step]:
    try:
        client = Client(link)
    except OtherProtocol as error:
        yield Step("answers", True, "a band answers")
        yield Step("protocol", False, str(error), "flash firmware of this tinyhar's version")
        return
    except BandError as error:
        yield Step("answers", False, str(error), _wake(link))
        return
    yield _answers(client)
    yield Step("protocol", True, f"version {client.identity.protocol}")
    for step in (_model(client, bundle_id), _line(client)):
        yield step
        if not step.good:
            return
    yield _golden(client)


def _wake(link: Link) -> str:
    if link.baud is None:
        return f"close other programs on it; if it is an emulated band, start it anew: {START_ONE}"
    return "press reset; close other programs on the port; flash the firmware; check --baud"


def _answers(client: Client) -> Step:
    identity = client.identity
    seen = f"{identity.board}, firmware {identity.firmware}, last start: {identity.reason}"
    if identity.reset_reason in (ResetReason.WATCHDOG, ResetReason.FAULT):
        remedy = "it crashed: the line is usable; `selftest` and `info` may tell more"
        return Step("answers", True, seen, remedy)
    return Step("answers", True, seen)


def _model(client: Client, bundle_id: bytes | None) -> Step:
    identity = client.identity
    try:
        client.require_model()
        if bundle_id is not None:
            check_model(client, bundle_id)
    except (BandRefused, OtherModel) as error:
        return Step(
            "model",
            False,
            str(error),
            "`band.py deploy RUN`, or build and flash the run's firmware",
        )
    seen = f"bundle {identity.bundle_id.hex()[:12]}, {identity.classes} classes"
    return Step("model", True, f"{seen}, windows of {identity.window} x {identity.channels}")


def _line(client: Client) -> Step:
    start, before = client.exchange.link.now(), client.exchange.troubles
    bad = client.statistics().frames_bad
    for _ in range(ECHOES - 1):
        statistics = client.statistics()
    troubles = client.exchange.troubles - before + statistics.frames_bad - bad
    ms = 1000 * (client.exchange.link.now() - start) / ECHOES
    seen = f"{ECHOES} requests, {ms:.1f} ms each, {troubles} damaged or lost"
    remedy = (
        "another cable, no hub, a lower baud rate" if troubles and client.exchange.link.baud else ""
    )
    return Step("line", troubles <= ECHOES // 10, seen, remedy)


def _golden(client: Client) -> Step:
    result = client.selftest()
    seen = f"{result.run - result.failed} of {result.run} golden windows give the desk's bytes"
    remedy = "" if not result.failed else "the firmware computes wrong: build and flash it anew"
    return Step("golden", not result.failed, seen, remedy)
