"""The desk reference: an int8 model on numpy, over many windows at once, with TFLM's bytes.

Sums run through float64 matrix products, which are exact below 2**53.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert import moving, parameters, products, reductions, tables
from tinyhar.convert.fixedpoint import multiply
from tinyhar.convert.fixedsoftmax import softmax_rows
from tinyhar.convert.graph import Graph, Operator
from tinyhar.errors import ModelError

Int8 = NDArray[np.int8]
CHUNK: Final = 256
"""Windows at a time: keeps the gathered patches of a layer within the cache's order of size."""


def run(graph: Graph, x: Int8) -> Int8:
    """Outputs for windows `x` int8 [n, *input shape without batch], as int8 [n, *output shape].

    Raises:
        ModelError: `x` does not fit the model's input.
    """
    shape = graph.tensors[graph.output].shape[1:]
    parts = [
        _layers(graph, x[i : i + CHUNK])[graph.output].reshape(-1, *shape)
        for i in range(0, len(x), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, *shape), np.int8)


def layers(graph: Graph, x: Int8) -> dict[int, Int8]:
    """As `run`, but every operator's output: tensor index -> int8 [n, *tensor shape].

    Raises:
        ModelError: `x` does not fit the model's input.
    """
    return _layers(graph, x)


def _layers(graph: Graph, x: Int8) -> dict[int, Int8]:
    shape = graph.tensors[graph.input].shape[1:]
    if x.dtype != np.int8 or x.shape[1:] != shape:
        raise ModelError(
            f"windows are {x.dtype}{list(x.shape)}, the model takes int8{['n', *shape]}"
        )
    values: dict[int, Int8] = {graph.input: x}
    for operator in graph.operators:
        kernel = _table if tables.is_table(graph, operator) else _KERNELS[operator.kind]
        out = kernel(graph, operator, values)
        shape = graph.tensors[operator.output].shape[1:]
        values[operator.output] = out.astype(np.int8).reshape(len(x), *shape)
    del values[graph.input]
    return values


Values = dict[int, Int8]
Wide = NDArray[np.int64] | Int8


def _patches(x: NDArray[np.float64], window: parameters.Window, fill: float) -> NDArray[np.float64]:
    """Windows [n, h, w, c] -> what each output sees, [n, oh, ow, kh, kw, c]; outside is `fill`."""
    (oh, ow), (kh, kw) = window.output, window.kernel
    (sh, sw), (dh, dw), (ph, pw) = window.stride, window.dilation, window.pad
    need_h = (oh - 1) * sh + (kh - 1) * dh + 1
    need_w = (ow - 1) * sw + (kw - 1) * dw + 1
    after_h = max(need_h - ph - x.shape[1], 0)
    after_w = max(need_w - pw - x.shape[2], 0)
    x = np.pad(x, ((0, 0), (ph, after_h), (pw, after_w), (0, 0)), constant_values=fill)
    rows = np.arange(oh)[:, None] * sh + np.arange(kh)[None] * dh
    columns = np.arange(ow)[:, None] * sw + np.arange(kw)[None] * dw
    return x[:, rows[:, None, :, None], columns[None, :, None, :], :]


