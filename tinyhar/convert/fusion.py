"""Steps that disappear into a neighbour: paddings, poolings by two, tables of tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyhar.convert import moving
from tinyhar.convert.graph import Graph, Operator
from tinyhar.convert.parameters import Weighted
from tinyhar.convert.step import MAX_POOL, PACKED_CONV, TABLE, Step
from tinyhar.convert.tables import look_up

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def absorbed_paddings(graph: Graph) -> dict[int, Operator]:
    """Paddings along time that the convolution after them does itself, by their output tensor.

    Keras' ZeroPadding2D before a "valid" convolution; the zero is the input's zero point.

    Raises:
        ModelError: a padding whose parameters cannot be.
    """
    found = {}
    for operator in graph.operators:
        if operator.kind not in ("PAD", "PADV2"):
            continue
        p = moving.padding(graph, operator)
        readers = [o for o in graph.operators if operator.output in o.inputs]
        if (
            len(readers) == 1
            and readers[0].kind in _CONVOLUTIONS
            and not readers[0].options.same
            and graph.output != operator.output
            and p.before[0] == p.after[0] == p.before[2] == p.after[2] == 0
            and p.value == graph.tensors[operator.output].zero_point
        ):
            found[operator.output] = operator
    return found


def with_padding(graph: Graph, weighted: Weighted, pad: Operator) -> Weighted:
    """A convolution's parameters, its input being what `pad` would have padded."""
    p = moving.padding(graph, pad)
    window = replace(weighted.window, input=(p.input[0], p.input[1]), pad=(0, p.before[1]))
    return replace(weighted, window=window)


def fuse(graph: Graph, steps: list[Step]) -> list[Step]:
    """Take each maximum of two neighbours in time into the convolution that feeds only it, and
    each table into the table that feeds only it."""
    fused: list[Step] = []
    for step in steps:
        before = fused[-1] if fused else None
        if before is None or not _alone(graph, before, step):
            fused.append(step)
        elif _halves(before, step):
            fused[-1] = replace(
                before,
                layer=step.layer,
                target=step.target,
                output=step.output,
                low=max(before.low, step.low),
                high=min(before.high, step.high),
                pool=2,
            )
        elif before.kind == step.kind == TABLE:
            tables = [np.frombuffer(s.data, np.int8) for s in (step, before)]
            both = look_up(*tables)
            fused[-1] = replace(before, layer=step.layer, target=step.target, data=both.tobytes())
        else:
            fused.append(step)
    return fused


def _alone(graph: Graph, before: Step, step: Step) -> bool:
    """Whether `step` reads nothing but what `before` makes, and nobody else does."""
    readers = sum(o.inputs.count(before.target) for o in graph.operators)
    return step.sources == (before.target,) and readers == 1 and graph.output != before.target


def _halves(before: Step, step: Step) -> bool:
    w = step.window
    if before.kind not in PACKED_CONV or before.pool != 1 or step.kind != MAX_POOL or w is None:
        return False
    return (
        w.kernel == w.stride == (1, 2)
        and w.pad == (0, 0)
        and max(before.low, step.low) >= before.zeros[1]
        and w.output[1] * 2 <= w.input[1]
    )
