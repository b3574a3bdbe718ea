"""DeepConvLSTM (Ordonez and Roggen 2016, Sensors 16(1):115): a peer, and a heavy one.

Four convolutions of 64 filters along time, over each channel by itself; two LSTM layers of 128
read all channels' features in order; the state after the window's last step decides. The paper
drops half of the inputs of its dense layers; our reading: of both LSTM layers and of the logits.
"""

from __future__ import annotations

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers

CONVOLUTIONS = 4


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    filters: int = 64,
    kernel: int = 5,
    units: int = 128,
    dropout: float = 0.5,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; anchors stage1 and stage2.

    stage1 is what the first LSTM reads [1, steps, channels * filters], stage2 what it says
    [1, steps, units], where steps = window - 4 * (kernel - 1): convolutions are not padded.

    Args:
        window: samples in time, more than 4 * (kernel - 1).
        channels: sensor channels.
        classes: activities.
        filters: of each convolution.
        kernel: samples that a convolution sees.
        units: of each LSTM layer.
        dropout: rate before the LSTM layers and the logits.
    """
    steps = window - CONVOLUTIONS * (kernel - 1)
    if steps < 1:
        raise ModelError(
            f"deep_conv_lstm: window {window}: expected more than {window - steps} samples "
            f"with kernel {kernel}"
        )
    inputs = keras.Input((1, window, channels), name="window")
    x = layers.Reshape((window, channels, 1), name="image")(inputs)
    for number in range(1, CONVOLUTIONS + 1):
        x = layers.Conv2D(filters, (kernel, 1), activation="relu", name=f"conv{number}")(x)
    x = layers.Reshape((1, steps, channels * filters), name="stage1")(x)
    x = layers.Reshape((steps, channels * filters), name="sequence")(x)
    x = BatchSeededDropout(dropout, seed=1, name="dropout1")(x)
    x = layers.LSTM(units, return_sequences=True, name="lstm1")(x)
    x = layers.Reshape((1, steps, units), name="stage2")(x)
    x = layers.Reshape((steps, units), name="states")(x)
    x = BatchSeededDropout(dropout, seed=2, name="dropout2")(x)
    x = layers.LSTM(units, name="lstm2")(x)
    x = BatchSeededDropout(dropout, seed=3, name="dropout3")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="deep_conv_lstm")
