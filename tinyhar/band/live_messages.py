"""What a desk and a band with a sensor of its own say to each other: LIVE, and the samples.

``firmware/include/tinyhar/messages.h`` defines them, as it does all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyhar.band.codes import MessageType
from tinyhar.band.messages import CountsTail, Request
from tinyhar.band.wire import U8, U32, Part


@dataclass(frozen=True)
class LiveResponse(Part):
    """Whether the band now tells what its own sensor measures."""

    on: U8


@dataclass(frozen=True)
class Live(Request[LiveResponse]):
    """Tell what your own sensor measures, and what you make of it, or no longer."""

    TYPE = MessageType.LIVE
    RESPONSE = LiveResponse
    on: U8


@dataclass(frozen=True)
class Samples(CountsTail):
    """Event: what the band's own sensor measured, counts int16 [k, channels] as bytes."""

    TYPE: ClassVar = MessageType.SAMPLES
    first_sample: U32
    samples: bytes
