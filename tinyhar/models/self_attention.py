"""Self-attention HAR (Mahmud et al. 2020, arXiv 2003.09018), after the authors' public code.

Channels weighted by sensor attention, samples encoded by two transformer blocks, pooled by their
likeness to a learned context vector. A teacher, a peer and an explanation (`attention.py` draws its
maps), no student: the band's engine multiplies no activations with each other.

About 422,000 parameters: 422,025 with 6 channels and 12 classes (USC-HAD's), whatever the window.
Two details that only the code tells: queries have no bias, keys and values have; and the sensor
weights multiply the normalised window, not the raw one. Softmax is the stable one here, where the
code divides exponentials.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.attention import (
    SENSOR,
    DotProductAttention,
    SinusoidalPositions,
    pool_by_attention,
)
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    width: int = 128,
    heads: int = 4,
    feed_forward: int = 512,
    blocks: int = 2,
    filters: int = 128,
    dropout: float = 0.2,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; anchors stage1, ... after each block.

    Args:
        window: samples in time.
        channels: sensor channels, at least 2: they are weighed against each other.
        classes: activities.
        width: channels d of the encoder, even and a multiple of `heads`.
        heads: of the self-attention, each d / heads wide.
        feed_forward: hidden channels of each block's two dense layers.
        blocks: encoder blocks.
        filters: of the sensor attention's convolution.
        dropout: rate after the positions, in the blocks and before the logits.
    """
    if channels < 2:
        raise ModelError(f"self_attention: {channels} channel: expected at least 2 to choose from")
    if blocks < 1 or heads < 1 or width < 2 or width % heads or width % 2:
        raise ModelError(
            f"self_attention: width {width}, heads {heads}, blocks {blocks}: "
            "expected an even width, a multiple of heads, and at least one block"
        )
    drop = _dropouts(dropout)
    inputs = keras.Input((1, window, channels), name="window")
    x = _weigh_sensors(inputs, filters)
    x = layers.Dense(width, activation="relu", name="embed")(x)
    x = drop(SinusoidalPositions(name="positions")(x))
    for number in range(1, blocks + 1):
        x = _encode(x, heads, feed_forward, drop, f"stage{number}")
    hidden = layers.Dense(width, activation="tanh", name="pool_hidden")(x)
    scores = layers.Dense(1, use_bias=False, name="pool_context")(hidden)
    x = pool_by_attention(x, scores)
    x = drop(layers.Dense(4 * classes, activation="relu", name="head")(x))
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="self_attention")


def _weigh_sensors(x: tf.Tensor, filters: int) -> tf.Tensor:
    """The window, normalised over its channels and multiplied by their attention at each time."""
    _, time, channels = x.shape[1:]
    x = layers.LayerNormalization(name="sensor_norm")(x)
    image = layers.Reshape((time, channels, 1), name="sensor_image")(x)
    image = layers.Conv2D(
        filters, 3, dilation_rate=2, padding="same", activation="relu", name="sensor_conv"
    )(image)
    image = layers.Conv2D(1, 1, name="sensor_score")(image)
    scores = layers.Reshape((1, time, channels), name="sensor_scores")(image)
    return layers.Multiply(name="sensors")([x, layers.Softmax(axis=-1, name=SENSOR)(scores)])


def _encode(
    x: tf.Tensor, heads: int, hidden: int, drop: Callable[[tf.Tensor], tf.Tensor], name: str
) -> tf.Tensor:
    """A post-norm encoder block (Vaswani et al. 2017, section 3.1); [b, 1, time, d] both ways."""
    width = x.shape[-1]
    query = layers.Dense(width, use_bias=False, name=f"{name}_query")(x)
    key = layers.Dense(width, name=f"{name}_key")(x)
    value = layers.Dense(width, name=f"{name}_value")(x)
    mixed = DotProductAttention(heads, name=f"{name}_attention")([query, key, value])
    mixed = drop(layers.Dense(width, name=f"{name}_project")(mixed))
    x = layers.Add(name=f"{name}_attended")([x, mixed])
    x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_attended_norm")(x)
    fed = layers.Dense(hidden, activation="relu", name=f"{name}_widen")(x)
    fed = drop(layers.Dense(width, name=f"{name}_narrow")(fed))
    x = layers.Add(name=f"{name}_fed")([x, fed])
    return layers.LayerNormalization(epsilon=1e-6, name=name)(x)


def _dropouts(rate: float) -> Callable[[tf.Tensor], tf.Tensor]:
    """Each call applies one more dropout layer, with a seed of its own."""
    count = 0

    def drop(x: tf.Tensor) -> tf.Tensor:
        nonlocal count
        count += 1
        return BatchSeededDropout(rate, seed=count, name=f"dropout{count}")(x)

    return drop
