"""Which architectures run in int8 on the band's engine, known before anything is trained.

The last word has `compress.check_deployable`, which reads the converted file; a teacher or a peer
need not pass either.
"""

from __future__ import annotations

from typing import Final

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.blocks import HardSwish
from tinyhar.models.cost import CONVOLUTIONS

layers = keras.layers

DEPLOYABLE: Final = ("gmp", "ign", "mobilenetv3", "separable")
"""Architectures that can be a band's student, with their options at their defaults."""

_KNOWN = (
    layers.InputLayer,
    layers.Reshape,
    layers.Flatten,
    layers.Dropout,
    layers.ReLU,
    layers.Add,
    layers.Multiply,
    layers.Concatenate,
    HardSwish,
    layers.LeakyReLU,
    layers.ZeroPadding2D,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
    layers.GlobalMaxPooling2D,
)
_FUSING = (*CONVOLUTIONS, layers.Dense, layers.Activation)
_ACTIVATIONS = ("linear", "relu", "relu6", "sigmoid", "tanh")
"""Those that tfmot can train in int8; of others, HardSwish is a layer of its own."""


def check_student(model: keras.Model) -> None:
    """ModelError naming the first layer that the band's engine cannot run in int8."""
    for layer in model.layers:
        why = _obstacle(layer)
        if why:
            raise ModelError(
                f"model {model.name!r} cannot be a band's student: layer {layer.name!r} {why}; "
                f"take one of {', '.join(DEPLOYABLE)}"
            )


def _obstacle(layer: keras.layers.Layer) -> str:
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        return "is recurrent, and loses its accuracy in int8"
    if isinstance(layer, layers.BatchNormalization):
        before = layer.inbound_nodes[0].inbound_layers
        return "" if isinstance(before, CONVOLUTIONS) else "follows no convolution to fold into"
    if isinstance(layer, _FUSING):
        kind = keras.activations.serialize(layer.activation)
        return "" if kind in _ACTIVATIONS else f"has the activation {kind!r}"
    return "" if isinstance(layer, _KNOWN) else f"is a {type(layer).__name__}"
