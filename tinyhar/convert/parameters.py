"""What each operator computes with, once floats are gone: windows, multipliers, limits.

The integer executor and the compiler both work from these, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.fixedpoint import activation_range, quantise_multiplier
from tinyhar.convert.graph import Graph, Operator, Tensor
from tinyhar.errors import ModelError

_LARGEST_SHIFT: Final = 30
_MOST_CLASSES: Final = 511
"""Of a softmax: exponentials of equal logits then sum to less than 2**9."""


@dataclass(frozen=True)
class Window:
    """Where a kernel looks, as (height, width); `pad` is what lies before the first sample."""

    input: tuple[int, int]
    output: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]


@dataclass(frozen=True)
class Weighted:
    """A convolution of any kind, or a fully connected layer (a 1x1 convolution).

    `weights` is int8 [out, kernel height, kernel width, in] ([out, kh, kw, 1] when depthwise).
    """

    window: Window
    weights: NDArray[np.int8]
    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    shift: NDArray[np.int64]
    in_zero: int
    out_zero: int
    low: int
    high: int
    depthwise: bool


@dataclass(frozen=True)
class Pool:
    """A pooling; `low` and `high` are the activation's limits."""

    window: Window
    low: int
    high: int


@dataclass(frozen=True)
class Addition:
    """An int8 addition: (multiplier, shift) for both inputs and the output, 20 bits of headroom."""

    zeros: tuple[int, int, int]
    multipliers: tuple[int, int, int]
    shifts: tuple[int, int, int]
    low: int
    high: int


@dataclass(frozen=True)
class Softmax:
    """A softmax over the last axis: the scaled difference is Q5.26."""

    multiplier: int
    shift: int
    lowest: int


