"""Frames: COBS(type, seq, body, CRC-16) and a zero byte, found again in any stream of bytes.

CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) covers type, seq and body. COBS (Cheshire and
Baker, "Consistent Overhead Byte Stuffing", 1999) keeps zero bytes out of the frame, so that the
next zero ends whatever noise began.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Final

from cobs import cobs

MAX_BODY: Final = 4096
"""Longest body that a desk accepts, bytes."""

HEADER_BYTES: Final = 2
"""Type and sequence number."""

CRC_BYTES: Final = 2
"""Check at the end of the payload."""

FLUSH: Final = b"\0"
"""Ends at the other side whatever noise, or a frame cut short, left behind."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, still as bytes."""

    type: int
    seq: int
    body: bytes


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE of the data; "123456789" gives 0x29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the line, its ending zero included."""
    payload = bytes((frame.type, frame.seq)) + frame.body
    return bytes(cobs.encode(payload + crc16(payload).to_bytes(CRC_BYTES, "little"))) + b"\0"


def decode(stuffed: bytes) -> Frame | None:
    """The frame between two zero bytes, or None where COBS, length or CRC are not right."""
    try:
        payload: bytes = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    if len(payload) < HEADER_BYTES + CRC_BYTES:
        return None
    if crc16(payload[:-CRC_BYTES]) != int.from_bytes(payload[-CRC_BYTES:], "little"):
        return None
    return Frame(payload[0], payload[1], payload[HEADER_BYTES:-CRC_BYTES])


class Decoder:
    """Takes bytes in any pieces, gives whole frames; counts what it had to drop."""

    def __init__(self, max_body: int = MAX_BODY) -> None:
        payload = HEADER_BYTES + max_body + CRC_BYTES
        self._limit = payload + payload // 254 + 1
        self._partial = bytearray()
        self._skipping = False
        self.good = 0
        self.bad = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end in this piece, in order."""
        *ended, rest = data.split(b"\0")
        frames = [frame for piece in ended if (frame := self._end(piece)) is not None]
        self._keep(rest)
        return frames

    def _keep(self, piece: bytes) -> None:
        """A frame longer than any that can be whole is forgotten, up to its end."""
        if self._skipping:
            return
        self._partial += piece
        if len(self._partial) > self._limit:
            self._partial.clear()
            self._skipping = True

    def _end(self, piece: bytes) -> Frame | None:
        self._keep(piece)
        stuffed, self._partial = bytes(self._partial), bytearray()
        skipped, self._skipping = self._skipping, False
        if not stuffed and not skipped:
            return None
        frame = None if skipped else decode(stuffed)
        self.good += frame is not None
        self.bad += frame is None
        return frame
