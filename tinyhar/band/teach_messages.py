"""What a desk and a band say to each other about teaching: requests 0x30 and 0x31.

``firmware/include/tinyhar/messages.h`` defines them: a class is begun, then shown by streaming,
then kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyhar.band.codes import MessageType
from tinyhar.band.messages import Request
from tinyhar.band.wire import U8, U16, U32, Part


@dataclass(frozen=True)
class TeachResponse(Part):
    """Classes and taught ones that there are now; what the class in question was shown."""

    classes: U8
    taught: U8
    windows: U16
    samples: U32


@dataclass(frozen=True)
class Teach(Request[TeachResponse]):
    """A ``TeachAction`` on a class: its index, or NONE and the name of a new one."""

    TYPE = MessageType.TEACH
    RESPONSE = TeachResponse
    action: U8
    class_index: U8
    name: str = ""

    def tail(self) -> bytes:
        """The name in UTF-8."""
        return self.name.encode()

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """All there is."""
        return {"name": tail.decode(errors="replace")}


@dataclass(frozen=True)
class TaughtResponse(Part):
    """A taught class (NONE: there are no more) and its mean, int8 [embedding] as bytes."""

    class_index: U8
    windows: U16
    samples: U32
    mean: bytes

    def tail(self) -> bytes:
        """The mean."""
        return self.mean

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """All there is."""
        return {"mean": tail}


@dataclass(frozen=True)
class Taught(Request[TaughtResponse]):
    """Which is the taught class of number ``entry``?"""

    TYPE = MessageType.TAUGHT
    RESPONSE = TaughtResponse
    entry: U8
