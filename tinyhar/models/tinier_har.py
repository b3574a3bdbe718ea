"""TinierHAR, after its authors' public code (repository zhaxidele/TinierHAR, models/TinierHAR.py).

Separable convolutions with shortcuts along time, over each sensor channel by itself; one
bidirectional GRU reads all channels' features; its states are averaged with learned weights.
Trainable parameters as the authors log them: 7,483 with 6 channels and 12 classes (HAPT, USC-HAD),
4,981 with 3 and 6 (WISDM); 7,285 with 6 and 6. Ours: the weights' start is Keras', batch norm's
momentum this project's.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.attention import pool_by_attention
from tinyhar.models.blocks import MOMENTUM
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers

KERNEL = 5


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    filters: int = 4,
    blocks: int = 4,
    units: int = 16,
    dropout: float = 0.3,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; anchors stage1 and stage2.

    stage1 is what the GRU reads [1, window // 4, channels * 2 * filters], stage2 what it says
    [1, window // 4, 2 * units].

    Args:
        window: samples in time, at least 4.
        channels: sensor channels.
        classes: activities.
        filters: of the first block; the others have twice as many.
        blocks: after the two that halve the time.
        units: of the GRU in each direction.
        dropout: rate before the GRU.
    """
    if window < 4:
        raise ModelError(f"tinier_har: window {window}: expected at least 4 samples")
    inputs = keras.Input((1, window, channels), name="window")
    x = layers.Reshape((window, channels, 1), name="image")(inputs)
    x = _block(x, filters, halve=True, name="block1")
    x = _block(x, 2 * filters, halve=True, name="block2")
    for number in range(3, 3 + blocks):
        x = _block(x, 2 * filters, halve=False, name=f"block{number}")
    steps, width = x.shape[1], channels * 2 * filters
    x = layers.Reshape((1, steps, width), name="stage1")(x)
    x = layers.Reshape((steps, width), name="sequence")(x)
    x = BatchSeededDropout(dropout, seed=1, name="dropout")(x)
    x = layers.Bidirectional(layers.GRU(units, return_sequences=True), name="gru")(x)
    x = layers.Reshape((1, steps, 2 * units), name="stage2")(x)
    x = pool_by_attention(x, layers.Dense(1, name="pool_score")(x))
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="tinier_har")


def _block(x: tf.Tensor, filters: int, *, halve: bool, name: str) -> tf.Tensor:
    """Depthwise and pointwise layer, batch norm, ReLU, beside a shortcut; [time, channel, filter].

    The shortcut gets a pointwise layer where the width changes; both halve the time by maxima.
    """
    shortcut = x
    before = x.shape[-1]
    x = layers.DepthwiseConv2D((KERNEL, 1), padding="same", name=f"{name}_depthwise")(x)
    x = layers.Conv2D(filters, 1, name=f"{name}_point")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    if before != filters:
        shortcut = layers.Conv2D(filters, 1, name=f"{name}_shortcut")(shortcut)
        shortcut = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_shortcut_bn")(
            shortcut
        )
    if halve:
        x = layers.MaxPooling2D((2, 1), name=f"{name}_pool")(x)
        shortcut = layers.MaxPooling2D((2, 1), name=f"{name}_shortcut_pool")(shortcut)
    return layers.Add(name=name)([x, shortcut])
