"""No time without its clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.band.simulated import SimulatedBand
from tinyhar.band.client import Client
from tinyhar.band.clock import Clock
from tinyhar.band.messages import Identity

TICKS = np.array([10, 20, 30, 40], np.int64)


def band(board: str, per_tick: int, tick_hz: int = 25_000_000) -> Identity:
    some = Client(SimulatedBand()).identity
    return replace(some, board=board, instructions_per_tick=per_tick, tick_hz=tick_hz)


def test_counted_instructions_are_told_as_a_time_at_64_mhz() -> None:
    clock = Clock.of(band("mps2_an386", 40))
    assert clock.instructions(float(TICKS.mean())) == 1000
    assert clock.latency(TICKS).max == pytest.approx(1000 * 1600 / 64e6)
    assert clock.latency(TICKS).clock == "at 64 MHz, one instruction a cycle"


@pytest.mark.parametrize(
    ("board", "name"), [("host", "by this machine's clock"), ("nano33", "by the band's own clock")]
)
def test_other_bands_are_told_by_their_own_clock(board: str, name: str) -> None:
    clock = Clock.of(band(board, 0, 1000))
    assert clock.instructions(5.0) is None
    times = clock.latency(np.arange(1, 102))
    assert (times.p50, times.p90, times.max, times.clock) == (51.0, 91.0, 101.0, name)
