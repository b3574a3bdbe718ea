"""What a deployment took: bytes, time, and its share of the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BITS_PER_BYTE: Final = 10
"""On a serial line, with start and stop bit."""


@dataclass(frozen=True)
class Deployed:
    """What happened. ``partial_bytes``: what had to travel at the least; None: not asked."""

    bundle_id: bytes
    how: str
    full_bytes: int
    partial_bytes: int | None
    sent_bytes: int
    copied_bytes: int
    resumed_bytes: int
    line_bytes: int
    transfer_seconds: float
    seconds: float
    slot: int
    golden: int
    baud: int | None

    @property
    def bytes_per_second(self) -> float:
        """Of what travelled, while it did."""
        return self.sent_bytes / self.transfer_seconds if self.transfer_seconds else 0.0

    @property
    def line_share(self) -> float | None:
        """Of the line's rate, what the bundle's own bytes took from the first question to the last
        answer, erasing and trial included; None on a line without a rate, or when not all was sent.
        """
        if self.baud is None or not self.transfer_seconds or self.copied_bytes:
            return None
        return self.sent_bytes / self.seconds / (self.baud / BITS_PER_BYTE)
