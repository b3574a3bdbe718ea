"""Functions of one value: all 256 inputs of each, against TensorFlow Lite Micro itself."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.convert import tiny_growth
from tinyhar.convert import integer, tables
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import TFLM, TflmReference
from tinyhar.convert.tflite_maker import Maker
from tinyhar.errors import ModelError

SHAPE = (1, 1, 64, 4)
EVERY = np.arange(-128, 128).astype(np.int8).reshape(SHAPE)
TABLE = 9


def one(kind: str, seed: int) -> bytes:
    """A model of one operator on any scales; MUL's second operand is a number."""
    rng = np.random.default_rng(seed)
    m = Maker()
    scale, zero = tiny_growth.some_scale(rng, 1e-4, 2.0), tiny_growth.some_zero(rng)
    x = m.tensor(SHAPE, scale, zero)
    if kind == "MUL":
        other = tiny_growth.number(m, rng, tiny_growth.some_scale(rng), tiny_growth.some_zero(rng))
        out = scale * m.quantisation(other)[0] * float(np.exp(rng.uniform(0, 6)))
        options = schema.MulOptionsT()
        options.fusedActivationFunction = int(rng.choice([0, 1, 3]))
        y = m.tensor(SHAPE, out, tiny_growth.some_zero(rng))
        return m.finish(x, m.operator(kind, [x, other], y, options))
    return m.finish(x, tiny_growth.curve(m, rng, x, kind))


@pytest.mark.parametrize("kind", [*tiny_growth.TABLE_KINDS, "MUL"])
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_every_input_gives_tflms_byte(kind: str, seed: int) -> None:
    tflite = one(kind, seed)
    try:
        ours = integer.run(read_graph(tflite), EVERY)
    except ModelError:
        assume(False)
    reference = TflmReference(tflite)
    if reference.backend != TFLM:
        pytest.skip("no tflite-micro package here to compare with")
    assert np.array_equal(ours, reference.run(EVERY))


@pytest.mark.parametrize("kind", [*tiny_growth.TABLE_KINDS, "MUL"])
def test_the_engines_table_is_the_executors(kind: str) -> None:
    tflite = one(kind, 5)
    graph = read_graph(tflite)
    payload = compile_model(tflite).payload
    assert payload[32] == TABLE
    (at,) = struct.unpack_from("<I", payload, 32 + 48)
    table = np.frombuffer(payload[at : at + 256], np.int8)
    assert np.array_equal(tables.look_up(table, EVERY), integer.run(graph, EVERY))


def chain(kinds: list[str], *, tap: bool = False) -> bytes:
    """Hard swishes (H) on one scale, between poolings that keep it (P); `tap` adds the first."""
    m = Maker()
    source = x = m.tensor(SHAPE, 0.05, 3)
    made = []
    for kind in kinds:
        y = m.tensor(SHAPE, 0.05, 3)
        if kind == "H":
            m.operator("HARD_SWISH", [x], y)
        else:
            options = schema.Pool2DOptionsT()
            options.strideH = options.strideW = options.filterHeight = options.filterWidth = 1
            m.operator("MAX_POOL_2D", [x], y, options)
        made.append(y)
        x = y
    if tap:
        y = m.tensor(SHAPE, 0.1, 0)
        x = m.operator("ADD", [x, made[0]], y, schema.AddOptionsT())
    return m.finish(source, x)


def test_equal_tables_are_stored_once() -> None:
    one_table = compile_model(chain(["P", "H", "P"])).payload
    two_uses = compile_model(chain(["P", "H", "P", "H"])).payload
    assert len(two_uses) - len(one_table) < 80


def test_a_table_of_a_table_is_one_table() -> None:
    graph = read_graph(chain(["H", "H", "H"]))
    model = compile_model(chain(["H", "H", "H"]))
    (layer,) = model.layers
    assert layer.output_tensor == graph.output
    at = struct.unpack_from("<I", model.payload, 32 + 48)[0]
    table = np.frombuffer(model.payload[at : at + 256], np.int8)
    assert np.array_equal(tables.look_up(table, EVERY), integer.run(graph, EVERY))


def test_a_table_that_others_read_stays() -> None:
    assert [layer.operator for layer in compile_model(chain(["H", "H"], tap=True)).layers] == [
        "HARD_SWISH",
        "HARD_SWISH",
        "ADD",
    ]


@pytest.mark.parametrize(
    ("kind", "out", "says"),
    [
        ("LOGISTIC", (0.01, -128), r"LOGISTIC 'y' .*scale 1/256 and zero point -128"),
        ("TANH", (1 / 128, 5), r"TANH 'y' .*scale 1/128 and zero point 0"),
        ("RELU6", (0.2, 0), r"RELU6 'y' .*must share scale and zero point"),
        ("HARD_SWISH", (1e-4, 0), r"HARD_SWISH 'y' .*output scale .* is too small"),
        ("QUANTIZE", (1e-9, 0), r"QUANTIZE 'y' .*output scale .* is too small"),
    ],
)
def test_scales_that_cannot_be_are_refused_by_name(
    kind: str, out: tuple[float, int], says: str
) -> None:
    m = Maker()
    x = m.tensor(SHAPE, 0.05, 0)
    y = m.operator(kind, [x], m.tensor(SHAPE, *out, name="y"))
    with pytest.raises(ModelError, match=says):
        compile_model(m.finish(x, y))


def test_a_constant_of_several_values_is_refused_by_name() -> None:
    m = Maker()
    x = m.tensor(SHAPE)
    w = m.tensor((4,), data=np.ones(4, np.int8), name="factors")
    y = m.operator("MUL", [x, w], m.tensor(SHAPE, name="scaled"), schema.MulOptionsT())
    with pytest.raises(ModelError, match=r"MUL 'scaled' .*'factors' is a constant of shape \[4\]"):
        compile_model(m.finish(x, y))
