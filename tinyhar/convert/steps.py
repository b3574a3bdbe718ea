"""Operators of a .tflite as the compiled engine's steps: kernel chosen, weights packed, fused."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tinyhar.convert import packing, parameters
from tinyhar.convert.graph import Graph, Operator

CONV, DEPTHWISE, CONV_WIDE, DEPTHWISE_WIDE = range(4)
MAX_POOL, AVERAGE_POOL, MEAN, ADD, SOFTMAX = range(4, 9)


@dataclass(frozen=True)
class LayerInfo:
    """One step of the compiled model, in the order in which a traced run reports them."""

    name: str
    operator: str
    output_tensor: int
    """The tensor of the .tflite that this step's output equals."""


@dataclass
class Step:
    """One row of the operator table before memory is placed."""

    kind: int
    layer: LayerInfo
    source: int
    target: int
    second: int = -1
    zeros: tuple[int, int] = (0, 0)
    low: int = -128
    high: int = 127
    input: tuple[int, int, int] = (1, 1, 1)
    output: tuple[int, int, int] = (1, 1, 1)
    window: parameters.Window | None = None
    pool: int = 1
    scratch: int = 0
    """Bytes that the kernel works in; a convolution's for one pair of outputs."""
    before: int = 0
    """Bytes that must be free before the input, for padding; `after` likewise."""
    after: int = 0
    tile: int = 1
    data: bytes = b""
    in_place: bool = False
    offsets: dict[str, int] = field(default_factory=dict)


def steps_of(graph: Graph) -> list[Step]:
    """All steps in order; RESHAPE costs none.

    Raises:
        ModelError: an operator whose shapes or scales the engine cannot take.
    """
    return _fuse_pools(graph, [_step(graph, o) for o in graph.operators if o.kind != "RESHAPE"])


def _step(graph: Graph, operator: Operator) -> Step:
    layer = LayerInfo(graph.tensors[operator.output].name, operator.kind, operator.output)
    step = Step(-1, layer, operator.inputs[0], operator.output)
    if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return _weighted(graph, operator, step)
    if operator.kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        pool = parameters.pool(graph, operator)
        channels = graph.tensors[operator.output].shape[3]
        return replace(
            step,
            kind=MAX_POOL if operator.kind == "MAX_POOL_2D" else AVERAGE_POOL,
            window=pool.window,
            input=(*pool.window.input, channels),
            output=(*pool.window.output, channels),
            low=pool.low,
            high=pool.high,
        )
    return _pointwise(graph, operator, step)


def _weighted(graph: Graph, operator: Operator, step: Step) -> Step:
    p = packing.without_dead_channels(parameters.weighted(graph, operator))
    packed = packing.can_pack(p)
    inputs = p.weights[0].size
    channels = len(p.weights)
    in_channels = graph.tensors[operator.inputs[0]].size // (p.window.input[0] * p.window.input[1])
    if p.depthwise:
        packed = packed and in_channels == channels
        kind = DEPTHWISE if packed else DEPTHWISE_WIDE
        data = packing.pack_depthwise(p) if packed else packing.pack_plain(p)
        scratch = 8 * inputs if packed else 0
    else:
        kind = CONV if packed else CONV_WIDE
        data = packing.pack_convolution(p) if packed else packing.pack_plain(p)
        scratch = (4 if p.window.output[1] > 1 else 2) * _quads(inputs) if packed else 0
    room = _room(p.window, in_channels, 0 if p.depthwise else _quads(inputs) - inputs)
    return replace(
        step,
        before=room[0] if packed else 0,
        after=room[1] if packed else 0,
        kind=kind,
        zeros=(p.in_zero, p.out_zero),
        low=p.low,
        high=p.high,
        window=p.window,
        input=(*p.window.input, in_channels),
        output=(*p.window.output, channels),
        scratch=scratch,
        data=data,
    )


def _quads(inputs: int) -> int:
    """`inputs` rounded up to what the kernels read at once."""
    return -(-inputs // 4) * 4


def _room(window: parameters.Window, channels: int, overread: int) -> tuple[int, int]:
    """Bytes before and after an input that a packed kernel fills with padding or over-reads."""
    reach = (window.output[1] - 1) * window.stride[1] + (window.kernel[1] - 1) * window.dilation[1]
    after = max(reach + 1 - window.pad[1] - window.input[1], 0)
    return window.pad[1] * channels, after * channels + overread


def _pointwise(graph: Graph, operator: Operator, step: Step) -> Step:
    shape = graph.tensors[operator.inputs[0]].shape
    rows, columns = graph.tensors[operator.inputs[0]].size // shape[-1], shape[-1]
    flat = (1, rows, columns)
    if operator.kind == "ADD":
        a = parameters.addition(graph, operator)
        # The kernel takes the input with the larger scale, whose factor is exactly 1/2, first.
        order = (0, 1) if (a.multipliers[0], a.shifts[0]) == (1 << 30, 0) else (1, 0)
        second = order[1]
        return replace(
            step,
            kind=ADD,
            source=operator.inputs[order[0]],
            second=operator.inputs[second],
            zeros=(a.zeros[order[0]], a.zeros[2]),
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
    if operator.kind == "MEAN":
        m = parameters.mean(graph, operator)
        return replace(
            step,
            kind=MEAN,
            zeros=(m.in_zero, m.out_zero),
            input=(m.outer, m.count, m.inner),
            output=(1, m.outer, m.inner),
            data=struct.pack("<3i", m.multiplier, m.shift, 0),
        )
    s = parameters.softmax(graph, operator)
    return replace(
        step,
        kind=SOFTMAX,
        input=flat,
        output=flat,
        data=struct.pack("<3i", s.multiplier, s.shift, s.lowest),
        in_place=True,
    )


def _fuse_pools(graph: Graph, steps: list[Step]) -> list[Step]:
    """Take each maximum of two neighbours in time into the convolution that feeds only it."""
    fused: list[Step] = []
    for step in steps:
        before = fused[-1] if fused else None
        if before is not None and _halves(graph, before, step):
            fused[-1] = replace(
                before,
                layer=step.layer,
                target=step.target,
                output=step.output,
                low=max(before.low, step.low),
                high=min(before.high, step.high),
                pool=2,
            )
        else:
            fused.append(step)
    return fused


def _halves(graph: Graph, before: Step, step: Step) -> bool:
    w = step.window
    if before.kind != CONV or before.pool != 1 or step.kind != MAX_POOL or w is None:
        return False
    readers = sum(o.inputs.count(before.target) for o in graph.operators)
    return (
        step.source == before.target
        and readers == 1
        and graph.output != before.target
        and w.kernel == w.stride == (1, 2)
        and w.pad == (0, 0)
        and max(before.low, step.low) >= before.zeros[1]
        and w.output[1] * 2 <= w.input[1]
    )
