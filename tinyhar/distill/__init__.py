"""Training: what a student learns from labels and from a teacher.

`losses` holds pure functions, one file per method combines them (`plain`, `hinton`), `method` is
the interface between, and `train.fit` the loop that runs any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from tinyhar.distill.augment import Augment, AugmentConfig
from tinyhar.distill.hinton import Hinton
from tinyhar.distill.method import Method, Outputs
from tinyhar.distill.plain import NoDistillation
from tinyhar.distill.snapshot import EpochReport, Snapshot
from tinyhar.distill.teacher import Teacher
from tinyhar.distill.train import Examples, FitConfig, History, fit, logits, macro_f1
from tinyhar.errors import ModelError

__all__ = [
    "METHODS",
    "Augment",
    "AugmentConfig",
    "EpochReport",
    "Examples",
    "FitConfig",
    "Hinton",
    "History",
    "Method",
    "NoDistillation",
    "Outputs",
    "Snapshot",
    "Teacher",
    "fit",
    "logits",
    "macro_f1",
    "method",
]

METHODS: dict[str, Callable[..., Method]] = {kind.name: kind for kind in (NoDistillation, Hinton)}
"""Distillation methods by the name that a recipe calls them; each is a dataclass of its options."""


def method(name: str, **options: Any) -> Method:
    """A method by name; ModelError for an unknown method or option."""
    if name not in METHODS:
        raise ModelError(f"method {name!r}: expected one of {', '.join(sorted(METHODS))}")
    known = [field.name for field in fields(METHODS[name])]  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            raise ModelError(f"method {name!r} has no option {option!r}; it has {', '.join(known)}")
    return METHODS[name](**options)
