"""The compiled payload: small, aligned, and with the kernels that a layer deserves."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tinyhar.convert import packing, parameters
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.convert.tflite_maker import INT32, Maker

NAMES = ("tiny_dscnn", "ds_cnn", "band_cnn", "inverted_residual")
CONV, DEPTHWISE, CONV_WIDE, DEPTHWISE_WIDE, MAX_POOL = range(5)


def kinds(payload: bytes) -> list[int]:
    (count,) = struct.unpack_from("<H", payload, 6)
    return [payload[32 + 52 * i] for i in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_a_payload_is_weights_and_little_else(reference_models: Path, name: str) -> None:
    tflite = (reference_models / f"{name}.tflite").read_bytes()
    graph = read_graph(tflite)
    weighted = [parameters.weighted(graph, o) for o in graph.operators if len(o.inputs) == 3]
    weights = sum(p.weights.size for p in weighted)
    channels = sum(len(p.weights) for p in weighted)
    payload = compile_model(tflite).payload
    assert len(payload) <= weights + 10 * channels + 512
    assert len(payload) % 16 == 0
    assert struct.unpack_from("<I", payload, 8) == (len(payload),)
    assert not {CONV_WIDE, DEPTHWISE_WIDE} & set(kinds(payload))


def test_compiling_twice_gives_the_same_bytes(reference_models: Path) -> None:
    tflite = (reference_models / "inverted_residual.tflite").read_bytes()
    assert compile_model(tflite) == compile_model(tflite)


def test_layers_are_those_that_exist_on_the_band(reference_models: Path) -> None:
    tflite = (reference_models / "band_cnn.tflite").read_bytes()
    graph = read_graph(tflite)
    layers = compile_model(tflite).layers
    # Three pools are taken into the convolutions before them, and RESHAPE is nothing.
    assert [layer.operator for layer in layers] == ["MAX_POOL_2D"] * 3 + ["FULLY_CONNECTED"] * 2
    assert layers[-1].output_tensor == graph.output
    assert [graph.tensors[layer.output_tensor].name for layer in layers] == [
        layer.name for layer in layers
    ]


def convolution(
    weights: np.ndarray,
    *,
    out_scale: float = 0.1,
    bias: int = 0,
    activation: int = 1,
    pool: int = 1,
    zero: int = -128,
) -> bytes:
    """One convolution over 8 samples, ReLU or not, then perhaps a maximum of `pool`."""
    m = Maker()
    out, _, width, channels = weights.shape
    x = m.tensor((1, 1, 8, channels), 0.05, -128)
    w = m.tensor(weights.shape, np.full(out, 0.01), data=weights.astype(np.int8))
    b = m.tensor((out,), np.full(out, 0.0005), data=np.full(out, bias, np.int32), kind=INT32)
    y = m.tensor((1, 1, 9 - width, out), out_scale, zero)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = 1, 1, 1
    options.fusedActivationFunction = activation
    m.operator("CONV_2D", [x, w, b], y, options)
    if pool == 1:
        return m.finish(x, y)
    z = m.tensor((1, 1, (9 - width) // pool, out), out_scale, zero)
    p = schema.Pool2DOptionsT()
    p.padding, p.strideH, p.strideW, p.filterHeight, p.filterWidth = 1, 1, pool, 1, pool
    m.operator("MAX_POOL_2D", [y], z, p)
    return m.finish(x, z)


ONES = np.ones((3, 1, 3, 2))


@pytest.mark.parametrize(
    ("tflite", "expected"),
    [
        (convolution(ONES), [CONV]),
        (convolution(ONES, activation=0, zero=0), [CONV]),
        (convolution(-128 * ONES), [CONV_WIDE]),  # 256 * w1 + w0 would not fit 16 bits
        (convolution(ONES, bias=1 << 23), [CONV_WIDE]),  # a sum beyond 24 bits
        (convolution(ONES, out_scale=0.0004), [CONV_WIDE]),  # a factor above one
        (convolution(ONES, out_scale=0.0008), [CONV]),  # above a half, with ReLU
        (convolution(ONES, out_scale=0.0008, activation=0, zero=0), [CONV_WIDE]),  # and without
        (convolution(ONES, pool=2), [CONV]),  # taken into the convolution
        (convolution(ONES, pool=3), [CONV, MAX_POOL]),
    ],
)
def test_each_layer_gets_the_kernel_that_can_hold_it(tflite: bytes, expected: list[int]) -> None:
    assert kinds(compile_model(tflite).payload) == expected


def test_a_dead_channel_costs_nothing_but_its_zeros() -> None:
    graph = read_graph(convolution(ONES))
    p = parameters.weighted(graph, graph.operators[0])
    shift = p.shift.copy()
    shift[1] = -31
    dead = replace(p, shift=shift)
    assert not packing.can_pack(dead)
    alive = packing.without_dead_channels(dead)
    assert packing.can_pack(alive)
    assert not alive.weights[1].any()
    assert np.array_equal(alive.weights[[0, 2]], p.weights[[0, 2]])
