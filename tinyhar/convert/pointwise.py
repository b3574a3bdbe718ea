"""Steps without weights: sums, products, tables, means, and what only moves values."""

from __future__ import annotations

import struct
from dataclasses import replace

from tinyhar.convert import moving, parameters, products, reductions, tables
from tinyhar.convert.graph import Graph, Operator
from tinyhar.convert.step import (
    ADD,
    CONCATENATION,
    MAX_POOL,
    MEAN,
    MUL,
    PAD,
    SOFTMAX,
    TABLE,
    Step,
)


def step_without_weights(graph: Graph, operator: Operator, step: Step) -> Step:
    """`step`, told what an operator that is no convolution and no pooling computes.

    Raises:
        ModelError: shapes or scales that the operator cannot take.
    """
    if tables.is_table(graph, operator):
        return _table(graph, operator, step)
    makers = {
        "ADD": _add,
        "MUL": _multiply,
        "SOFTMAX": _softmax,
        "MEAN": _mean,
        "REDUCE_MAX": _largest,
        "PAD": _pad,
        "PADV2": _pad,
        "CONCATENATION": _concatenate,
    }
    return makers[operator.kind](graph, operator, step)


def _flat(graph: Graph, tensor: int) -> tuple[int, int, int]:
    shape = graph.tensors[tensor].shape
    return 1, graph.tensors[tensor].size // shape[-1], shape[-1]


def _table(graph: Graph, operator: Operator, step: Step) -> Step:
    (source,) = graph.operands(operator)
    flat = _flat(graph, source)
    return replace(
        step,
        kind=TABLE,
        source=source,
        input=flat,
        output=flat,
        data=tables.table_of(graph, operator).tobytes(),
        in_place=True,
    )


def _add(graph: Graph, operator: Operator, step: Step) -> Step:
    a = parameters.addition(graph, operator)
    # The kernel takes the input with the larger scale, whose factor is exactly 1/2, first.
    first, second = (0, 1) if (a.multipliers[0], a.shifts[0]) == (1 << 30, 0) else (1, 0)
    flat = _flat(graph, operator.inputs[0])
    return replace(
        step,
        kind=ADD,
        source=operator.inputs[first],
        second=operator.inputs[second],
        zeros=(a.zeros[first], a.zeros[2]),
        low=a.low,
        high=a.high,
        input=flat,
        output=flat,
        data=struct.pack(
            "<5i",
            a.multipliers[second],
            a.shifts[second],
            a.multipliers[2],
            a.shifts[2],
            a.zeros[second],
        ),
        in_place=True,
    )


def _multiply(graph: Graph, operator: Operator, step: Step) -> Step:
    p = products.product(graph, operator)
    return replace(
        step,
        kind=MUL,
        source=p.large,
        second=p.small,
        zeros=(p.zeros[0], p.zeros[2]),
        low=p.low,
        high=p.high,
        input=(1, p.repeats, p.period),
        output=(1, p.repeats, p.period),
        data=struct.pack("<3i", p.multiplier, p.shift, p.zeros[1]),
        in_place=True,
    )


def _softmax(graph: Graph, operator: Operator, step: Step) -> Step:
    s = parameters.softmax(graph, operator)
    flat = _flat(graph, operator.inputs[0])
    return replace(
        step,
        kind=SOFTMAX,
        input=flat,
        output=flat,
        data=struct.pack("<3i", s.multiplier, s.shift, s.lowest),
        in_place=True,
    )


def _mean(graph: Graph, operator: Operator, step: Step) -> Step:
    m = reductions.mean(graph, operator)
    return replace(
        step,
        kind=MEAN,
        zeros=(m.in_zero, m.out_zero),
        input=(m.outer, m.count, m.inner),
        output=(1, m.outer, m.inner),
        data=struct.pack("<3i", m.multiplier, m.shift, 0),
    )


def _largest(graph: Graph, operator: Operator, step: Step) -> Step:
    """A greatest value along an axis is a pooling whose window is all of it."""
    outer, count, inner = moving.largest(graph, operator)
    return replace(
        step,
        kind=MAX_POOL,
        input=(outer, count, inner),
        output=(outer, 1, inner),
        window=parameters.Window((outer, count), (outer, 1), (1, count), (1, 1), (1, 1), (0, 0)),
    )


def _pad(graph: Graph, operator: Operator, step: Step) -> Step:
    p = moving.padding(graph, operator)
    size = (p.input[0], p.input[1])
    return replace(
        step,
        kind=PAD,
        input=p.input,
        output=p.output,
        window=parameters.Window(
            size, (p.output[0], p.output[1]), (1, 1), (1, 1), (1, 1), (p.before[0], p.before[1])
        ),
        data=struct.pack("<2i", p.value, p.before[2]),
    )


def _concatenate(graph: Graph, operator: Operator, step: Step) -> Step:
    p = moving.joining(graph, operator)
    return replace(
        step,
        kind=CONCATENATION,
        input=(1, p.outer, p.widths[0]),
        output=(1, p.outer, sum(p.widths)),
        rows=tuple(zip(operator.inputs, p.widths, strict=True)),
        data=bytes(4 + 8 * len(p.widths)),
    )
