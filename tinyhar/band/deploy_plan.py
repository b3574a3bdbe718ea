"""What of a new bundle must travel, and what a band can copy from the bundle that it runs.

The band tells a CRC-32 of every block of its bundle, and the desk looks for these blocks anywhere
in the new one, as rsync does (Tridgell and Mackerras, "The rsync algorithm", 1996): a class name
more moves all that follows, but every section starts at a multiple of 16, so that trying those is
enough. A CRC that is right by chance is found out by the check of the whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tinyhar.band.codes import DEPLOY_BLOCK

ALIGN: Final = 16
"""Everything in a bundle, and every request of a deployment, goes by multiples of this."""

REQUEST_BYTES: Final = 24
"""About what a request costs on the line beside what it carries."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the new bundle; ``source`` is where the old one has it, None: it must travel."""

    offset: int
    size: int
    source: int | None = None

    def cut(self, start: int, most: int) -> Iterator[Piece]:
        """What of it lies behind ``start``, in pieces of at most so many bytes."""
        end = self.offset + self.size
        for at in range(max(start, self.offset), end, most):
            source = None if self.source is None else self.source + at - self.offset
            yield Piece(at, min(most, end - at), source)


@dataclass(frozen=True)
class Plan:
    """The whole of a bundle as pieces, in order."""

    pieces: tuple[Piece, ...]

    @property
    def sent_bytes(self) -> int:
        """Bytes of the bundle that travel."""
        return sum(piece.size for piece in self.pieces if piece.source is None)

    @property
    def copied_bytes(self) -> int:
        """Bytes that the band has."""
        return sum(piece.size for piece in self.pieces if piece.source is not None)

    @property
    def cost(self) -> int:
        """About what goes over the line."""
        return self.sent_bytes + REQUEST_BYTES * len(self.pieces)


def full(data: bytes) -> Plan:
    """Everything travels."""
    return Plan((Piece(0, len(data)),))


def partial(data: bytes, old_bytes: int, crcs: Sequence[int]) -> Plan:
    """What differs travels.

    Args:
        data: the new bundle.
        old_bytes: length of the bundle that the band runs.
        crcs: CRC-32 of each of its blocks of DEPLOY_BLOCK bytes, the last one perhaps shorter.
    """
    where: dict[int, list[int]] = {}
    for index, crc in enumerate(crcs):
        where.setdefault(crc, []).append(index * DEPLOY_BLOCK)
    pieces: list[Piece] = []
    at = 0
    while at < len(data):
        source = _find(data, at, old_bytes, where, _next_source(pieces))
        if source is None:
            size = min(ALIGN, len(data) - at)
        else:
            size = min(DEPLOY_BLOCK, old_bytes - source)
        _append(pieces, Piece(at, size, source))
        at += size
    return Plan(tuple(pieces))


def _next_source(pieces: list[Piece]) -> int | None:
    last = pieces[-1] if pieces else None
    return None if last is None or last.source is None else last.source + last.size


def _find(
    data: bytes, at: int, old_bytes: int, where: dict[int, list[int]], wanted: int | None
) -> int | None:
    """Where the old bundle has the block that starts here, best where its last one ended."""
    for size in (DEPLOY_BLOCK, old_bytes % DEPLOY_BLOCK):
        if not size or at + size > len(data):
            continue
        found = where.get(zlib.crc32(data[at : at + size]), [])
        fitting = [source for source in found if min(DEPLOY_BLOCK, old_bytes - source) == size]
        if fitting:
            return wanted if wanted in fitting else fitting[0]
    return None


def _append(pieces: list[Piece], piece: Piece) -> None:
    """To the last piece where it goes on from there."""
    if pieces:
        last = pieces[-1]
        both_travel = last.source is None and piece.source is None
        if both_travel or (piece.source is not None and piece.source == _next_source(pieces)):
            pieces[-1] = Piece(last.offset, last.size + piece.size, last.source)
            return
    pieces.append(piece)
