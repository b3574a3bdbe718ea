"""Where a teacher and a student may be compared: the ends of their stages, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

import tf_keras as keras

from tinyhar.errors import ModelError

LOGITS = "logits"
"""Name of every model's last layer, and of its output among the anchors."""

_WRAPPED = ("quant_", "prune_low_magnitude_", "cluster_")
_STAGE = re.compile(r"stage(\d+)(_bn)?")


def anchors(model: keras.Model) -> tuple[str, ...]:
    """Names of the stage ends of a model in order: ("stage1", "stage2", ...)."""
    found = {int(m[1]) for layer in model.layers if (m := _STAGE.fullmatch(_plain(layer.name)))}
    return tuple(f"stage{number}" for number in sorted(found))


def with_anchors(model: keras.Model, names: Sequence[str] = ()) -> keras.Model:
    """The same model (shared weights), its output a dict: "logits" and each anchor's features.

    Features are [batch, 1, time, channel]. Raises ModelError for an anchor that is not there.
    """
    outputs = {LOGITS: model.output}
    for name in names:
        outputs[name] = _layer(model, name).output
    return keras.Model(model.input, outputs, name=model.name)


def _layer(model: keras.Model, name: str) -> keras.layers.Layer:
    for wanted in (name, f"{name}_bn"):  # a linear stage end is its batch norm
        for layer in model.layers:
            if _plain(layer.name) == wanted:
                return layer
    have = ", ".join(anchors(model)) or "none"
    raise ModelError(f"model {model.name!r} has no anchor {name!r}; its anchors are: {have}")


def _plain(name: str) -> str:
    """A layer's own name, without what tfmot's wrappers put before it."""
    for prefix in _WRAPPED:
        name = name.removeprefix(prefix)
    return name
