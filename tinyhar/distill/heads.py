"""Heterogeneous classifiers on one backbone: what competes in SMLDist (arXiv 2107.07331).

Each head is a small run of layers from a backbone's pooled features f [batch, d] (for attention,
from the features over time [batch, 1, time, d]) to logits g [batch, classes]. That the kinds differ
is the paper's idea, their exact forms are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from tinyhar.distill.memorise import PATTERNS, inverse_temperature
from tinyhar.models.blocks import to_multiple

layers = keras.layers


@keras.saving.register_keras_serializable(package="tinyhar")
class Cosine(keras.layers.Layer):
    """s f/|f| . w_k/|w_k| for a prototype w_k a class, with a learned scale s."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape: tf.TensorShape) -> None:
        """Prototypes [d, classes]; s from 10."""
        self.kernel = self.add_weight("kernel", (shape[-1], self.units))
        self.scale = self.add_weight("gamma", (), initializer=keras.initializers.Constant(10.0))
        super().build(shape)

    def prototypes(self) -> tf.Tensor:
        """s w_k/|w_k| [d, classes]: a linear layer of the same choice (|f| favours no class)."""
        return self.scale * tf.math.l2_normalize(self.kernel, axis=0)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[batch, d] -> [batch, classes]."""
        return tf.matmul(tf.math.l2_normalize(inputs, axis=-1), self.prototypes())

    def get_config(self) -> dict[str, object]:
        """The number of classes."""
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="tinyhar")
class AttentionPooling(keras.layers.Layer):
    """sum_t a_t h_t with a = softmax over time of u . h_t: [batch, 1, time, d] -> [batch, d]."""

    def build(self, shape: tf.TensorShape) -> None:
        """u [d], from 0: at first the mean."""
        self.query = self.add_weight("query", (shape[-1],), initializer="zeros")
        super().build(shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The weighted mean over time."""
        scores = tf.reduce_sum(inputs * self.query, axis=-1, keepdims=True)
        return tf.reduce_sum(tf.nn.softmax(scores, axis=2) * inputs, axis=(1, 2))


@dataclass(frozen=True)
class Head:
    """A kind of classifier: builder (features over time, pooled, classes, prefix, last) -> logits.

    Attributes:
        build: adds its layers, all named with the prefix but the last, named as told.
        deployable: whether a band's engine has its operators.
    """

    build: Callable[[tf.Tensor, tf.Tensor, int, str, str], tf.Tensor]
    deployable: bool = True


def _linear(_: tf.Tensor, pooled: tf.Tensor, classes: int, prefix: str, last: str) -> tf.Tensor:
    return layers.Dense(classes, name=last)(pooled)


def _cosine(_: tf.Tensor, pooled: tf.Tensor, classes: int, prefix: str, last: str) -> tf.Tensor:
    return Cosine(classes, name=last)(pooled)


def _memory(_: tf.Tensor, pooled: tf.Tensor, classes: int, prefix: str, last: str) -> tf.Tensor:
    """W M^T softmax(beta M f) + b; W M^T is one matrix, beta M another."""
    spread = inverse_temperature(pooled.shape[-1])
    start = keras.initializers.RandomNormal(stddev=spread)
    recall = layers.Dense(
        PATTERNS, use_bias=False, kernel_initializer=start, name=f"{prefix}_associate"
    )(pooled)
    recall = layers.Activation("softmax", name=f"{prefix}_softmax")(recall)
    return layers.Dense(classes, name=last)(recall)


def _mlp(_: tf.Tensor, pooled: tf.Tensor, classes: int, prefix: str, last: str) -> tf.Tensor:
    width = to_multiple(pooled.shape[-1] / 2)
    hidden = layers.Dense(width, activation="relu", name=f"{prefix}_hidden")(pooled)
    return layers.Dense(classes, name=last)(hidden)


def _attention(
    over_time: tf.Tensor, _: tf.Tensor, classes: int, prefix: str, last: str
) -> tf.Tensor:
    return layers.Dense(classes, name=last)(AttentionPooling(name=f"{prefix}_pool")(over_time))


HEADS: dict[str, Head] = {
    "linear": Head(_linear),
    "cosine": Head(_cosine),
    "memory": Head(_memory),
    "mlp": Head(_mlp),
    "attention": Head(_attention, deployable=False),
}
"""The kinds of classifier by name."""
