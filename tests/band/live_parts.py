"""What the tests of watched bands share: a session on a simulated line, movement to play."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.band.simulated import SimulatedBand
from tinyhar.band.client import Client
from tinyhar.band.movement import Movement
from tinyhar.band.sensing import Sensing, sensing_of
from tinyhar.band.session import Event, Session
from tinyhar.band.source import Replay


def movement(channels: int = 3, seconds: float = 20.0, seed: int = 0) -> Movement:
    """Two activities, each half of the time, at 50 Hz."""
    samples = round(50 * seconds)
    random = np.random.default_rng(seed)
    counts = random.integers(-20000, 20000, (samples, channels)).astype(np.int16)
    labels = np.repeat([0, 1], [samples // 2, samples - samples // 2])
    return Movement(counts, labels, ("sit", "walk"))


class Wired:
    """A simulated band and a session that watches it, on the band's own clock."""

    def __init__(self, played: Movement | None = None, *, real_time: bool = False) -> None:
        self.bands = [SimulatedBand()]
        self.played = played or movement()
        self.sources: list[Replay] = []
        self.asleep = 0.0
        self.real_time = real_time
        self.session = Session(lambda: "simulated", self.prepare, join=self.join, sleep=self.sleep)

    @property
    def band(self) -> SimulatedBand:
        return self.bands[-1]

    def join(self, url: str, baud: int, **options: Any) -> Client:
        return Client(self.band, **options)

    def prepare(self, client: Client) -> tuple[Sensing, Replay]:
        self.sources.append(Replay(self.played, 50.0, "a test", sleep=self.sleep))
        return sensing_of(client), self.sources[-1]

    def sleep(self, seconds: float) -> None:
        self.asleep += seconds
        if self.real_time:
            time.sleep(seconds)
        self.band._time += seconds

    def take(self, events: int) -> list[Event]:
        """The first events."""
        found = []
        for event in self.session.events():
            found.append(event)
            if len(found) == events:
                break
        return found
