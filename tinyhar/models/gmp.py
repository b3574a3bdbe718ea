"""GMP, the global-max-pooling CNN that STMicroelectronics publishes.

Layers as in STMicroelectronics' model zoo (stm32ai-modelzoo, human_activity_recognition, gmp): two
convolutions of 16 filters over 5 samples of each channel by itself, batch norm before each, no
activation, the greatest value of each filter over the whole window and all channels, dropout,
logits. 1,528 parameters with 4 classes, whatever the window, as published; that count has the batch
norm of the input, which no band folds away: nothing stands before it. It is off here by default,
because windows are normalised already; `input_norm=True` is the published model. Their softmax is
left to the loss.
"""

from __future__ import annotations

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.blocks import MOMENTUM
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers

KERNEL = 5


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    filters: int = 16,
    dropout: float = 0.5,
    input_norm: bool = False,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; no anchors.

    Args:
        window: samples in time, at least 9.
        channels: sensor channels.
        classes: activities.
        filters: of both convolutions.
        dropout: rate before the logits.
        input_norm: whether one batch norm over all channels comes first, as published.
    """
    steps = window - 2 * (KERNEL - 1)
    if steps < 1:
        raise ModelError(f"gmp: window {window}: expected at least {window - steps + 1} samples")
    inputs = keras.Input((1, window, channels), name="window")
    x = layers.Reshape((window, channels, 1), name="image")(inputs)
    if input_norm:
        x = layers.BatchNormalization(momentum=MOMENTUM, name="input_bn")(x)
    x = layers.Conv2D(filters, (KERNEL, 1), name="conv1_conv")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="conv1_bn")(x)
    x = layers.Conv2D(filters, (KERNEL, 1), name="conv2")(x)
    # Global max pooling, as the operator that a band's engine has.
    x = layers.MaxPooling2D((steps, channels), name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = BatchSeededDropout(dropout, seed=1, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="gmp")
