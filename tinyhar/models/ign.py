"""IGN, the CNN after Ignatov (2018, Applied Soft Computing 62) that STMicroelectronics publishes.

Layers as in STMicroelectronics' model zoo (stm32ai-modelzoo, human_activity_recognition, ign): one
convolution of 24 filters over 16 samples of each channel by itself, maxima of three neighbours in
time, a linear layer of 12, dropout, logits. 3,064 parameters with 24 samples, 3 channels and 4
classes, as published; it grows with the window. Their softmax is left to the loss. Not theirs: the
windows' normalisation (they turn gravity out of them) and batch-seeded dropout.
"""

from __future__ import annotations

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers

KERNEL, POOL = 16, 3


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    filters: int = 24,
    hidden: int = 12,
    dropout: float = 0.5,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; no anchors.

    Args:
        window: samples in time, at least 18.
        channels: sensor channels.
        classes: activities.
        filters: of the convolution.
        hidden: width of the linear layer before the logits.
        dropout: rate before the logits.
    """
    if window < KERNEL + POOL - 1:
        raise ModelError(f"ign: window {window}: expected at least {KERNEL + POOL - 1} samples")
    inputs = keras.Input((1, window, channels), name="window")
    x = layers.Reshape((window, channels, 1), name="image")(inputs)
    x = layers.Conv2D(filters, (KERNEL, 1), activation="relu", name="conv")(x)
    x = layers.MaxPooling2D((POOL, 1), name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(hidden, name="hidden")(x)
    x = BatchSeededDropout(dropout, seed=1, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="ign")
