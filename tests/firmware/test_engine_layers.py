"""Keras layers through either way to int8: operators as expected, the desk's bytes in C."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.firmware.test_engine import check_layers
from tinyhar.compress import inspect, quantise_aware, to_tflite
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.models import check_student

layers = keras.layers
X = np.random.default_rng(0).normal(size=(48, 1, 24, 6)).astype(np.float32)
CLIP = 4.0


def padded(x: tf.Tensor) -> tf.Tensor:
    x = layers.Conv2D(8, 1, activation="relu")(x)
    return layers.Conv2D(8, (1, 4))(layers.ZeroPadding2D(((0, 0), (2, 1)))(x))


def branches(x: tf.Tensor, axis: int, stride: int) -> tf.Tensor:
    parts = [
        layers.Conv2D(8, (1, kernel), padding="same", strides=s, activation="relu")(x)
        for kernel, s in ((3, 1), (5, stride))
    ]
    return layers.Concatenate(axis=axis)(parts)


def greatest(x: tf.Tensor) -> tf.Tensor:
    return layers.GlobalMaxPooling2D(keepdims=True)(layers.Conv2D(8, (1, 3))(x))


def curved(x: tf.Tensor, kind: str) -> tf.Tensor:
    return layers.Conv2D(8, (1, 3), activation=kind)(x)


def leaky(x: tf.Tensor) -> tf.Tensor:
    return layers.LeakyReLU()(layers.Conv2D(8, (1, 3))(x))


CASES: list[tuple[Callable[[tf.Tensor], tf.Tensor], str]] = [
    (padded, "CONV_2D"),
    (lambda x: branches(x, 3, 1), "CONCATENATION"),
    (lambda x: branches(x, 2, 2), "CONCATENATION"),
    (greatest, "REDUCE_MAX"),
    (lambda x: curved(x, "sigmoid"), "LOGISTIC"),
    (lambda x: curved(x, "tanh"), "TANH"),
    (leaky, "LEAKY_RELU"),
]
NAMES = ["padded", "joined channels", "joined time", "greatest", "sigmoid", "tanh", "leaky"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ptq", "qat"])
@pytest.mark.parametrize(("body", "operator"), CASES, ids=NAMES)
def test_a_layer_becomes_int8_with_the_desks_bytes(
    body: Callable[[tf.Tensor], tf.Tensor], operator: str, how: str
) -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((1, 24, 6))
    y = body(inputs)
    y = layers.Flatten()(layers.AveragePooling2D((1, y.shape[2]))(y))
    model = keras.Model(inputs, layers.Dense(4)(y))
    check_student(model)
    if how == "qat":
        tflite = to_tflite(quantise_aware(model, X, clip=CLIP), isolated=False)
    else:
        tflite = to_tflite(model, calibration=X, clip=CLIP, isolated=False)
    compiled = compile_model(tflite)
    assert operator in [layer.operator for layer in compiled.layers]
    assert "PAD" not in [layer.operator for layer in compiled.layers]
    facts = inspect(tflite)
    q = np.round(np.clip(X[:6], -CLIP, CLIP) / facts.input_scale) + facts.input_zero_point
    check_layers(read_graph(tflite), compiled, np.clip(q, -128, 127).astype(np.int8))
