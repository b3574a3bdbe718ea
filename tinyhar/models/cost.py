"""What a model costs on a band, layer by layer: parameters and multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import tf_keras as keras

layers = keras.layers


@dataclass(frozen=True)
class LayerCost:
    """One layer: its name, kind, output shape without the batch, and what it costs."""

    name: str
    operator: str
    output: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Cost:
    """A whole model: numbers stored and multiply-accumulates for one window."""

    parameters: int
    macs: int


def cost_table(model: keras.Model) -> list[LayerCost]:
    """The layers that compute something, with batch norm folded as on the band.

    A convolution without bias that a batch norm follows gets the bias that folding gives it; the
    batch norm itself then costs nothing. Additions and pooling have no multiply-accumulates.
    """
    return [cost for layer in model.layers if (cost := _cost(layer)) is not None]


def total_cost(model: keras.Model) -> Cost:
    """Parameters (after folding batch norm) and MACs of the model for one window."""
    table = cost_table(model)
    return Cost(sum(row.parameters for row in table), sum(row.macs for row in table))


def _cost(layer: keras.layers.Layer) -> LayerCost | None:
    inner = getattr(layer, "layer", layer)  # tfmot's wrappers
    output = tuple(int(n) for n in layer.output_shape[1:]) if _has_shape(layer) else ()
    if isinstance(inner, layers.DepthwiseConv2D):
        kernel = prod(inner.depthwise_kernel.shape)
        macs = prod(output) * prod(inner.kernel_size)
    elif isinstance(inner, layers.Conv2D):
        kernel = prod(inner.kernel.shape)
        macs = prod(output) * prod(inner.kernel.shape[:-1])
    elif isinstance(inner, layers.Dense):
        kernel = prod(inner.kernel.shape)
        macs = prod(output[:-1]) * kernel
    elif isinstance(inner, _FREE):
        kernel, macs = 0, 0
    else:
        return None
    bias = output[-1] if kernel and (inner.use_bias or _normed(layer)) else 0
    return LayerCost(inner.name, type(inner).__name__, output, kernel + bias, macs)


_FREE = (
    layers.Add,
    layers.Multiply,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
)


def _has_shape(layer: keras.layers.Layer) -> bool:
    return isinstance(layer.output_shape, tuple)


def _normed(layer: keras.layers.Layer) -> bool:
    followers = [node.outbound_layer for node in layer.outbound_nodes]
    return any(isinstance(getattr(f, "layer", f), layers.BatchNormalization) for f in followers)
