"""Where tensors lie: offsets in one arena, by lifetime."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

_SHUFFLES: Final = 400
"""Orders tried beside the sensible ones; with a few dozen blocks that takes milliseconds."""


@dataclass(frozen=True)
class Block:
    """Memory that is needed from step `first` to step `last`, both included."""

    bytes: int
    first: int
    last: int


def place(blocks: Sequence[Block], alignment: int = 4) -> tuple[list[int], int]:
    """Offsets for `blocks`, and the bytes that all of them take together.

    Greedy, first fit, in several orders (largest first, longest-lived first, busiest step first,
    then shuffles of the first that start from a fixed seed); the smallest outcome is taken, and the
    search ends where the bytes alive at the busiest step are met. Blocks whose lifetimes meet never
    overlap.
    """
    least = max(_pressure(blocks, block) for block in blocks)
    best: tuple[list[int], int] | None = None
    for order in _orders(blocks):
        outcome = _first_fit(blocks, order, alignment)
        if best is None or outcome[1] < best[1]:
            best = outcome
        if best[1] <= least:
            break
    assert best is not None
    return best


def _orders(blocks: Sequence[Block]) -> Iterator[list[int]]:
    indices = range(len(blocks))
    largest = sorted(indices, key=lambda i: (-blocks[i].bytes, blocks[i].first))
    yield largest
    yield sorted(indices, key=lambda i: (blocks[i].first - blocks[i].last, -blocks[i].bytes))
    yield sorted(indices, key=lambda i: (-_pressure(blocks, blocks[i]), -blocks[i].bytes))
    yield sorted(indices, key=lambda i: (blocks[i].first, -blocks[i].bytes))
    random = Random(0)
    largest_size = max(block.bytes for block in blocks) + 1
    for _ in range(_SHUFFLES):
        # A noisy sort by size: large blocks still tend to come first.
        noise = [random.gauss(0.0, 0.6) for _ in blocks]
        yield sorted(indices, key=lambda i: noise[i] - (blocks[i].bytes + 1) / largest_size)


def _pressure(blocks: Sequence[Block], block: Block) -> int:
    """Most bytes alive at once while `block` is."""
    return max(
        sum(b.bytes for b in blocks if b.first <= step <= b.last)
        for step in range(block.first, block.last + 1)
    )


def _first_fit(
    blocks: Sequence[Block], order: Sequence[int], alignment: int
) -> tuple[list[int], int]:
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for i in order:
        meets = sorted(
            (offsets[j], offsets[j] + blocks[j].bytes)
            for j in placed
            if blocks[j].first <= blocks[i].last and blocks[i].first <= blocks[j].last
        )
        at = 0
        for start, end in meets:
            if at + blocks[i].bytes <= start:
                break
            at = max(at, -(-end // alignment) * alignment)
        offsets[i] = at
        placed.append(i)
    total = max(
        itertools.starmap(int.__add__, zip(offsets, (b.bytes for b in blocks), strict=True))
    )
    return offsets, -(-total // alignment) * alignment
