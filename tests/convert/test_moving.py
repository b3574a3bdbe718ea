"""Gates, paddings and joins: what is fused, what works in place, what is refused by name."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tinyhar.convert import integer
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.convert.tflite_maker import INT32, Maker, Shape
from tinyhar.errors import ModelError


def operators(tflite: bytes) -> list[str]:
    return [layer.operator for layer in compile_model(tflite).layers]


def offsets(payload: bytes, step: int) -> tuple[int, int, int]:
    """A step's input, output and other, in the arena."""
    return struct.unpack_from("<3I", payload, 32 + 52 * step + 36)


def padded_convolution(pads: list[list[int]], value: int | None = None, reads: int = 1) -> bytes:
    """PAD (or PADV2), a valid convolution, and perhaps a second reader of what was padded."""
    m = Maker()
    x = m.tensor((1, 1, 8, 4), 0.05, -7)
    p = m.tensor((4, 2), None, data=np.array(pads, np.int32), kind=INT32)
    shape = tuple(d + sum(pair) for d, pair in zip((1, 1, 8, 4), pads, strict=True))
    padded = m.tensor(shape, 0.05, -7)
    inputs = [x, p]
    if value is not None:
        inputs.append(m.tensor((1,), 0.05, -7, data=np.array([value], np.int8)))
    m.operator("PAD" if value is None else "PADV2", inputs, padded)
    made = []
    for _ in range(reads):
        weights = np.arange(4 * 3 * shape[3]).reshape(4, 1, 3, shape[3]) % 17 - 8
        w = m.tensor(weights.shape, 0.01, data=weights.astype(np.int8))
        b = m.tensor((4,), 0.0005, data=np.arange(4, dtype=np.int32), kind=INT32)
        y = m.tensor((1, shape[1], shape[2] - 2, 4), 0.02, 3)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = 1, 1, 1
        made.append(m.operator("CONV_2D", [padded, w, b], y, options))
    if reads == 1:
        return m.finish(x, made[0])
    total = m.tensor(m.shape(made[0]), 0.1, 0)
    return m.finish(x, m.operator("ADD", made, total, schema.AddOptionsT()))


@pytest.mark.parametrize(
    ("tflite", "fused"),
    [
        (padded_convolution([[0, 0], [0, 0], [2, 1], [0, 0]]), True),
        (padded_convolution([[0, 0], [0, 0], [2, 1], [0, 0]], value=-7), True),
        (padded_convolution([[0, 0], [0, 0], [2, 1], [0, 0]], value=5), False),
        (padded_convolution([[0, 0], [0, 0], [2, 1], [0, 0]], reads=2), False),
        (padded_convolution([[0, 0], [1, 0], [2, 1], [0, 0]]), False),
        (padded_convolution([[0, 0], [0, 0], [2, 1], [1, 0]]), False),
    ],
)
def test_only_plain_padding_in_time_is_taken_into_the_convolution(
    tflite: bytes, fused: bool
) -> None:
    assert ("PAD" not in operators(tflite)[0]) == fused


def test_a_padded_batch_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"PAD .*paddings .* are not supported"):
        compile_model(padded_convolution([[1, 0], [0, 0], [0, 0], [0, 0]]))


def gated(large: Shape, small: Shape) -> bytes:
    """x times the greatest of x over time, reshaped to `small`."""
    m = Maker()
    x = m.tensor(large, 0.05, 4)
    axes = m.tensor((2,), None, data=np.array([1, 2], np.int32), kind=INT32)
    options = schema.ReducerOptionsT()
    options.keepDims = len(small) == 4
    top = m.operator("REDUCE_MAX", [x, axes], m.tensor(small, 0.05, 4), options)
    y = m.tensor(large, 0.3, -5, name="gated")
    return m.finish(x, m.operator("MUL", [top, x], y, schema.MulOptionsT()))


@pytest.mark.parametrize("small", [(1, 1, 1, 6), (1, 6)])
def test_a_gate_works_in_place(small: Shape) -> None:
    model = compile_model(gated((1, 1, 20, 6), small))
    source, target, other = offsets(model.payload, 1)
    assert source == target != other
    assert model.arena_bytes == 120 + 8


def test_products_are_of_equal_shapes_or_of_channels() -> None:
    m = Maker()
    x = m.tensor((1, 1, 8, 3))
    axes = m.tensor((1,), None, data=np.array([3], np.int32), kind=INT32)
    options = schema.ReducerOptionsT()
    options.keepDims = True
    top = m.operator("REDUCE_MAX", [x, axes], m.tensor((1, 1, 8, 1)), options)
    y = m.tensor((1, 1, 8, 3), 0.1, 0, name="gated")
    m.operator("MUL", [x, top], y, schema.MulOptionsT())
    with pytest.raises(ModelError, match=r"MUL 'gated' .*shapes \[1, 1, 8, 3\] and \[1, 1, 8, 1\]"):
        compile_model(m.finish(x, y))


def joined(scale: float, axis: int, activation: int = 0) -> bytes:
    m = Maker()
    x = m.tensor((1, 1, 8, 3), 0.05, 4)
    other = m.operator("QUANTIZE", [x], m.tensor((1, 1, 8, 3), scale, 4))
    options = schema.ConcatenationOptionsT()
    options.axis, options.fusedActivationFunction = axis, activation
    shape = [1, 1, 8, 3]
    shape[axis] *= 2
    y = m.tensor(tuple(shape), 0.05, 4, name="joined")
    return m.finish(x, m.operator("CONCATENATION", [other, x], y, options))


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2])
def test_joins_along_any_axis(axis: int) -> None:
    tflite = joined(0.05, axis)
    assert operators(tflite) == ["QUANTIZE", "CONCATENATION"]
    x = np.arange(24, dtype=np.int8).reshape(1, 1, 8, 3)
    both = integer.run(read_graph(tflite), x)
    assert np.array_equal(both, np.concatenate([x, x], axis))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (joined(0.06, 3), r"CONCATENATION 'joined' .*must share scale and zero point"),
        (joined(0.05, 3, activation=1), r"CONCATENATION 'joined' .*fused activation"),
    ],
)
def test_joins_that_cannot_be_are_refused_by_name(tflite: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        compile_model(tflite)
