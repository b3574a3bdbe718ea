"""Where tensors lie: offsets in one arena, by lifetime."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Memory that is needed from step `first` to step `last`, both included."""

    bytes: int
    first: int
    last: int


def place(blocks: Sequence[Block], alignment: int = 4) -> tuple[list[int], int]:
    """Offsets for `blocks`, and the bytes that all of them take together.

    Greedy, first fit, in several orders (largest first, longest-lived first, busiest step first);
    the smallest outcome is taken. Blocks whose lifetimes meet never overlap.
    """
    orders = (
        lambda i: (-blocks[i].bytes, blocks[i].first),
        lambda i: (blocks[i].first - blocks[i].last, -blocks[i].bytes),
        lambda i: (-_pressure(blocks, blocks[i]), -blocks[i].bytes),
        lambda i: (blocks[i].first, -blocks[i].bytes),
    )
    outcomes = [_first_fit(blocks, sorted(range(len(blocks)), key=o), alignment) for o in orders]
    return min(outcomes, key=lambda outcome: outcome[1])


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
