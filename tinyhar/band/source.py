"""Where a session's movement comes from: a recording that is played, or the band's own sensor.

A source makes the next piece of movement happen and says what it was: one plays recorded or
computed movement to a band that has no sensor, the other waits for what a band's sensor measures.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.errors import MessageError, SilentBand, StreamBegan
from tinyhar.band.live_messages import Samples
from tinyhar.band.movement import UNKNOWN, Movement
from tinyhar.errors import DataError

PIECE_SECONDS: Final = 0.08
"""Of movement in one piece: as often as a view is drawn, and no smaller."""

LARGE_PIECE_SECONDS: Final = 1.0
"""The same when a piece need not wait for its time."""

SILENCE: Final = 1.0
"""Seconds without a sample after which a sensor counts as gone."""

LISTEN_SECONDS: Final = 0.02
"""How long to listen before looking for samples."""

LATE: Final = 1.0
"""Seconds behind its time after which a source no longer hurries to catch up."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A bit of movement that the band has got.

    ``counts`` int16 [time, channel]; ``really`` what was done in its last sample, empty if nobody
    knows; ``lost`` samples before it that never came; ``took`` seconds until the band had it.
    """

    counts: m.Counts
    really: str = ""
    lost: int = 0
    took: float = 0.0


class Source(Protocol):
    """Movement for a band, without an end."""

    words: str
    """What it is."""
    activities: tuple[str, ...]
    """What can be performed; empty where a person does what they like."""

    def step(self, client: Client, first: int) -> Piece:
        """The next piece, when its time has come.

        ``first`` is its first sample's number in the stream, 0 in a new one. Raises BandError when
        the line fails; the piece then comes again.
        """

    def perform(self, activity: str | None) -> None:
        """From now on only this activity, None for all; ignored where a person does it."""

    def hurry(self, on: bool) -> None:
        """As fast as the line goes, where the source can."""


class Replay:
    """A movement that is played over and over, at the band's rate."""

    def __init__(
        self,
        movement: Movement,
        rate: float,
        words: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not len(movement.counts):
            raise DataError(f"{words}: there is no movement in it to play")
        self.words = words
        self.activities = tuple(
            name for i, name in enumerate(movement.activities) if (movement.labels == i).any()
        )
        self._all = self._movement = movement
        self._rate = rate
        self._sleep = sleep
        self._at: dict[str | None, int] = {}
        self._performed: str | None = None
        self._hurried = False
        self._due = 0.0
        self._lock = threading.Lock()

    def perform(self, activity: str | None) -> None:
        """Only this activity from now on, going on where it was left; DataError if unknown."""
        if activity is not None and activity not in self.activities:
            raise DataError(
                f"{self.words} holds no movement of {activity!r}; it has "
                f"{', '.join(self.activities) or 'no labels'}"
            )
        with self._lock:
            self._performed = activity
            self._movement = self._all if activity is None else part(self._all, activity)

    def hurry(self, on: bool) -> None:
        """As fast as the line goes, or at the band's rate."""
        self._hurried = on

    def step(self, client: Client, first: int) -> Piece:
        """The next piece, at its time."""
        seconds = LARGE_PIECE_SECONDS if self._hurried else PIECE_SECONDS
        samples = max(1, round(self._rate * seconds))
        self._wait(client, samples)
        with self._lock:
            movement, key = self._movement, self._performed
            at = self._at.get(key, 0) % len(movement.counts)
        counts = movement.counts[at : at + samples]
        started = client.exchange.link.now()
        client.stream(counts, first)
        took = client.exchange.link.now() - started
        with self._lock:
            self._at[key] = at + len(counts)
        label = int(movement.labels[at + len(counts) - 1])
        really = "" if label == UNKNOWN else movement.activities[label]
        return Piece(counts, really, took=took)

    def _wait(self, client: Client, samples: int) -> None:
        now = client.exchange.link.now()
        if self._hurried or now > self._due + LATE:
            self._due = now
        elif now < self._due:
            self._sleep(self._due - now)
        self._due += samples / self._rate


class Worn:
    """The band's own sensor, on somebody who does what they like."""

    words = "the band's own sensor"
    activities: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._next = 0

    def step(self, client: Client, first: int) -> Piece:
        """The samples since the last piece.

        Raises:
            SilentBand: none come for a while.
            StreamBegan: the band counts its samples from 0 again.
        """
        link = client.exchange.link
        if first == 0:
            client.live(True)
            self._next = 0
        end = link.now() + SILENCE
        while not client.samples:
            if link.now() > end:
                raise SilentBand(f"{link.name}: the band's sensor has sent nothing for {SILENCE} s")
            client.exchange.listen(LISTEN_SECONDS)
        told = list(client.samples)
        client.samples.clear()
        parts = [self._counts(one, client.identity.channels) for one in told]
        lost = 0
        for one, part in zip(told, parts, strict=True):
            if one.first_sample < self._next:
                raise StreamBegan(f"{link.name}: the band began its stream anew")
            lost += one.first_sample - self._next
            self._next = one.first_sample + len(part)
        return Piece(np.concatenate(parts), lost=lost)

    @staticmethod
    def _counts(one: Samples, channels: int) -> m.Counts:
        values = np.frombuffer(one.samples, "<i2").astype(np.int16)
        if len(values) % channels:
            raise MessageError(f"{len(values)} counts are no whole samples of {channels} channels")
        return values.reshape(-1, channels)

    def perform(self, activity: str | None) -> None:
        """Whoever wears the band does it."""

    def hurry(self, on: bool) -> None:
        """Time cannot be hurried."""


def part(movement: Movement, activity: str) -> Movement:
    """Only the samples of one activity."""
    chosen = np.flatnonzero(movement.labels == movement.activities.index(activity))
    return Movement(
        movement.counts[chosen], movement.labels[chosen], movement.activities, movement.scale
    )
