"""How long a window takes, told with the clock that says so.

A band counts ticks of its own clock. In QEMU that clock is virtual (an instruction takes 1 ns, as
on no Cortex-M4), so there the count of instructions is the measurement, and a time follows only for
a clock that is named with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from tinyhar.band.messages import Identity

CORTEX_M4_HZ: Final = 64_000_000
"""The clock for which a count of instructions is told as a time: an nRF52840's."""


@dataclass(frozen=True)
class Latency:
    """Time of one window, count map and inference, in milliseconds by the clock that is named."""

    p50: float
    p90: float
    p99: float
    max: float
    clock: str


@dataclass(frozen=True)
class Clock:
    """Milliseconds of one of a band's ticks, and in words by which clock.

    ``instructions_per_tick`` is 0 where the ticks are not instructions.
    """

    ms_per_tick: float
    name: str
    instructions_per_tick: int = 0

    @classmethod
    def of(cls, band: Identity) -> Self:
        """The clock by which this band's times are told."""
        if band.instructions_per_tick:
            ms = 1000 * band.instructions_per_tick / CORTEX_M4_HZ
            name = f"at {CORTEX_M4_HZ // 1_000_000} MHz, one instruction a cycle"
            return cls(ms, name, band.instructions_per_tick)
        by = "this machine's clock" if band.board == "host" else "the band's own clock"
        return cls(1000 / max(1, band.tick_hz), f"by {by}")

    def latency(self, ticks: npt.NDArray[np.int64]) -> Latency:
        """What the ticks [n] of n windows say, at least one."""
        p50, p90, p99, most = (np.percentile(ticks, [50, 90, 99, 100]) * self.ms_per_tick).tolist()
        return Latency(p50, p90, p99, most, self.name)

    def instructions(self, ticks: float) -> int | None:
        """As a count of instructions; None where the band does not count them."""
        return round(ticks * self.instructions_per_tick) if self.instructions_per_tick else None
