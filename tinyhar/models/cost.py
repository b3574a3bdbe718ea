"""What a model costs on a band, layer by layer: parameters and multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import tf_keras as keras

from tinyhar.models.attention import DotProductAttention, WeightedSum

layers = keras.layers

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D)
"""Layers into which a batch norm right after them folds."""


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
    batch norm itself then costs nothing. One that follows no convolution has a factor and an
    offset a channel. Multiply-accumulates are those of convolutions, dense layers, recurrent gates
    (input and state), and attention's products of activations. Left out: everything done value by
    value (normalisation, softmax and other activations, a recurrent cell's own products, gates,
    additions, pooling) and tables of positions.
    """
    return [cost for layer in model.layers if (cost := _cost(layer)) is not None]


def total_cost(model: keras.Model) -> Cost:
    """Parameters (after folding batch norm) and MACs of the model for one window."""
    table = cost_table(model)
    return Cost(sum(row.parameters for row in table), sum(row.macs for row in table))


def _cost(layer: keras.layers.Layer) -> LayerCost | None:
    inner = layer
    if not isinstance(layer, layers.Bidirectional):
        inner = getattr(layer, "layer", layer)  # tfmot's wrappers
    output = tuple(int(n) for n in layer.output_shape[1:]) if _has_shape(layer) else ()
    counted = _weighted(layer, inner, output) or _weightless(inner, output)
    if counted is None:
        return None
    return LayerCost(inner.name, type(inner).__name__, output, *counted)


def _weighted(
    layer: keras.layers.Layer, inner: keras.layers.Layer, output: tuple[int, ...]
) -> tuple[int, int] | None:
    """(parameters, MACs) of a layer that has weights."""
    if isinstance(inner, layers.BatchNormalization):
        return None if _folds(layer) else (2 * output[-1], 0)
    if isinstance(inner, layers.DepthwiseConv2D):
        kernel = prod(inner.depthwise_kernel.shape)
        macs = prod(output) * prod(inner.kernel_size)
    elif isinstance(inner, layers.Conv2D):
        kernel = prod(inner.kernel.shape)
        macs = prod(output) * prod(inner.kernel.shape[:-1])
    elif isinstance(inner, layers.Dense):
        kernel = prod(inner.kernel.shape)
        macs = prod(output[:-1]) * kernel
    elif isinstance(inner, (layers.LSTM, layers.GRU, layers.Bidirectional)):
        return int(inner.count_params()), _recurrent_macs(inner)
    else:
        others = sum(prod(weight.shape) for weight in inner.trainable_weights)
        return (others, 0) if others else None
    return kernel + (output[-1] if inner.use_bias or _normed(layer) else 0), macs


def _weightless(inner: keras.layers.Layer, output: tuple[int, ...]) -> tuple[int, int] | None:
    """(0, MACs) of a layer that only combines activations; None: not worth a row."""
    if isinstance(inner, DotProductAttention):
        *_, time, depth = output
        return 0, 2 * time * time * depth  # queries by keys, weights by values
    if isinstance(inner, WeightedSum):
        return 0, prod(inner.input_shape[0][1:])
    return (0, 0) if isinstance(inner, _FREE) else None


_FREE = (
    layers.Add,
    layers.Multiply,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
)


def _recurrent_macs(layer: keras.layers.Layer) -> int:
    """Of all gates over all steps: each weighs the input and the state."""
    time = int(layer.input_shape[1])
    if isinstance(layer, layers.Bidirectional):
        cells = [layer.forward_layer.cell, layer.backward_layer.cell]
    else:
        cells = [layer.cell]
    return time * sum(prod(cell.kernel.shape) + prod(cell.recurrent_kernel.shape) for cell in cells)


def _has_shape(layer: keras.layers.Layer) -> bool:
    return isinstance(layer.output_shape, tuple)


def _normed(layer: keras.layers.Layer) -> bool:
    followers = [node.outbound_layer for node in layer.outbound_nodes]
    return any(isinstance(getattr(f, "layer", f), layers.BatchNormalization) for f in followers)


def _folds(norm: keras.layers.Layer) -> bool:
    """Whether a batch norm's input comes straight from a convolution."""
    before = norm.inbound_nodes[0].inbound_layers
    return isinstance(getattr(before, "layer", before), CONVOLUTIONS)
