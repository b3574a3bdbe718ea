"""What a model is refused for, and that the culprit is named."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.convert.tiny_models import random_model
from tinyhar.compress.facts import BAND_OPERATORS
from tinyhar.convert.c_arrays import resolver
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.export import FIRMWARE
from tinyhar.convert.graph import SUPPORTED, read_graph
from tinyhar.convert.tflite_maker import FLOAT32, INT32, Maker
from tinyhar.errors import ModelError


def conv(
    change: Callable[[Maker], None] = lambda m: None,
    *,
    batch: int = 1,
    kind: str = "CONV_2D",
    zeros: list[int] | None = None,
    scales: int = 4,
    out_kind: int = 9,
) -> bytes:
    m = Maker()
    x = m.tensor((batch, 1, 8, 3), 0.05, -3, name="window")
    w = m.tensor(
        (4, 1, 3, 3), np.full(scales, 0.01), data=np.ones((4, 1, 3, 3), np.int8), zeros=zeros
    )
    b = m.tensor((4,), np.full(4, 0.0005), data=np.zeros(4, np.int32), kind=INT32)
    y = m.tensor((batch, 1, 6, 4), 0.1, 0, name="stem/conv", kind=out_kind)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = 1, 1, 1
    m.operator(kind, [x, w, b], y, options if kind == "CONV_2D" else None)
    change(m)
    return m.finish(x, y)


def test_a_sound_model_is_read() -> None:
    graph = read_graph(conv())
    assert [o.kind for o in graph.operators] == ["CONV_2D"]
    assert graph.tensors[graph.input].shape == (1, 1, 8, 3)
    assert graph.tensors[graph.input].zero_point == -3
    assert graph.tensors[graph.output].name == "stem/conv"


def set_dynamic(m: Maker) -> None:
    m.graph.tensors[0].shapeSignature = [-1, 1, 8, 3]


def computed_weights(m: Maker) -> None:
    m.graph.tensors[1].buffer = 0


def second_subgraph(m: Maker) -> None:
    m.model.subgraphs.append(m.graph)


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (conv(kind="SIN"), r"SIN in layer 'stem/conv' \(operator 0\) is not supported"),
        (conv(out_kind=FLOAT32), r"CONV_2D 'stem/conv' .* is float32, expected int8"),
        (conv(set_dynamic), r"'window' has a dynamic shape \[-1, 1, 8, 3\]"),
        (conv(batch=2), r"'window' has shape \[2, 1, 8, 3\]: the batch must be 1"),
        (conv(zeros=[5] * 4), r"CONV_2D 'stem/conv' .*asymmetric weights \(zero point 5\)"),
        (conv(zeros=[0, 1, 0, 0]), r"asymmetric weights: one zero point a channel"),
        (conv(scales=3), r"CONV_2D 'stem/conv' .*3 weight scales for 4 output channels"),
        (conv(computed_weights), r"CONV_2D 'stem/conv' .* must be a constant"),
        (conv(second_subgraph), r"2 subgraphs"),
        (b"PK\x03\x04 not a model", r"identifier 'TFL3'"),
        (b"", r"identifier 'TFL3'"),
    ],
)
def test_refusals_name_operator_and_layer(tflite: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        compile_model(tflite)


def test_unequal_operands_of_an_addition_are_refused() -> None:
    m = Maker()
    x = m.tensor((1, 1, 8, 3))
    y = m.tensor((1, 1, 1, 3))
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.strideH, pool.strideW, pool.filterHeight, pool.filterWidth = 1, 1, 8, 1, 8
    m.operator("AVERAGE_POOL_2D", [x], y, pool)
    z = m.tensor((1, 1, 8, 3), name="residual")
    m.operator("ADD", [x, y], z, schema.AddOptionsT())
    with pytest.raises(ModelError, match=r"ADD 'residual' .* operands must have the same shape"):
        compile_model(m.finish(x, z))


@given(st.integers(0, 30), st.binary(min_size=1, max_size=4), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused_but_never_crashes(
    seed: int, patch: bytes, where: int
) -> None:
    tflite = bytearray(random_model(seed))
    at = 8 + where % (len(tflite) - 8)
    tflite[at : at + len(patch)] = patch
    for damaged in (bytes(tflite), bytes(tflite[:at])):
        try:
            compile_model(damaged)
        except ModelError as error:
            assert "\n" not in str(error)


def test_all_that_names_operators_names_the_same() -> None:
    ops = FIRMWARE / "engine/tflm/ops/model_ops.h"
    assert set(SUPPORTED) == BAND_OPERATORS
    graph = SimpleNamespace(operators=[SimpleNamespace(kind=kind) for kind in SUPPORTED])
    assert resolver(graph) == {"model_ops.h": ops.read_text()}
