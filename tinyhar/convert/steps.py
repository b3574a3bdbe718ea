"""Operators of a .tflite as the compiled engine's steps: kernel chosen, weights packed, fused."""

from __future__ import annotations

from dataclasses import replace

from tinyhar.convert import packing, parameters
from tinyhar.convert.clustered import pack_clustered
from tinyhar.convert.fusion import absorbed_paddings, fuse, with_padding
from tinyhar.convert.graph import Graph, Operator
from tinyhar.convert.pointwise import step_without_weights
from tinyhar.convert.step import (
    AVERAGE_POOL,
    CONV,
    CONV_CLUSTERED,
    CONV_WIDE,
    DEPTHWISE,
    DEPTHWISE_WIDE,
    MAX_POOL,
    LayerInfo,
    Step,
)


def steps_of(graph: Graph) -> list[Step]:
    """All steps in order; RESHAPE costs none, nor does a padding before a convolution.

    Raises:
        ModelError: an operator whose shapes or scales the engine cannot take.
    """
    paddings = absorbed_paddings(graph)
    return fuse(
        graph,
        [
            _step(graph, operator, paddings)
            for operator in graph.operators
            if operator.kind != "RESHAPE" and operator.output not in paddings
        ],
    )


def _step(graph: Graph, operator: Operator, paddings: dict[int, Operator]) -> Step:
    layer = LayerInfo(graph.tensors[operator.output].name, operator.kind, operator.output)
    step = Step(-1, layer, operator.inputs[0], operator.output)
    if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        p = parameters.weighted(graph, operator)
        pad = paddings.get(step.source)
        if pad is not None:
            p, step = with_padding(graph, p, pad), replace(step, source=pad.inputs[0])
        return _weighted(graph, p, step)
    if operator.kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return _pool(graph, operator, step)
    return step_without_weights(graph, operator, step)


def _pool(graph: Graph, operator: Operator, step: Step) -> Step:
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


def _weighted(graph: Graph, weighted: parameters.Weighted, step: Step) -> Step:
    p = packing.without_dead_channels(weighted)
    packed = packing.can_pack(p)
    inputs = p.weights[0].size
    channels = len(p.weights)
    in_channels = graph.tensors[step.source].size // (p.window.input[0] * p.window.input[1])
    if p.depthwise:
        packed = packed and in_channels == channels
        kind = DEPTHWISE if packed else DEPTHWISE_WIDE
        data = packing.pack_depthwise(p) if packed else packing.pack_plain(p)
        scratch = 8 * inputs if packed else 0
    else:
        kind, data = _convolution(p, packed)
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
        expanded=16 + 2 * _quads(inputs) if kind == CONV_CLUSTERED else 0,
        data=data,
    )


def _convolution(p: parameters.Weighted, packed: bool) -> tuple[int, bytes]:
    """The kernel for a convolution, and its weights as that reads them."""
    if not packed:
        return CONV_WIDE, packing.pack_plain(p)
    clustered = pack_clustered(p)
    if clustered is not None:
        return CONV_CLUSTERED, clustered
    return CONV, packing.pack_convolution(p)


def _quads(inputs: int) -> int:
    """`inputs` rounded up to what the kernels read at once."""
    return -(-inputs // 4) * 4


def _room(window: parameters.Window, channels: int, overread: int) -> tuple[int, int]:
    """Bytes before and after an input that a packed kernel fills with padding or over-reads."""
    reach = (window.output[1] - 1) * window.stride[1] + (window.kernel[1] - 1) * window.dilation[1]
    after = max(reach + 1 - window.pad[1] - window.input[1], 0)
    return window.pad[1] * channels, after * channels + overread
