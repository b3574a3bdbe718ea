"""A recipe's method of distillation: options reach it, and nonsense shows before work starts."""

from __future__ import annotations

from typing import Any

import pytest

from tinyhar import recipe
from tinyhar.distill import Hinton
from tinyhar.errors import ModelError, RecipeError
from tinyhar.pipeline import learn


def asked(**distillation: Any) -> recipe.Recipe:
    return recipe.parse(
        {
            "name": "x",
            "data": {"source": "synthetic"},
            "split": {"test": ["s01"]},
            "teacher": {"options": {"width": 0.25, "depth": 0.4}},
            "student": {"options": {"width": 0.25, "depth": 1}},
            "distillation": distillation,
        }
    )


def check(wanted: recipe.Recipe) -> None:
    learn.check_networks(wanted, window=32, channels=3, classes=2)


def test_hinton_keeps_its_own_keys_and_takes_options_beside() -> None:
    assert learn._method(asked(temperature=2, weight=0.5)) == Hinton(2.0, 0.5)
    both = asked(temperature=2, options={"label_smoothing": 0.1})
    assert learn._method(both) == Hinton(2.0, 0.9, 0.1)


def test_heads_are_checked_too() -> None:
    check(asked(method="smldist", heads=["linear", "cosine", "memory", "mlp", "attention"]))
    with pytest.raises(ModelError, match="two or more"):
        check(asked(heads=["mlp"]))
    with pytest.raises(RecipeError, match=r"distillation\.heads.*'linear'"):
        asked(heads=["linear", "forest"])


def test_methods_of_features_fit_the_zoo() -> None:
    for method in ("none", "fitnet", "smldist"):
        check(asked(method=method))
    check(asked(method="smldist", options={"memory": 0, "stages": ["stage1"], "dc": False}))


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("hinton", {"tau": 2}, ["'hinton'", "tau", "temperature"]),
        ("rkd", {"angel": 2}, ["'rkd'", "angel", "angle"]),
        ("smldist", {"memory_stage": "stage1"}, ["'smldist'", "no memory of 'stage1'", "stage3"]),
        ("at", {"stages": ["stage7"]}, ["'at'", "stage7", "stage1, stage2, stage3"]),
    ],
)
def test_what_a_method_cannot_do_is_said_at_once(
    method: str, options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        check(asked(method=method, options=options))
    for word in words:
        assert word in str(caught.value)
