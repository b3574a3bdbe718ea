"""Operators of one int8 value as tables of 256: what the executor looks up, and the engine too.

Each follows TFLM's integer arithmetic (`curves.py`). An operator of two operands counts where one
is a single constant number: converters write a hard sigmoid as MINIMUM and RELU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert import curves
from tinyhar.convert.fixedpoint import (
    Int,
    activation_range,
    multiply,
    quantise_multiplier,
    round_half_away,
)
from tinyhar.convert.graph import Graph, Operator, Tensor
from tinyhar.convert.parameters import check_same_scale
from tinyhar.convert.products import product_factor
from tinyhar.errors import ModelError

Table = NDArray[np.int8]
_LARGEST_SHIFT: Final = 22
"""Of a factor to the left: 255 times it stays in 32 bits."""


def is_table(graph: Graph, operator: Operator) -> bool:
    """Whether each output value depends on one input value alone."""
    return operator.kind in _CURVES or (
        operator.kind in _WITH_CONSTANT and len(graph.operands(operator)) == 1
    )


def table_of(graph: Graph, operator: Operator) -> Table:
    """int8 [256]: the output for each input, by the input's byte (0..127, then -128..-1).

    Raises:
        ModelError: scales that TFLM refuses or cannot compute with, or shapes that differ.
    """
    source = graph.tensors[graph.operands(operator)[0]]
    target = graph.tensors[operator.output]
    if source.size != target.size:
        raise ModelError(f"{graph.name_of(operator)}: input and output differ in shape")
    x = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64)
    if operator.kind in _CURVES:
        values = _CURVES[operator.kind](graph, operator, x, source, target)
    else:
        values = _WITH_CONSTANT[operator.kind](graph, operator, x, source, target)
    return np.clip(values, -128, 127).astype(np.int8)


def look_up(table: Table, x: NDArray[np.int8]) -> Table:
    """The table's values for `x`, any shape."""
    return table[x.view(np.uint8)]


def _refuse(graph: Graph, operator: Operator, why: str) -> ModelError:
    return ModelError(f"{graph.name_of(operator)}: {why}")


def _logistic(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    if target.zero_point != -128 or target.scale != 1 / 256:
        raise _refuse(graph, operator, "output must have scale 1/256 and zero point -128")
    _check_curved(graph, operator, source)
    return curves.logistic(x, source.scale, source.zero_point)


def _tanh(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    if target.zero_point != 0 or target.scale != 1 / 128:
        raise _refuse(graph, operator, "output must have scale 1/128 and zero point 0")
    _check_curved(graph, operator, source)
    return curves.tanh(x, source.scale, source.zero_point)


def _check_curved(graph: Graph, operator: Operator, source: Tensor) -> None:
    if source.scale < curves.SMALLEST_CURVED_SCALE:
        raise _refuse(graph, operator, f"input scale {source.scale} is too small")


def _hard_swish(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    out_shift, inner_shift = curves.hard_swish_shifts(source.scale, target.scale)
    if out_shift > 0:
        raise _refuse(graph, operator, f"output scale {target.scale} is too small")
    if min(out_shift, inner_shift) < -curves.DEEPEST_SWISH or inner_shift > curves.DEEPEST_SWISH:
        raise _refuse(
            graph, operator, f"scales {source.scale} and {target.scale} leave 16-bit arithmetic"
        )
    return curves.hard_swish(x, source.scale, source.zero_point, target.scale, target.zero_point)


def _relu(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    return np.maximum(_quantize(graph, operator, x, source, target), target.zero_point)


def _relu6(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    # TFLM clips here and does not rescale.
    check_same_scale(graph, operator)
    six = source.zero_point + round_half_away(np.float32(6.0) / np.float32(source.scale))
    return np.clip(x, source.zero_point, min(six, 127))


def _leaky_relu(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    if not 0.0 <= operator.options.alpha <= 1.0:
        raise _refuse(graph, operator, f"alpha {operator.options.alpha}, expected 0 to 1")
    _check_factor(graph, operator, source, target)
    return curves.leaky_relu(
        x,
        operator.options.alpha,
        source.scale,
        source.zero_point,
        target.scale,
        target.zero_point,
    )


def _quantize(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    _check_factor(graph, operator, source, target)
    return curves.rescaled(x, source.scale, source.zero_point, target.scale, target.zero_point)


def _check_factor(graph: Graph, operator: Operator, source: Tensor, target: Tensor) -> None:
    if quantise_multiplier(source.scale / target.scale)[1] > _LARGEST_SHIFT:
        raise _refuse(graph, operator, f"output scale {target.scale} is too small")


def _constant(graph: Graph, operator: Operator) -> Tensor:
    first, second = (graph.tensors[i] for i in operator.inputs[:2])
    return first if first.data is not None else second


def _bound(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    # TFLM compares bytes: all three tensors must mean the same by them.
    check_same_scale(graph, operator)
    constant = _constant(graph, operator)
    if abs(constant.scale - source.scale) > 1e-6 or constant.zero_point != source.zero_point:
        raise _refuse(graph, operator, "the constant must share the input's scale and zero point")
    assert constant.data is not None
    value = int(constant.data.reshape(-1)[0])
    return np.minimum(x, value) if operator.kind == "MINIMUM" else np.maximum(x, value)


def _scaled(graph: Graph, operator: Operator, x: Int, source: Tensor, target: Tensor) -> Int:
    constant = _constant(graph, operator)
    assert constant.data is not None
    value = int(constant.data.reshape(-1)[0]) - constant.zero_point
    low, high = activation_range(operator.options.activation, target.scale, target.zero_point)
    scaled = multiply((x - source.zero_point) * value, *product_factor(graph, operator))
    return np.clip(scaled + target.zero_point, low, high)


_Function = Callable[[Graph, Operator, Int, Tensor, Tensor], Int]
_CURVES: Final[dict[str, _Function]] = {
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": _logistic,
    "TANH": _tanh,
    "RELU": _relu,
    "RELU6": _relu6,
    "LEAKY_RELU": _leaky_relu,
    "QUANTIZE": _quantize,
}
_WITH_CONSTANT: Final[dict[str, _Function]] = {
    "MINIMUM": _bound,
    "MAXIMUM": _bound,
    "MUL": _scaled,
}
