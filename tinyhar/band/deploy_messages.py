"""What a desk and a band say to each other about the model store: requests 0x20 to 0x27.

``firmware/include/tinyhar/messages.h`` defines them, as it does all others; a deployment is
:class:`Begin`, then :class:`Chunk` and :class:`Copy` in order of offset, then :class:`Commit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyhar.band.codes import MessageType
from tinyhar.band.messages import Done, Request
from tinyhar.band.wire import U8, U16, U32, Id32, Part


@dataclass(frozen=True)
class SlotResponse(Part):
    """A slot: what it holds (``SlotState``), and whether that runs now."""

    index: U8
    state: U8
    active: U8
    failures: U8
    sequence: U32
    bundle_bytes: U32
    received: U32
    capacity: U32
    bundle_id: Id32


@dataclass(frozen=True)
class Slot(Request[SlotResponse]):
    """What is in slot 0 or 1, or in the image itself (2)?"""

    TYPE = MessageType.SLOT
    RESPONSE = SlotResponse
    index: U8


@dataclass(frozen=True)
class BlocksResponse(Part):
    """CRC-32 of blocks of the running bundle, and its length."""

    bundle_bytes: U32
    n: U8
    crcs: tuple[int, ...]

    def tail(self) -> bytes:
        """The CRCs."""
        return np.asarray(self.crcs, "<u4").tobytes()

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """As many CRCs as announced."""
        if len(tail) != 4 * fixed["n"]:
            raise cls.bad_length(tail, f"{4 * fixed['n']}", "of CRCs")
        return {"crcs": tuple(np.frombuffer(tail, "<u4").tolist())}


@dataclass(frozen=True)
class Blocks(Request[BlocksResponse]):
    """What are the bytes of the running bundle, from block ``first`` on?"""

    TYPE = MessageType.BLOCKS
    RESPONSE = BlocksResponse
    first: U16
    count: U8


@dataclass(frozen=True)
class BeginResponse(Part):
    """Bytes that are there from an earlier try; ``running``: the band runs this very bundle."""

    received: U32
    running: U8


@dataclass(frozen=True)
class Begin(Request[BeginResponse]):
    """A bundle will come. ``any_sensors``: even for channels that are not the band's."""

    TYPE = MessageType.BEGIN
    RESPONSE = BeginResponse
    bundle_bytes: U32
    crc32: U32
    bundle_id: Id32
    window: U16
    channels: U8
    classes: U8
    engine: U8
    smooth_length: U8
    arena_bytes: U32
    rate_mhz: U32
    channels_crc32: U32
    any_sensors: U8


@dataclass(frozen=True)
class ChunkResponse(Part):
    """How many bytes of the bundle are there, from its start."""

    received: U32


@dataclass(frozen=True)
class Chunk(Request[ChunkResponse]):
    """Bytes of the bundle, a multiple of 16 of them."""

    TYPE = MessageType.CHUNK
    RESPONSE = ChunkResponse
    offset: U32
    data: bytes

    def tail(self) -> bytes:
        """The bytes."""
        return self.data

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """One byte or more."""
        if not tail:
            raise cls.bad_length(tail, "one or more", "of data")
        return {"data": tail}


@dataclass(frozen=True)
class Copy(Request[ChunkResponse]):
    """Bytes that the running bundle has, too; all multiples of 16."""

    TYPE = MessageType.COPY
    RESPONSE = ChunkResponse
    offset: U32
    source: U32
    size: U32


@dataclass(frozen=True)
class Activated(Part):
    """The slot that now runs (2: the image's own), and the golden windows that it was tried on."""

    slot: U8
    golden: U8
    sequence: U32


@dataclass(frozen=True)
class Commit(Request[Activated]):
    """Check what came, try it, and run it from now on."""

    TYPE = MessageType.COMMIT
    RESPONSE = Activated


@dataclass(frozen=True)
class Abort(Request[Done]):
    """Forget what came."""

    TYPE = MessageType.ABORT
    RESPONSE = Done


@dataclass(frozen=True)
class Rollback(Request[Activated]):
    """Back to the bundle before this one, or to the image's own."""

    TYPE = MessageType.ROLLBACK
    RESPONSE = Activated
