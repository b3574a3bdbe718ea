"""A student that gets another set of classes, and which of its layers learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from tinyhar import models
from tinyhar.errors import ModelError
from tinyhar.personal.merge import GONE, Merged

Trains = Literal["all", "last", "head"]
"""Which layers learn: all, those after the last but one stage, or only the classifier."""

HEAD: Final = "logits"

Floats = NDArray[np.floating]


def embedding(model: keras.Model) -> keras.Model:
    """The model up to what its classifier reads: windows to features [batch, d].

    Raises:
        ModelError: the classifier is not a linear layer.
    """
    return keras.Model(model.input, _head(model).input, name="embedding")


def widened(model: keras.Model, merged: Merged, means: Floats) -> keras.Model:
    """The same network with the classes of `merged`; its layers are shared, the head is new.

    A class that the base run had keeps its row of the head. A new one starts as its mean looks
    to a nearest-mean classifier, scaled to the size of the rows that are there (ours).

    Args:
        model: ends at a linear layer "logits" over the base run's classes.
        merged: the classes to be.
        means: float [classes, d], mean features of each class of `merged`; rows of classes that
            the base run had are not looked at.
    """
    head = _head(model)
    kernel, bias = _rows(head, merged, means)
    fresh = keras.layers.Dense(len(merged.classes), name=HEAD)
    wider = keras.Model(model.input, fresh(head.input), name=model.name)
    fresh.set_weights([kernel, bias])
    return wider


def _rows(head: keras.layers.Dense, merged: Merged, means: Floats) -> tuple[Floats, Floats]:
    """Kernel [d, classes] and bias [classes] of the new head."""
    was_kernel, was_bias = kernel_and_bias(head)
    centred = means - means.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    usual = float(np.linalg.norm(was_kernel, axis=0).mean())
    kernel = (usual * centred / np.maximum(length, 1e-6)).T
    bias = -(kernel * means.mean(axis=0)[:, None]).sum(axis=0) + float(was_bias.mean())
    old = merged.of_base != GONE
    kernel[:, merged.of_base[old]] = was_kernel[:, old]
    bias[merged.of_base[old]] = was_bias[old]
    return kernel.astype(np.float32), bias.astype(np.float32)


def kernel_and_bias(head: keras.layers.Dense) -> tuple[Floats, Floats]:
    """[d, classes] and [classes]; a head without a bias has zeros."""
    kernel, *bias = head.get_weights()
    return kernel, bias[0] if bias else np.zeros(kernel.shape[1], kernel.dtype)


@contextmanager
def learning(model: keras.Model, trains: Trains) -> Iterator[None]:
    """Inside, only these layers can be trained; the others infer, batch norms too.

    Those others are left to the last bit as they were (a running mean of weights rounds).
    """
    before = [layer.trainable for layer in model.layers]
    first = _first_to_learn(model, trains)
    frozen = [(layer, layer.get_weights()) for layer in model.layers[:first]]
    for number, layer in enumerate(model.layers):
        layer.trainable = number >= first
    try:
        yield
    finally:
        for layer, trainable in zip(model.layers, before, strict=True):
            layer.trainable = trainable
        for layer, weights in frozen:
            layer.set_weights(weights)


def _first_to_learn(model: keras.Model, trains: Trains) -> int:
    names = [layer.name for layer in model.layers]
    if trains == "all":
        return 0
    stages = models.anchors(model)
    if trains == "last" and len(stages) > 1:
        return names.index(stages[-2]) + 1
    return names.index(HEAD)


def _head(model: keras.Model) -> keras.layers.Dense:
    last = model.layers[-1]
    if not (isinstance(last, keras.layers.Dense) and last.name == HEAD):
        raise ModelError(
            f"model {model.name!r} ends in {last.name!r}, a {type(last).__name__}: only a student "
            f"whose classifier is a linear layer '{HEAD}' can be taught new classes"
        )
    return last
