"""Distillation methods by name, and their options checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any

from tinyhar.distill.attention_transfer import AttentionTransfer
from tinyhar.distill.fitnet import FitNet
from tinyhar.distill.hinton import Hinton
from tinyhar.distill.method import Method
from tinyhar.distill.plain import NoDistillation
from tinyhar.distill.relational import Relational
from tinyhar.distill.selectivity import Selectivity
from tinyhar.distill.similarity import SimilarityPreserving
from tinyhar.distill.smldist import SMLDist
from tinyhar.distill.tsak import TSAK
from tinyhar.distill.variational import Variational
from tinyhar.errors import ModelError

METHODS: dict[str, Callable[..., Method]] = {
    kind.name: kind
    for kind in (
        NoDistillation,
        Hinton,
        FitNet,
        AttentionTransfer,
        SimilarityPreserving,
        Relational,
        Variational,
        Selectivity,
        SMLDist,
        TSAK,
    )
}
"""Distillation methods by the name that a recipe calls them; each is a dataclass of its options."""


def method(name: str, **options: Any) -> Method:
    """A method by name; ModelError for an unknown method or option, or a value of a wrong type."""
    known = _options(name)
    for option, value in options.items():
        if option not in known:
            raise ModelError(f"method {name!r} has no option {option!r}; it has {', '.join(known)}")
        options[option] = _checked(name, option, value, known[option])
    return METHODS[name](**options)


def options_of(name: str) -> dict[str, Any]:
    """The options of method `name` and their defaults; ModelError names the known methods."""
    return dict(_options(name))


def _options(name: str) -> dict[str, Any]:
    if name not in METHODS:
        raise ModelError(f"method {name!r}: expected one of {', '.join(sorted(METHODS))}")
    every: tuple[Field[Any], ...] = fields(METHODS[name])  # type: ignore[arg-type]
    return {one.name: one.default for one in every if one.init and one.default is not MISSING}


def _checked(name: str, option: str, value: Any, default: Any) -> Any:
    """The value as the option's type, which is its default's."""
    if isinstance(default, bool):
        right, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, float):
        right = isinstance(value, int | float) and not isinstance(value, bool)
        wanted = "a number"
    elif isinstance(default, tuple):
        right = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        wanted = "a list of names"
    else:
        right, wanted = isinstance(value, str), "a name"
    if not right:
        raise ModelError(f"method {name!r}, option {option!r}: {value!r}: expected {wanted}")
    return tuple(value) if isinstance(default, tuple) else value
