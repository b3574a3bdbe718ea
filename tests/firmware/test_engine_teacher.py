"""MobileNetV3 with its gates and hard swishes: int8 by either way, the desk's bytes in C."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tf_keras as keras

from tests.firmware.test_engine import check_layers
from tinyhar.compress import inspect, quantise_aware, to_tflite
from tinyhar.convert import integer
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import TFLM, TflmReference
from tinyhar.models import build, check_student

X = np.random.default_rng(0).normal(size=(48, 1, 32, 6)).astype(np.float32)
CLIP = 4.0


@functools.cache
def teacher() -> keras.Model:
    model = build("mobilenetv3", 32, 6, 5, seed=1, width=0.25, depth=0.3)
    check_student(model)
    for _ in range(20):
        model(X, training=True)  # batch norm has something to fold
    return model


@functools.cache
def converted(how: str) -> bytes:
    if how == "qat":
        return to_tflite(quantise_aware(teacher(), X, clip=CLIP), isolated=False)
    return to_tflite(teacher(), calibration=X, clip=CLIP, isolated=False)


def int8_windows(tflite: bytes) -> np.ndarray:
    facts = inspect(tflite)
    q = np.round(np.clip(X, -CLIP, CLIP) / facts.input_scale) + facts.input_zero_point
    return np.clip(q, -128, 127).astype(np.int8)


@pytest.mark.parametrize("how", ["ptq", pytest.param("qat", marks=pytest.mark.slow)])
def test_desk_tflm_and_engine_give_the_same_bytes(how: str) -> None:
    tflite = converted(how)
    graph, x = read_graph(tflite), int8_windows(tflite)
    check_layers(graph, compile_model(tflite), x[:8])
    reference = TflmReference(tflite)
    if reference.backend == TFLM:
        assert np.array_equal(integer.run(graph, x), reference.run(x))


@pytest.mark.parametrize("how", ["ptq", pytest.param("qat", marks=pytest.mark.slow)])
def test_int8_says_what_the_float_model_says(how: str) -> None:
    tflite = converted(how)
    facts = inspect(tflite)
    logits = integer.run(read_graph(tflite), int8_windows(tflite)).astype(np.float32)
    restored = (logits - facts.output_zero_point) * facts.output_scale
    exact = teacher()(np.clip(X, -CLIP, CLIP)).numpy()
    assert np.corrcoef(restored.ravel(), exact.ravel())[0, 1] > 0.995


def test_a_gate_costs_two_convolutions_a_mean_and_a_product() -> None:
    """No copy, no activation of its own: ReLU and ReLU6 are in the convolutions."""
    operators = [layer.operator for layer in compile_model(converted("ptq")).layers]
    at = operators.index("MEAN")
    assert operators[at - 1 : at + 4] == ["HARD_SWISH", "MEAN", "CONV_2D", "CONV_2D", "MUL"]
    assert set(operators) == {
        "CONV_2D", "DEPTHWISE_CONV_2D", "HARD_SWISH", "MEAN", "MUL", "ADD", "AVERAGE_POOL_2D",
        "FULLY_CONNECTED",
    }  # fmt: skip
