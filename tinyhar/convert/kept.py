"""Which layers' outputs are worth keeping from one window to the next, where windows overlap.

What the first layers made of the samples that two windows share is the same in both, except where
padding was or will be seen: the engine (firmware/engine/compiled/kept.c) moves it to the front and
computes the rest. That costs memory, as what is kept can share none with other tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyhar.convert.graph import Graph
from tinyhar.convert.memory import place_steps
from tinyhar.convert.step import DEPTHWISE, PACKED_CONV, Step


@dataclass(frozen=True)
class Shared:
    """Positions `begin` to `end` along time equal those `shift` further in the window before."""

    begin: int
    end: int
    shift: int


def shared_outputs(steps: Sequence[Step], hop: int) -> Iterator[Shared]:
    """What each of the first steps need not compute, as far as they can be kept.

    Ends at the first step that is no packed convolution along time reading what the one before it
    made, or whose stride does not divide the shift.
    """
    now: Shared | None = None
    for i, step in enumerate(steps):
        w = step.window
        chained = i == 0 or steps[i - 1].target == step.source
        if step.kind not in (*PACKED_CONV, DEPTHWISE) or w is None or not chained:
            return
        now = now or Shared(0, w.input[1] - hop, hop)
        stride = w.stride[1] * step.pool
        if now.shift % stride or not 0 < hop < steps[0].input[1]:
            return
        reach = (w.kernel[1] - 1) * w.dilation[1] + 1 + (step.pool - 1) * w.stride[1]
        begin = min(-(-(now.begin + w.pad[1]) // stride), step.output[1])
        shift, last = now.shift // stride, now.end + w.pad[1] - reach
        end = min(last // stride + 1 if last >= 0 else 0, step.output[1] - shift)
        now = Shared(begin, max(begin, end), shift)
        yield now


def saved_macs(steps: Sequence[Step], hop: int) -> list[int]:
    """Multiplications a window that each of the first steps is spared."""
    found = []
    for step, shared in zip(steps, shared_outputs(steps, hop), strict=False):
        w = step.window
        assert w is not None
        inputs = w.kernel[1] * (1 if step.kind == DEPTHWISE else step.input[2])
        found.append((shared.end - shared.begin) * step.pool * step.output[2] * inputs)
    return found


def best_kept(graph: Graph, steps: list[Step], hop: int, extra_ram: int) -> int:
    """How many of the first steps to keep so that the most is saved within `extra_ram` bytes."""
    saved = saved_macs(steps, hop)
    least = place_steps(graph, copy.deepcopy(steps)).bytes
    best, most = 0, 0
    for kept in range(1, len(saved) + 1):
        more = place_steps(graph, copy.deepcopy(steps), kept).bytes - least
        if sum(saved[:kept]) > most and more <= extra_ram:
            best, most = kept, sum(saved[:kept])
    return best
