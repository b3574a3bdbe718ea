"""Memory of a compiled model: which tensors share a place, and where each of them lies."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tinyhar.convert.graph import Graph
from tinyhar.convert.placement import Block, place
from tinyhar.convert.step import PACKED_CONV, Step
from tinyhar.errors import ModelError

_SCRATCH: Final = 512
"""Bytes that a convolution may gather inputs into beyond what it cannot do without: on the models
measured, more costs more memory than it saves instructions."""


@dataclass(frozen=True)
class Arena:
    """How many bytes the engine works in, and where each tensor begins."""

    bytes: int
    offsets: dict[int, int]


def place_steps(graph: Graph, steps: list[Step], kept: int = 0) -> Arena:
    """Offsets of every tensor and of each step's scratch; sets the steps' offsets and tiles.

    Args:
        graph: the model.
        steps: its steps.
        kept: so many of the first steps' outputs stay from one window to the next.

    Raises:
        ModelError: a RESHAPE that changes the number of values.
    """
    alias = _aliases(graph)
    owner, first, last = _lifetimes(graph, steps, alias, kept)
    before, after = dict.fromkeys(first, 0), dict.fromkeys(first, 0)
    for step in steps:
        source = owner[alias[step.source]]
        before[source] = max(before[source], -(-step.before // 4) * 4)
        after[source] = max(after[source], step.after)
    tensors = list(first)
    blocks = [
        Block(before[t] + graph.tensors[t].size + after[t], first[t], last[t]) for t in tensors
    ]
    scratch = [Block(_wanted(step), i, i) for i, step in enumerate(steps)]
    offsets, total = place(blocks + scratch)
    at = {t: offsets[i] + before[t] for i, t in enumerate(tensors)}
    places = {t: at[o] for t, o in owner.items()}
    for i, step in enumerate(steps):
        busy = [
            (offsets[j], offsets[j] + b.bytes)
            for j, b in enumerate(blocks)
            if b.first <= i <= b.last
        ]
        gap, room = _largest_gap(busy, total)
        if step.kind in PACKED_CONV:
            step.tile = max(1, min((room - step.expanded) // step.scratch, _pairs(step)))
        if step.rows:
            step.data = struct.pack("<I", len(step.rows)) + b"".join(
                struct.pack("<2I", places[alias[tensor]], width) for tensor, width in step.rows
            )
        step.offsets = {
            "input": places[alias[step.source]],
            "output": places[alias[step.target]],
            "other": places[alias[step.second]] if step.second >= 0 else gap,
        }
    return Arena(total, {t: places[o] for t, o in alias.items() if o in places})


def _pairs(step: Step) -> int:
    """Pairs of outputs that a convolution makes."""
    return step.output[1] * step.pool // 2


def _wanted(step: Step) -> int:
    """Scratch to ask for: a convolution reads its weights' heads once for all pairs in it."""
    if step.kind not in PACKED_CONV:
        return step.scratch
    return step.expanded + step.scratch * max(1, min(_pairs(step), _SCRATCH // step.scratch))


def _largest_gap(busy: list[tuple[int, int]], total: int) -> tuple[int, int]:
    """Offset (a multiple of 4) and length of the longest stretch of [0, total) that is not busy."""
    best, at = (0, 0), 0
    for start, end in [*sorted(busy), (total, total)]:
        if start - at > best[1]:
            best = (at, start - at)
        at = max(at, -(-end // 4) * 4)
    return best


def _lifetimes(
    graph: Graph, steps: list[Step], alias: dict[int, int], kept: int
) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Tensor -> the tensor whose memory it takes; that one's first and last step.

    What the first `kept` steps make lives from before the first step to behind the last.
    """
    last: dict[int, int] = {alias[graph.output]: len(steps)}
    for i, step in enumerate(steps):
        for tensor in step.sources:
            last[alias[tensor]] = max(last.get(alias[tensor], 0), i)
    last |= {step.target: len(steps) for step in steps[:kept]}
    owner = {alias[graph.input]: alias[graph.input]}
    first = {alias[graph.input]: -1}
    last.setdefault(alias[graph.input], 0)
    for i, step in enumerate(steps):
        source = owner[alias[step.source]]
        second = owner[alias[step.second]] if step.second >= 0 else -1
        share = step.in_place and last[source] == i and second != source
        owner[step.target] = source if share else step.target
        if not share:
            first[step.target] = i if i >= kept else -1
        last[owner[step.target]] = max(last.get(owner[step.target], i), last.get(step.target, i))
    return owner, first, last


def _aliases(graph: Graph) -> dict[int, int]:
    """Tensor -> the tensor whose memory it shares: RESHAPE's output is its input."""
    alias = {graph.input: graph.input}
    for operator in graph.operators:
        reshaped = operator.kind == "RESHAPE"
        alias[operator.output] = alias[operator.inputs[0]] if reshaped else operator.output
        sizes = [graph.tensors[t].size for t in (operator.inputs[0], operator.output)]
        if reshaped and sizes[0] != sizes[1]:
            raise ModelError(f"{graph.name_of(operator)}: sizes differ")
    return alias
