"""A line that loses, damages, repeats, swaps, delays and cuts what goes over it, either way.

It stands between a client and any band that answers at once (:class:`End`). Time runs only while
the client waits: frames take as long as its baud rate makes them, and hours of bad luck pass in
seconds. The same seed gives the same faults.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from tests.band.simulated import SimulatedBand
from tinyhar.band import frames
from tinyhar.band.errors import LinkError

LATENCY: Final = 0.002
"""Seconds; of a USB serial chip."""

LATEST: Final = 0.5
"""Seconds that a frame may be late: less than 128 of the shortest requests take, or numbers of
eight bits could not tell its age."""

_PIECE = re.compile(rb"[^\0]*\0|[^\0]+\Z")


class End(Protocol):
    """What is at the other end of the line."""

    def hear(self, data: bytes, now: float) -> bytes:
        """Takes bytes, gives all that is said to them."""

    def hang_up(self) -> None:
        """The cable is pulled and plugged in again."""

    @property
    def counted(self) -> tuple[int, int]:
        """Whole and damaged frames that it heard since it started."""


@dataclass(frozen=True)
class Rates:
    """Chances of each fault for each frame, in each direction; ``unplug`` only towards the band."""

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    cut: float = 0.0
    unplug: float = 0.0


class FaultyLink:
    """The client's side; a ``tinyhar.band.link.Link``."""

    name = "faulty"

    def __init__(
        self, end: End, rates: Rates, seed: int, *, buffered: bool = True, baud: int = 115_200
    ) -> None:
        self.end, self.rates, self.buffered = end, rates, buffered
        self.baud: int | None = baud
        self._seconds_a_byte = 10 / baud
        self.frames: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._random = Random(seed)
        self._time = 0.0
        self._free = {True: 0.0, False: 0.0}
        self._under_way: list[tuple[float, int, bool, bytes]] = []
        self._order = 0
        self._arrived = b""
        self._unplugged = False

    # -- a line ------------------------------------------------------------------------------

    def now(self) -> float:
        return self._time

    def close(self) -> None:
        self._lose_all()

    def write(self, data: bytes) -> None:
        for piece in _PIECE.findall(data):
            self._check_plugged()
            if self._happens("unplug", self.rates.unplug):
                self._unplugged = True
            self._offer(piece, to_band=True)

    def read(self, timeout: float) -> bytes:
        self._check_plugged()
        end = self._time + timeout
        while not self._arrived:
            if not self._under_way or self._under_way[0][0] > end:
                self._time = end
                return b""
            self._deliver()
        data, self._arrived = self._arrived, b""
        return data

    def plug_in(self) -> None:
        """After a LinkError."""
        self._unplugged = False
        self._lose_all()
        self.end.hang_up()

    def settle(self) -> None:
        """All that is under way arrives, and nobody listens."""
        while self._under_way:
            self._deliver()
        self._arrived = b""

    # -- what it does ------------------------------------------------------------------------

    def _check_plugged(self) -> None:
        if self._unplugged:
            raise LinkError(f"{self.name} went away; plug the band in again")

    def _lose_all(self) -> None:
        self._under_way.clear()
        self._arrived = b""

    def _deliver(self) -> None:
        at, _, to_band, piece = heapq.heappop(self._under_way)
        self._time = max(self._time, at)
        if not to_band:
            self._arrived += piece
            return
        for said in _PIECE.findall(self.end.hear(piece, self._time)):
            self._offer(said, to_band=False)

    def _happens(self, fault: str, chance: float) -> bool:
        if self._random.random() >= chance:
            return False
        self.faults[fault] += 1
        return True

    def _offer(self, piece: bytes, *, to_band: bool) -> None:
        if len(piece) > 1:
            self.frames["to band" if to_band else "to desk"] += 1
        copies = 2 if self._happens("duplicate", self.rates.duplicate) else 1
        for _ in range(copies):
            self._send(piece, to_band)

    def _send(self, piece: bytes, to_band: bool) -> None:
        """One copy; the line is busy with it for a while, whatever comes out at its end."""
        start = max(self._time, self._free[to_band])
        self._free[to_band] = start + len(piece) * self._seconds_a_byte
        if self._happens("drop", self.rates.drop):
            return
        whole, piece = piece, self._damaged(piece)
        if _frame_of(piece) not in (None, _frame_of(whole)):
            self.faults["beyond a CRC"] += 1
            return
        late = 0.0
        if self._happens("reorder", self.rates.reorder):
            late = self._random.uniform(0.0, 0.05)
        if self._happens("delay", self.rates.delay):
            late = self._random.uniform(0.05, LATEST)
        self._order += 1
        arrives = self._free[to_band] + LATENCY + late
        heapq.heappush(self._under_way, (arrives, self._order, to_band, piece))

    def _damaged(self, piece: bytes) -> bytes:
        if self._happens("flip", self.rates.flip):
            for _ in range(self._random.choice((1, 1, 2, 5))):
                at = self._random.randrange(8 * len(piece))
                byte = bytes([piece[at // 8] ^ 1 << at % 8])
                piece = piece[: at // 8] + byte + piece[at // 8 + 1 :]
        if self._happens("cut", self.rates.cut):
            start = self._random.randrange(len(piece))
            piece = piece[:start] + piece[self._random.randrange(start, len(piece)) + 1 :]
        return piece


def _frame_of(piece: bytes) -> frames.Frame | None:
    """One damaged frame in some 65,536 passes a CRC of 16 bits, and no client can know."""
    return frames.decode(piece.removesuffix(b"\0"))


class SimulatedEnd:
    """A band in Python at the end of the line."""

    def __init__(self, band: SimulatedBand) -> None:
        self.band = band

    def hear(self, data: bytes, now: float) -> bytes:
        self.band._time = now
        for frame in self.band._decoder.feed(data):
            self.band._hear(frame)
        self.band._run(now)
        said, self.band._arrived = self.band._arrived, b""
        return said

    def hang_up(self) -> None:
        """A band on a cable does not notice."""

    @property
    def counted(self) -> tuple[int, int]:
        return self.band._decoder.good, self.band._decoder.bad
