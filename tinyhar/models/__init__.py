"""One architecture a file: `build(window, channels, classes, **options) -> keras.Model`.

Every model takes [batch, 1, time, channel] and gives logits [batch, classes]; its last layer is
named "logits", and the end of each stage "stage1", "stage2", ...: the anchors for distillation
("ign" and "gmp" have none). `DEPLOYABLE` says which can be a band's student.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection
from typing import Any, get_type_hints

import tf_keras as keras
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tinyhar.errors import ModelError
from tinyhar.models import (
    deep_conv_lstm,
    gmp,
    ign,
    mobilenetv3,
    self_attention,
    separable,
    tinier_har,
    tsak,
)
from tinyhar.models.anchors import anchors, with_anchors
from tinyhar.models.attention import sensor_attention, temporal_attention
from tinyhar.models.cost import Cost, LayerCost, cost_table, total_cost
from tinyhar.models.deployable import DEPLOYABLE, check_student
from tinyhar.models.latency import desk_latency

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
    "desk_latency",
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
    "tsak": tsak.build,
}
"""Architectures by the name that a recipe calls them."""


def options_of(name: str) -> tuple[str, ...]:
    """The options that architecture `name` takes; ModelError names the known ones."""
    if name not in MODELS:
        known = ", ".join(sorted(MODELS))
        raise ModelError(f"model {name!r}: {_hint(name, MODELS)}expected one of {known}")
    parameters = inspect.signature(MODELS[name]).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def build(
    name: str, window: int, channels: int, classes: int, *, seed: int | None = None, **options: Any
) -> keras.Model:
    """A fresh model by name; the same `seed` gives the same weights.

    Raises:
        ModelError: an unknown model or option, or a value that the option cannot have.
    """
    _check_options(name, options)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    try:
        return MODELS[name](window, channels, classes, **options)
    except ValueError as error:  # what Keras says of a shape that cannot be
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model {name!r}, window {window}, options {options or 'all default'}: {reason}"
        ) from error


def _check_options(name: str, options: dict[str, Any]) -> None:
    known = options_of(name)
    types = get_type_hints(MODELS[name])
    for option, value in options.items():
        if option not in known:
            raise ModelError(
                f"model {name!r} has no option {option!r}: "
                f"{_hint(option, known)}it has {', '.join(known)}"
            )
        try:
            TypeAdapter(types[option], config=_EXACT).validate_python(value, strict=True)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Input ")
            raise ModelError(f"model {name!r}: option {option} = {value!r}: {message}") from error


_EXACT = ConfigDict(arbitrary_types_allowed=True)


def _hint(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""
