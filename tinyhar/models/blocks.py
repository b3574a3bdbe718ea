"""The few layers that every architecture here is made of, as [batch, 1, time, channel] blocks.

Height 1 makes every layer a `Conv2D` or `DepthwiseConv2D` with a (1, k) kernel: the ones that tfmot
quantises and that a microcontroller's kernels are fast at. Channel counts are multiples of 4 for
the same reason.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError

layers = keras.layers

MOMENTUM = 0.9
"""Of batch norm's running statistics: Keras' 0.99 needs more steps than a small data set has."""


def to_multiple(value: float, multiple: int = 4) -> int:
    """`value` rounded to the nearest positive multiple, as channel counts must be."""
    return max(multiple, round(value / multiple) * multiple)


@keras.saving.register_keras_serializable(package="tinyhar")
class HardSwish(keras.layers.Layer):
    """x * relu6(x + 3) / 6 (Howard et al. 2019, "Searching for MobileNetV3", section 5.2)."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Elementwise, same shape."""
        return inputs * tf.nn.relu6(inputs + 3.0) * (1.0 / 6.0)


def activation(kind: str, name: str | None = None) -> keras.layers.Layer:
    """The layer for `kind`: "relu", "relu6", "hard_swish" or "linear" (identity)."""
    if kind == "relu":
        return layers.ReLU(name=name)
    if kind == "relu6":
        return layers.ReLU(6.0, name=name)
    if kind == "hard_swish":
        return HardSwish(name=name)
    if kind == "linear":
        return layers.Activation("linear", name=name)
    raise ModelError(f"activation {kind!r}: expected relu, relu6, hard_swish or linear")


def conv(
    x: tf.Tensor, filters: int, kernel: int, stride: int = 1, *, act: str | None, name: str
) -> tf.Tensor:
    """Conv (1, kernel) without bias, batch norm, activation `act` (None: linear)."""
    x = layers.Conv2D(
        filters,
        (1, kernel),
        strides=(1, stride),
        padding="same",
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return x if act is None else activation(act, name=name)(x)


def depthwise(
    x: tf.Tensor, kernel: int, stride: int = 1, *, act: str | None, name: str
) -> tf.Tensor:
    """Depthwise (1, kernel) without bias, batch norm, activation `act` (None: linear).

    TensorFlow trains a strided depthwise layer only with equal strides; at height 1 a stride
    along the height changes nothing, so both get it.
    """
    x = layers.DepthwiseConv2D(
        (1, kernel), strides=(stride, stride), padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_bn")(x)
    return x if act is None else activation(act, name=name)(x)


def squeeze_excite(x: tf.Tensor, *, ratio: int = 4, name: str) -> tf.Tensor:
    """Channels weighted by a gate computed from their mean over time (Hu et al. 2018).

    The gate is MobileNetV3's hard sigmoid times six, relu6(z + 3) with the 3 in the bias: a ReLU6
    fuses into int8's convolution, and the batch norm that follows every block's projection takes
    any constant factor (ours).
    """
    width = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    gate = layers.Conv2D(to_multiple(width / ratio), 1, activation="relu", name=f"{name}_in")(gate)
    gate = layers.Conv2D(
        width,
        1,
        # Glorot's, times the slope of Keras' hard sigmoid, 0.2 * 6.
        kernel_initializer=keras.initializers.VarianceScaling(1.44, "fan_avg", "uniform"),
        bias_initializer=keras.initializers.Constant(3.0),
        name=f"{name}_out",
    )(gate)
    gate = layers.ReLU(6.0, name=f"{name}_gate")(gate)
    return layers.Multiply(name=name)([x, gate])


def classify(x: tf.Tensor, classes: int) -> tf.Tensor:
    """Mean over the whole remaining time, then the layer "logits" [batch, classes]."""
    x = layers.AveragePooling2D((1, x.shape[2]), name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    return layers.Dense(classes, name="logits")(x)
