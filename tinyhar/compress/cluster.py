"""Weight clustering with tfmot: a layer's weights share a few values, and four bits number them.

The compiled engine stores such layers in six tenths of their flash (``convert/clustered.py``), and
that much less travels to a band; inference takes longer, as every weight is looked up. Depthwise
convolutions and small layers have too few weights to gain.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.duplicate import duplicate

_tfmot = tfmot.clustering.keras
_LEAST: Final = 512
"""Weights that a layer has at least, to be worth a table of values."""


def clusterable(model: keras.Model) -> list[str]:
    """Names of the layers that clustering would change."""
    return [layer.name for layer in model.layers if _worth_it(layer)]


def cluster(model: keras.Model, values: int) -> keras.Model:
    """A copy of `model` with at most `values` different weights a layer; fine-tune it, then strip.

    tfmot moves the values, and which weight takes which, while the copy is trained. Filters under a
    batch norm are brought to the same size first, and the batch norm is told, so that their values
    can be shared, and still are after each channel got its int8 scale.

    Args:
        model: convolutions and dense layers, untouched by quantisation.
        values: 2 to 16: more than four bits can number save nothing.

    Raises:
        ModelError: a number that cannot be, or a model with no layer worth it.
    """
    if not 2 <= values <= 16:
        raise ModelError(f"clustering: {values} values: expected 2 to 16, numbered by four bits")
    if not clusterable(model):
        raise ModelError(
            f"clustering: {model.name!r} has no convolution of {_LEAST} weights: leave it out"
        )
    alike = duplicate(model)
    for layer in alike.layers:
        if _worth_it(layer):
            _to_one_size(layer)

    def wrapped(layer: keras.layers.Layer) -> keras.layers.Layer:
        if not _worth_it(layer):
            return type(layer).from_config(layer.get_config())
        # Inputs that are no multiple of four are filled up with zeros, which take a value too.
        most = values if layer.kernel[..., 0].shape.num_elements() % 4 == 0 else 15
        return _tfmot.cluster_weights(
            layer,
            number_of_clusters=min(values, most),
            cluster_centroids_init=_tfmot.CentroidInitialization.KMEANS_PLUS_PLUS,
        )

    clustered = keras.models.clone_model(alike, clone_function=wrapped)
    for layer in alike.layers:
        if not _worth_it(layer):
            clustered.get_layer(layer.name).set_weights(layer.get_weights())
    return clustered


def strip(model: keras.Model) -> keras.Model:
    """The ordinary model, its weights now among each layer's few values."""
    return duplicate(_tfmot.strip_clustering(model))


def _worth_it(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return False
    weighted = isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
    return weighted and int(tf.size(layer.kernel)) >= _LEAST


def _to_one_size(layer: keras.layers.Layer) -> None:
    """Scale each filter to a greatest weight of one where the batch norm after it takes that out
    again: inference gives the same numbers."""
    followers = [node.outbound_layer for node in layer.outbound_nodes]
    norm = followers[0] if len(followers) == 1 else None
    if not isinstance(norm, keras.layers.BatchNormalization) or layer.use_bias:
        return
    kernel, (gamma, beta, mean, variance) = layer.kernel.numpy(), norm.get_weights()
    size = np.abs(kernel).max(axis=(0, 1, 2))
    size = np.where(size > 0, size, 1.0)
    smaller = variance / size**2
    gamma = gamma * size * np.sqrt((smaller + norm.epsilon) / (variance + norm.epsilon))
    layer.set_weights([kernel / size])
    norm.set_weights([gamma, beta, mean / size, smaller])
