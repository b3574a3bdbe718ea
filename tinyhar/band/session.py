"""A band watched without an end: its movement and answers as they come, over a line that may fail.

A cable that is pulled shows as an error of the port at once, or as silence: three tries of 0.45 s
each. Then the band is looked for again, several times a second, until it is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tinyhar.band import messages as m
from tinyhar.band.client import Client, connect
from tinyhar.band.codes import ErrorCode
from tinyhar.band.discover import candidates, choose
from tinyhar.band.errors import BandRefused, BandRestarted, LinkError, SilentBand, StreamBegan
from tinyhar.band.link import BAUD
from tinyhar.band.sensing import Sensing
from tinyhar.band.source import Piece, Source
from tinyhar.errors import BandError

ANSWER_SECONDS: Final = 0.45
"""How long an answer may take, three times over, until the line counts as lost: with a piece's
time below two seconds."""

RETRY_SECONDS: Final = 0.25
"""Between two looks for a band that went away."""

_LOST: Final = (LinkError, SilentBand, BandRestarted)


@dataclass(frozen=True)
class Health:
    """What went wrong on the line so far; ``round_trip_ms`` of the last piece."""

    troubles: int = 0
    missed: int = 0
    losses: int = 0
    round_trip_ms: float = 0.0


@dataclass(frozen=True, eq=False)
class Joined:
    """The band answers; ``away`` seconds it was gone, 0 the first time."""

    url: str
    sensing: Sensing
    source: Source
    away: float = 0.0


@dataclass(frozen=True)
class Lost:
    """The line or the band went away, and is being looked for."""

    why: str


@dataclass(frozen=True, eq=False)
class Moved:
    """A piece of movement, what the band made of it, and how the line does.

    ``at`` is the number of the piece's first sample since the session began; ``offset`` what to add
    to a prediction's ``last_sample`` to get the same.
    """

    at: int
    offset: int
    piece: Piece
    predictions: tuple[m.Prediction, ...]
    health: Health


Event = Joined | Lost | Moved
Prepare = Callable[[Client], tuple[Sensing, Source]]


class Finder:
    """Where the band is: the port that was named, else the only one, else the one it had before."""

    def __init__(self, port: str | None) -> None:
        self.port = port
        self.last: str | None = None

    def __call__(self) -> str:
        """BandError where there is no telling."""
        if self.port is None and self.last in [each.url for each in candidates()]:
            assert self.last is not None
            return self.last
        self.last = choose(self.port)
        return self.last


class Session:
    """One band, watched. ``events`` runs it; ``stop`` from any thread ends it."""

    def __init__(
        self,
        find: Callable[[], str],
        prepare: Prepare,
        *,
        baud: int = BAUD,
        join: Callable[..., Client] = connect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``prepare`` says what a band senses and where its movement comes from."""
        self._find, self._prepare, self._baud = find, prepare, baud
        self._join, self._sleep = join, sleep
        self._stopped = threading.Event()
        self._client: Client | None = None
        self._known: tuple[Sensing, Source] | None = None
        self._samples = self._troubles = self._missed = self._losses = 0

    def stop(self) -> None:
        """No more events after the one under way."""
        self._stopped.set()

    def events(self) -> Generator[Event, None, None]:
        """What happens, without an end; close it to let go of the port.

        Raises TinyharError when there is no band at first, and when one comes back that the source
        does not fit; a line that fails in between is an event.
        """
        try:
            yield self._joined(0.0)
            while not self._stopped.is_set():
                try:
                    if self._known is None:  # the band's classes are others now
                        yield self._joined(0.0)
                    yield from self._stream()
                except StreamBegan:
                    self._known = None
                    continue
                except _LOST as error:
                    why = str(error)
                else:
                    continue
                lost_at = time.monotonic()
                self._let_go()
                yield Lost(why)
                if self._comes_back():
                    yield self._joined(time.monotonic() - lost_at)
        finally:
            self._let_go()

    def _stream(self) -> Generator[Event, None, None]:
        """One stream, until the line fails, the band loses its place or the session ends."""
        client, (sensing, source) = self._client, self._known or self._prepare_anew()
        assert client is not None
        offset, first = self._samples, 0
        try:
            while not self._stopped.is_set():
                piece = source.step(client, first)
                first += piece.lost + len(piece.counts)
                self._samples = offset + first
                at, said = self._samples - len(piece.counts), tuple(client.take_predictions())
                if said and len(said[-1].logits) != len(sensing.classes):
                    raise StreamBegan("the band was taught, or forgot, a class")
                yield Moved(at, offset, piece, said, self._health_of(client, piece.took))
        except BandRefused as refusal:
            if refusal.code != ErrorCode.OUT_OF_ORDER or not first:
                raise
        finally:
            self._missed += client.missed
            client.missed = 0

    def _health_of(self, client: Client, took: float) -> Health:
        troubles = self._troubles + client.exchange.troubles
        return Health(troubles, self._missed + client.missed, self._losses, 1000 * took)

    def _joined(self, away: float) -> Joined:
        """Greets the band unless ``_comes_back`` has."""
        if self._client is None:
            self._client = self._join(self._find(), self._baud, timeout=ANSWER_SECONDS)
        sensing, source = self._known or self._prepare_anew()
        return Joined(self._client.exchange.link.name, sensing, source, away)

    def _prepare_anew(self) -> tuple[Sensing, Source]:
        assert self._client is not None
        self._known = self._prepare(self._client)
        return self._known

    def _comes_back(self) -> bool:
        """Looks for the band until it answers; False when the session ends before."""
        while not self._stopped.is_set():
            try:
                client = self._join(self._find(), self._baud, timeout=ANSWER_SECONDS)
            except BandError:
                self._sleep(RETRY_SECONDS)
                continue
            self._client = client
            if self._known and self._known[0].identity.bundle_id == client.identity.bundle_id:
                return True
            try:
                self._prepare_anew()
            except _LOST:
                self._let_go()
                self._sleep(RETRY_SECONDS)
                continue
            return True
        return False

    def _let_go(self) -> None:
        if self._client is None:
            return
        client, self._client = self._client, None
        self._troubles += client.exchange.troubles
        self._losses += 1
        with suppress(BandError):
            client.close()