def _weighted(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = parameters.weighted(graph, operator)
    height, width = p.window.input
    raw = values[operator.inputs[0]]
    # Zero points subtracted first, so that padding is simply zero.
    x = (raw.astype(np.float64) - p.in_zero).reshape(len(raw), height, width, -1)
    patches = _patches(x, p.window, 0.0)
    weights = p.weights.astype(np.float64)
    if p.depthwise:
        each = len(p.weights) // x.shape[3]
        patches = np.repeat(patches, each, axis=5)
        acc = np.einsum("nhwklc,cklo->nhwc", patches, weights)
    else:
        flat = patches.reshape(*patches.shape[:3], -1)
        acc = flat @ weights.reshape(len(weights), -1).T
    scaled = multiply(acc.astype(np.int64) + p.bias, p.multiplier, p.shift)
    return np.clip(scaled + p.out_zero, p.low, p.high)


def _max_pool(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = parameters.pool(graph, operator)
    x = values[operator.inputs[0]].astype(np.float64)
    best = _patches(x, p.window, -np.inf).max(axis=(3, 4))
    return np.clip(best, p.low, p.high).astype(np.int64)


def _average_pool(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = parameters.pool(graph, operator)
    x = values[operator.inputs[0]].astype(np.float64)
    patches = _patches(x, p.window, np.nan)
    count = np.isfinite(patches).sum(axis=(3, 4))
    total = np.nansum(patches, axis=(3, 4)).astype(np.int64)
    # Halves away from zero, by C's truncating division.
    rounded = np.where(total > 0, 1, -1) * ((np.abs(total) + count // 2) // count)
    return np.clip(rounded, p.low, p.high)


def _add(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = parameters.addition(graph, operator)
    total: NDArray[np.int64] | int = 0
    for i in range(2):
        x = values[operator.inputs[i]].astype(np.int64) - p.zeros[i]
        total = total + multiply(x << 20, p.multipliers[i], p.shifts[i])
    scaled = multiply(np.asarray(total), p.multipliers[2], p.shifts[2])
    return np.clip(scaled + p.zeros[2], p.low, p.high)


def _table(graph: Graph, operator: Operator, values: Values) -> Wide:
    (source,) = graph.operands(operator)
    return tables.look_up(tables.table_of(graph, operator), values[source])


def _multiply(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = products.product(graph, operator)
    large, small = values[p.large].astype(np.int64), values[p.small].astype(np.int64)
    centred = (small - p.zeros[1]).reshape(len(small), 1, p.period)
    total = (large - p.zeros[0]).reshape(len(large), p.repeats, p.period) * centred
    return np.clip(multiply(total, p.multiplier, p.shift) + p.zeros[2], p.low, p.high)


def _pad(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = moving.padding(graph, operator)
    x = values[operator.inputs[0]]
    around = [(0, 0), *zip(p.before, p.after, strict=True)]
    return np.pad(x.reshape(len(x), *p.input), around, constant_values=p.value)


def _concatenate(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = moving.joining(graph, operator)
    pairs = zip(operator.inputs, p.widths, strict=True)
    return np.concatenate([values[i].reshape(-1, p.outer, w) for i, w in pairs], axis=2)


def _largest(graph: Graph, operator: Operator, values: Values) -> Wide:
    x = values[operator.inputs[0]]
    return x.reshape(len(x), *moving.largest(graph, operator)).max(axis=2)


def _mean(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = reductions.mean(graph, operator)
    x = values[operator.inputs[0]]
    total = x.reshape(len(x), p.outer, p.count, p.inner).sum(axis=2, dtype=np.int64)
    scaled = multiply(total - p.in_zero * p.count, p.multiplier, p.shift)
    return np.clip(scaled + p.out_zero, -128, 127)


def _softmax(graph: Graph, operator: Operator, values: Values) -> Wide:
    p = parameters.softmax(graph, operator)
    x = values[operator.inputs[0]]
    return softmax_rows(x.reshape(-1, x.shape[-1]), p.multiplier, p.shift, p.lowest)


def _reshape(graph: Graph, operator: Operator, values: Values) -> Wide:
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    if source.size != target.size:
        raise ModelError(f"{graph.name_of(operator)}: sizes differ")
    return values[operator.inputs[0]]


_KERNELS: Final[dict[str, Callable[[Graph, Operator, Values], Wide]]] = {
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _weighted,
    "FULLY_CONNECTED": _weighted,
    "MAX_POOL_2D": _max_pool,
    "AVERAGE_POOL_2D": _average_pool,
    "ADD": _add,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "RESHAPE": _reshape,
    "MUL": _multiply,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concatenate,
    "REDUCE_MAX": _largest,
}
