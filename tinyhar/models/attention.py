"""Attention along time as layers without weights, and the maps that attention draws.

Projections are ordinary `Dense` layers around these, so that every weight is in a layer that the
cost table, a snapshot and a picture know. Tensors are [batch, 1, time, channel].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError

layers = keras.layers

SENSOR = "sensor_attention"
"""Name of the layer whose output [1, time, channel] sums to one over the channels."""

TEMPORAL = "temporal_attention"
"""Name of the layer whose output [1, time, 1] sums to one over time."""


@keras.saving.register_keras_serializable(package="tinyhar")
class SinusoidalPositions(keras.layers.Layer):
    """x * sqrt(d) + positions (Vaswani et al. 2017, sections 3.4 and 3.5); [b, 1, time, d], d even.

    Sines in the first half of the channels, cosines in the second, as in the self-attention HAR
    code; Vaswani interleaves them, which is the same up to the order of the channels.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Same shape."""
        time, depth = inputs.shape[-2:]
        return inputs * float(depth) ** 0.5 + tf.constant(positions(time, depth), inputs.dtype)


def positions(time: int, depth: int) -> np.ndarray:
    """float32 [time, depth]: sin(t / 10000^(2i / depth)) for i < depth / 2, then the cosines."""
    angles = np.arange(time)[:, None] / 10000.0 ** (np.arange(0, depth, 2)[None] / depth)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


@keras.saving.register_keras_serializable(package="tinyhar")
class DotProductAttention(keras.layers.Layer):
    """softmax(Q K' / sqrt(d / heads)) V in each head (Vaswani et al. 2017, equation 1).

    Inputs: queries, keys and values, each [batch, 1, time, d]; the heads are the d channels in
    equal runs. Output [batch, 1, time, d]. No weights.
    """

    def __init__(self, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """The values of all times, weighted for each time."""
        time, depth = inputs[0].shape[-2:]
        split = (-1, time, self.heads, depth // self.heads)
        q, k, v = (tf.reshape(x, split) for x in inputs)
        scores = tf.einsum("bqhd,bkhd->bhqk", q, k) * (depth / self.heads) ** -0.5
        mixed = tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), v)
        return tf.reshape(mixed, (-1, 1, time, depth))

    def get_config(self) -> dict[str, Any]:
        """With the number of heads."""
        return {**super().get_config(), "heads": self.heads}


@keras.saving.register_keras_serializable(package="tinyhar")
class WeightedSum(keras.layers.Layer):
    """Features [batch, 1, time, d] and weights [batch, 1, time, 1] -> [batch, d]. No weights."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        """Sum over time of weight times feature."""
        features, weights = inputs
        return tf.reduce_sum(features * weights, axis=(1, 2))


def pool_by_attention(x: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """[batch, d]: the mean of x [b, 1, time, d] weighted by softmax of scores [b, 1, time, 1]."""
    weights = layers.Softmax(axis=-2, name=TEMPORAL)(scores)
    return WeightedSum(name="pool")([x, weights])


def sensor_attention(model: keras.Model, x: np.ndarray, *, batch: int = 128) -> np.ndarray:
    """float32 [n, time, channel]: how much the model looks at each channel at each time.

    x: windows [n, 1, time, channel] as the model sees them. Each time's row sums to one.
    Raises ModelError for a model without sensor attention.
    """
    return _output(model, SENSOR, x, batch).reshape(len(x), x.shape[2], x.shape[3])


def temporal_attention(model: keras.Model, x: np.ndarray, *, batch: int = 128) -> np.ndarray:
    """float32 [n, steps]: how much of each time step goes into the decision; a row sums to one.

    x: windows [n, 1, time, channel]. Steps are samples in "self_attention"; "tinier_har" pools
    them four by four first. Raises ModelError for a model without temporal attention.
    """
    found = _output(model, TEMPORAL, x, batch)
    return found.reshape(len(x), found.shape[2])


def _output(model: keras.Model, name: str, x: np.ndarray, batch: int) -> np.ndarray:
    if name not in (layer.name for layer in model.layers):
        raise ModelError(f"model {model.name!r} has no {name.replace('_', ' ')} to show")
    probe = keras.Model(model.input, model.get_layer(name).output)
    starts = range(0, len(x), batch)
    return np.concatenate([probe(x[i : i + batch], training=False).numpy() for i in starts])
