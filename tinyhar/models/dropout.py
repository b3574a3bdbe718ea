"""Dropout that a resumed training repeats: the batch itself seeds it, no hidden state."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras as keras

_MIXING = 2654435761
"""Knuth's odd multiplier: nearby seeds of neighbouring layers draw unrelated masks."""


@keras.saving.register_keras_serializable(package="tinyhar")
class BatchSeededDropout(keras.layers.Dropout):
    """Inverted dropout whose mask is a function of (seed, the values it is applied to).

    The bits of all values are summed (an integer sum, which no order of summation changes) and
    seed a counter-based generator. Thus a step that is repeated with the same weights and windows
    drops the same, whatever ran before it, without a variable that would have to be saved; the
    next step has other windows and weights, and drops otherwise. What that costs: two passes of one
    batch through the same weights share their mask. Ours; Keras' own Dropout draws from a hidden
    counter that no snapshot holds. Shape in = shape out; the identity when not training.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, **kwargs)

    def call(self, inputs: tf.Tensor, training: bool | tf.Tensor | None = None) -> tf.Tensor:
        """Scaled by 1 / (1 - rate) where kept, zero elsewhere."""
        if training is None or not self.rate:
            return inputs
        if isinstance(training, (bool, int)):
            return self._dropped(inputs) if training else inputs
        return tf.cond(tf.cast(training, tf.bool), lambda: self._dropped(inputs), lambda: inputs)

    def _dropped(self, inputs: tf.Tensor) -> tf.Tensor:
        bits = tf.bitcast(tf.cast(tf.stop_gradient(inputs), tf.float32), tf.int32)
        digest = tf.reduce_sum(tf.cast(bits, tf.int64))
        seed = tf.stack([digest, tf.constant(self.seed * _MIXING + 1, tf.int64)])
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed, rng_alg="philox")
