"""Teaching a band classes without training: it is shown movement, and averages what it sees.

The band does the work and keeps the result; the desk only says which class is being shown. What the
band then answers, ``lessons.answers`` computes too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tinyhar.band.client import PATIENCE, Client
from tinyhar.band.codes import NONE, TeachAction, What
from tinyhar.band.lessons import lessons
from tinyhar.band.source import Source
from tinyhar.band.teach_messages import Teach, TeachResponse
from tinyhar.errors import BandError, DataError

LONGEST_NAME: Final = 32
"""Bytes of a new class's name, in UTF-8."""


def teach(
    client: Client,
    source: Source,
    name: str,
    seconds: float,
    *,
    progress: Callable[[int], None] = lambda samples: None,
) -> TeachResponse:
    """Show a band one class for so many seconds, and have it kept.

    Args:
        client: the band.
        source: makes the movement happen.
        name: of a class that the band has, which is then learned again, or of a new one.
        seconds: how long to show it, at least one window.
        progress: called with the samples so far.

    Raises:
        DataError: a name or a duration that cannot be.
        BandError: the band cannot be taught, has no room, or went away; it is as it was before.
    """
    client.require_model()
    begin = _begin(client, name)
    rate = client.identity.rate_mhz / 1000
    samples = round(seconds * rate)
    if samples < client.identity.window:
        raise DataError(
            f"{seconds:g} s of '{name}': the band's windows are "
            f"{client.identity.window / rate:g} s long; show it at least that"
        )
    client.exchange.request(begin)
    done = 0
    try:
        while done < samples:
            piece = source.step(client, done)
            done += len(piece.counts) + piece.lost
            progress(min(done, samples))
        known = client.exchange.request(Teach(TeachAction.KEEP, NONE), **PATIENCE)
    except BaseException:
        with suppress(BandError):
            client.exchange.request(Teach(TeachAction.CANCEL, NONE))
        raise
    client.identify()
    return known


def _begin(client: Client, name: str) -> Teach:
    names = client.names(What.CLASS_NAME)
    if name in names:
        return Teach(TeachAction.BEGIN, names.index(name))
    same = [n for n in names if n.casefold() == name.casefold()]
    if same:
        raise DataError(f"'{name}' and the band's '{same[0]}': write both alike, or rename one")
    if not 1 <= len(name.encode()) <= LONGEST_NAME:
        raise DataError(f"class name {name!r}: a name has 1 to {LONGEST_NAME} bytes in UTF-8")
    return Teach(TeachAction.BEGIN, NONE, name)


def forget(client: Client, name: str | None) -> TeachResponse:
    """Make a class what the bundle says again, or drop a new one; None: all of them.

    Raises DataError for a class that was not taught, BandError where the band refuses.
    """
    index = NONE
    if name is not None:
        there = {lesson.name: lesson.class_index for lesson in lessons(client)}
        if name not in there:
            told = ", ".join(there) or "nothing"
            raise DataError(f"the band was not taught '{name}'; it was taught {told}")
        index = there[name]
    known = client.exchange.request(Teach(TeachAction.FORGET, index), **PATIENCE)
    client.identify()
    return known