def _sides(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    return graph.tensors[operator.inputs[0]], graph.tensors[operator.output]


def _image(graph: Graph, operator: Operator, tensor: Tensor) -> tuple[int, int]:
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise ModelError(
            f"{graph.name_of(operator)}: '{tensor.name}' has shape {list(tensor.shape)}, "
            "expected [1, height, width, channels]"
        )
    return tensor.shape[1], tensor.shape[2]


def _window(graph: Graph, operator: Operator, kernel: tuple[int, int]) -> Window:
    source, target = _sides(graph, operator)
    size, out = _image(graph, operator, source), _image(graph, operator, target)
    o = operator.options
    pad = [0, 0]
    for axis in range(2):
        effective = (kernel[axis] - 1) * o.dilation[axis] + 1
        expected = (
            -(-size[axis] // o.stride[axis])
            if o.same
            else (size[axis] + o.stride[axis] - effective) // o.stride[axis]
        )
        if expected != out[axis] or expected < 1:
            raise ModelError(
                f"{graph.name_of(operator)}: output is {out[axis]} long where its window gives "
                f"{expected}; the model is inconsistent"
            )
        pad[axis] = max((out[axis] - 1) * o.stride[axis] + effective - size[axis], 0) // 2
    return Window(size, out, kernel, o.stride, o.dilation, (pad[0], pad[1]))


def _multipliers(
    graph: Graph, operator: Operator, channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    source, target = _sides(graph, operator)
    scales = graph.tensors[operator.inputs[1]].scales
    if operator.kind == "FULLY_CONNECTED" and len(scales) == 1:
        # TFLM multiplies these two in float32 here, and only here.
        reals = [float(np.float32(source.scale) * scales[0]) / target.scale] * channels
    else:
        reals = [
            source.scale * float(scales[c if len(scales) > 1 else 0]) / target.scale
            for c in range(channels)
        ]
    pairs = [quantise_multiplier(real) for real in reals]
    if max(shift for _, shift in pairs) > _LARGEST_SHIFT:
        raise ModelError(
            f"{graph.name_of(operator)}: input scale times weight scale is {max(reals):g} times "
            "the output scale; no int8 model needs that"
        )
    return np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64)


def weighted(graph: Graph, operator: Operator) -> Weighted:
    """Parameters of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED.

    Raises:
        ModelError: shapes that do not fit together, or a grouped convolution.
    """
    source, target = _sides(graph, operator)
    raw = graph.constant(operator, 1)
    assert raw is not None
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    if operator.kind == "FULLY_CONNECTED":
        weights = raw.reshape(raw.shape[0], 1, 1, -1)
        rows, rest = divmod(source.size, weights.shape[3])
        if rest or target.size != rows * weights.shape[0]:
            raise ModelError(f"{graph.name_of(operator)}: shapes do not fit together")
        window = Window((1, rows), (1, rows), (1, 1), (1, 1), (1, 1), (0, 0))
    else:
        weights = np.moveaxis(raw, 3, 0)[..., None][:, 0] if depthwise else raw
        window = _window(graph, operator, (weights.shape[1], weights.shape[2]))
        expected = 1 if depthwise else source.shape[3]
        if weights.shape[3] != expected or target.shape[3] != weights.shape[0]:
            raise ModelError(
                f"{graph.name_of(operator)}: {source.shape[3]} input channels and weights for "
                f"{weights.shape[3]}; grouped convolutions are not supported"
            )
        if depthwise and target.shape[3] % source.shape[3]:
            raise ModelError(f"{graph.name_of(operator)}: channels do not divide")
    channels = weights.shape[0]
    bias = graph.constant(operator, 2)
    multiplier, shift = _multipliers(graph, operator, channels)
    low, high = activation_range(operator.options.activation, target.scale, target.zero_point)
    return Weighted(
        window,
        np.ascontiguousarray(weights),
        np.zeros(channels, np.int64) if bias is None else bias.astype(np.int64).reshape(-1),
        multiplier,
        shift,
        source.zero_point,
        target.zero_point,
        low,
        high,
        depthwise,
    )


def check_same_scale(graph: Graph, operator: Operator) -> None:
    """ModelError where an operator that does not rescale has sides of unequal quantisation."""
    target = graph.tensors[operator.output]
    for source in (graph.tensors[i] for i in graph.operands(operator)):
        if abs(source.scale - target.scale) > 1e-6 or source.zero_point != target.zero_point:
            raise ModelError(
                f"{graph.name_of(operator)}: input and output must share scale and zero point"
            )


def pool(graph: Graph, operator: Operator) -> Pool:
    """Parameters of MAX_POOL_2D or AVERAGE_POOL_2D.

    Raises:
        ModelError: input and output differ in scale or zero point (TFLM refuses that too).
    """
    target = graph.tensors[operator.output]
    check_same_scale(graph, operator)
    low, high = activation_range(operator.options.activation, target.scale, target.zero_point)
    return Pool(_window(graph, operator, operator.options.filter), low, high)


def addition(graph: Graph, operator: Operator) -> Addition:
    """Parameters of ADD.

    Raises:
        ModelError: operands of different shapes.
    """
    first, second = (graph.tensors[i] for i in operator.inputs[:2])
    target = graph.tensors[operator.output]
    if not first.shape == second.shape == target.shape:
        raise ModelError(
            f"{graph.name_of(operator)}: shapes {list(first.shape)} and {list(second.shape)}; "
            "operands must have the same shape"
        )
    twice = 2.0 * max(first.scale, second.scale)
    reals = (first.scale / twice, second.scale / twice, twice / ((1 << 20) * target.scale))
    if reals[2] >= 0.5:
        raise ModelError(f"{graph.name_of(operator)}: output scale {target.scale} is too small")
    pairs = [quantise_multiplier(real) for real in reals]
    low, high = activation_range(operator.options.activation, target.scale, target.zero_point)
    return Addition(
        (first.zero_point, second.zero_point, target.zero_point),
        (pairs[0][0], pairs[1][0], pairs[2][0]),
        (pairs[0][1], pairs[1][1], pairs[2][1]),
        low,
        high,
    )


def softmax(graph: Graph, operator: Operator) -> Softmax:
    """Parameters of SOFTMAX.

    Raises:
        ModelError: an output that is not scale 1/256, zero point -128 (TFLM refuses that too), or
            so many classes that TFLM's fixed point stops the program.
    """
    source, target = _sides(graph, operator)
    if source.shape[-1] > _MOST_CLASSES:
        raise ModelError(
            f"{graph.name_of(operator)}: {source.shape[-1]} classes, at most {_MOST_CLASSES}"
        )
    if target.scale != 1.0 / 256 or target.zero_point != -128:
        raise ModelError(
            f"{graph.name_of(operator)}: output must have scale 1/256 and zero point -128"
        )
    real = min(operator.options.beta * source.scale * (1 << 26), (1 << 31) - 1.0)
    if not real > 1.0:
        raise ModelError(f"{graph.name_of(operator)}: input scale {source.scale} is too small")
    multiplier, shift = quantise_multiplier(real)
    return Softmax(multiplier, shift, -((31 << 26) >> shift))
