"""One architecture a file: `build(window, channels, classes, **options) -> keras.Model`.

Every model takes [batch, 1, time, channel] and gives logits [batch, classes]; its last layer is
named "logits", and the end of each stage "stage1", "stage2", ...: the anchors for distillation
("ign" and "gmp" have none). `DEPLOYABLE` says which can be a band's student.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import (
    deep_conv_lstm,
    gmp,
    ign,
    mobilenetv3,
    self_attention,
    separable,
    tinier_har,
)
from tinyhar.models.anchors import anchors, with_anchors
from tinyhar.models.attention import sensor_attention, temporal_attention
from tinyhar.models.cost import Cost, LayerCost, cost_table, total_cost
from tinyhar.models.deployable import DEPLOYABLE, check_student

__all__ = [
    "DEPLOYABLE",
    "MODELS",
    "Builder",
    "Cost",
    "LayerCost",
    "anchors",
    "build",
    "check_student",
    "cost_table",
    "options_of",
    "sensor_attention",
    "temporal_attention",
    "total_cost",
    "with_anchors",
]


Builder = Callable[..., keras.Model]
"""What an architecture's file offers: build(window, channels, classes, *, options)."""

MODELS: dict[str, Builder] = {
    "deep_conv_lstm": deep_conv_lstm.build,
    "gmp": gmp.build,
    "ign": ign.build,
    "mobilenetv3": mobilenetv3.build,
    "self_attention": self_attention.build,
    "separable": separable.build,
    "tinier_har": tinier_har.build,
}
"""Architectures by the name that a recipe calls them."""


def options_of(name: str) -> tuple[str, ...]:
    """The options that architecture `name` takes; ModelError names the known ones."""
    if name not in MODELS:
        raise ModelError(f"model {name!r}: expected one of {', '.join(sorted(MODELS))}")
    parameters = inspect.signature(MODELS[name]).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def build(
    name: str, window: int, channels: int, classes: int, *, seed: int | None = None, **options: Any
) -> keras.Model:
    """A fresh model by name; the same `seed` gives the same weights.

    Raises ModelError for an unknown model or option.
    """
    known = options_of(name)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    for option in options:
        if option not in known:
            raise ModelError(f"model {name!r} has no option {option!r}; it has {', '.join(known)}")
    return MODELS[name](window, channels, classes, **options)
