"""How fast a band is: round trips, windows over the line, and the time on its own clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.clock import Clock, Latency

BATCH = 64
"""Windows sent before the clock is looked at again."""


@dataclass(frozen=True)
class Bench:
    """Speeds of one band over one line; instructions are None where its clock counts none."""

    round_trip_ms: float
    round_trips_per_second: float
    windows: int
    windows_per_second: float
    frames_per_second: float
    bytes_per_second_out: float
    bytes_per_second_in: float
    latency_ms: Latency
    ticks_per_window: float
    instructions_per_window: int | None
    retries: int


def bench(client: Client, counts: m.Counts | None = None, seconds: float = 3.0) -> Bench:
    """Measure for about so many seconds, on the windows given or on noise of full range."""
    client.require_model()
    counts = _noise(client.identity) if counts is None else counts
    trips, trip_seconds = _round_trips(client, seconds / 3)
    before = (client.exchange.sent, client.exchange.received, client.exchange.retries)
    ticks, spent = _windows(client, counts, seconds * 2 / 3)
    exchange, clock = client.exchange, Clock.of(client.identity)
    return Bench(
        round_trip_ms=1000 * trip_seconds / trips,
        round_trips_per_second=trips / trip_seconds,
        windows=len(ticks),
        windows_per_second=len(ticks) / spent,
        frames_per_second=2 * len(ticks) / spent,
        bytes_per_second_out=(exchange.sent - before[0]) / spent,
        bytes_per_second_in=(exchange.received - before[1]) / spent,
        latency_ms=clock.latency(ticks),
        ticks_per_window=float(ticks.mean()),
        instructions_per_window=clock.instructions(float(ticks.mean())),
        retries=exchange.retries - before[2],
    )


def _noise(identity: m.Identity) -> m.Counts:
    shape = (BATCH, identity.window, identity.channels)
    return np.random.default_rng(0).integers(-(2**15), 2**15, shape).astype(np.int16)


def _round_trips(client: Client, seconds: float) -> tuple[int, float]:
    start = client.exchange.link.now()
    trips = 0
    while True:
        client.statistics()
        trips += 1
        spent = client.exchange.link.now() - start
        if spent >= seconds:
            return trips, max(spent, 1e-9)


def _windows(client: Client, counts: m.Counts, seconds: float) -> tuple[np.ndarray, float]:
    """Ticks of every window, and the seconds that all took."""
    start = client.exchange.link.now()
    ticks: list[int] = []
    while True:
        at = len(ticks) % len(counts)
        ticks += [result.ticks for result in client.infer_many(counts[at : at + BATCH])]
        spent = client.exchange.link.now() - start
        if spent >= seconds:
            return np.array(ticks, np.int64), max(spent, 1e-9)
