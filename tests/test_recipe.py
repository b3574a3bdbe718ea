"""A recipe is checked in full, and says what is wrong with it, before any work starts."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tinyhar import recipe, settings
from tinyhar.errors import RecipeError

GOOD: dict[str, Any] = {
    "name": "mine",
    "data": {"source": "synthetic"},
    "split": {"test": ["s01"]},
}


def changed(path: str, value: object) -> dict[str, Any]:
    table = copy.deepcopy(GOOD)
    *tables, key = path.split(".")
    inner = table
    for name in tables:
        inner = inner.setdefault(name, {})
    inner[key] = value
    return table


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("data.windw", 128, ["data.windw", "did you mean 'window'?"]),
        ("student.training.epoch", 3, ["student.training.epoch", "did you mean 'epochs'?"]),
        ("sead", 1, ["sead", "did you mean 'seed'?"]),
        ("data.window", 4, ["data.window", "greater than or equal to 8", "4"]),
        ("data.source", "haptt", ["haptt", "did you mean 'hapt'?"]),
        ("student.training.rate", "fast", ["student.training.rate", "number", "fast"]),
        ("pruning.method", "magic", ["pruning.method", "'channels'", "magic"]),
        ("split.leave_one_out", ["s02"], ["either", "leave_one_out"]),
        ("pruning.method", "magnitude", ["quantisation.method 'ptq'", "value of its own"]),
        ("clustering.values", 16, ["clustering", "quantisation.method 'ptq'"]),
        ("clustering.values", 17, ["clustering.values", "less than or equal to 16"]),
        ("pruning", {"method": "none", "flash_bytes": 9000}, ["'flash_bytes'", "'channels'"]),
        ("pruning", {"method": "magnitude", "by": "bn"}, ["'by'", "'channels'"]),
        ("pruning", {"share": 0.5, "parameters": 900}, ["'share'", "'parameters'", "one of them"]),
        ("data.synchronise", True, ["'synchronise'", "name their 'positions'"]),
        ("data.borrow", ["left_wrist"], ["'borrow'", "one position in 'positions'"]),
        ("name", "Bad Name", ["name", "pattern"]),
    ],
)
def test_a_wrong_key_or_value_is_named(path: str, value: object, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe.parse(changed(path, value), origin="my.toml")
    assert "\n" not in str(caught.value)
    for word in ["my.toml", *words]:
        assert word in str(caught.value)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(RecipeError, match="'data' is missing"):
        recipe.parse({"name": "x", "split": {"test": ["1"]}})


def test_toml_with_all_defaults_reads_back_equal() -> None:
    full = recipe.parse(changed("student.options", {"width": 1.5, "squeeze": False}))
    assert recipe.parse(tomllib.loads(settings.to_toml(full))) == full


def test_no_such_recipe_lists_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="hapt"):
        recipe.load(tmp_path / "nowhere.toml")


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("name = 'x'\nseed = = 1\n")
    with pytest.raises(RecipeError, match="line 2"):
        recipe.load(file)


@pytest.mark.parametrize("file", sorted(recipe.BUILT_IN.glob("*.toml")), ids=lambda f: f.stem)
def test_built_in_recipes_are_good_and_named_after_their_file(file: Path) -> None:
    assert recipe.load(file).name == file.stem


def test_leave_one_out_becomes_one_recipe_a_subject() -> None:
    table = changed("split", {"leave_one_out": ["1", "2"]})
    folds = recipe.folds(recipe.parse(table))
    assert [fold.split.test for fold in folds] == [("1",), ("2",)]
    assert [fold.name for fold in folds] == ["mine-without-1", "mine-without-2"]


def test_anybody_s_name_makes_a_fold_that_can_be_read_again(tmp_path: Path) -> None:
    table = changed("split", {"leave_one_out": ["José Luis", "a/b", "s02"]})
    folds = recipe.folds(recipe.parse(table))
    assert [fold.name.removeprefix("mine-without-") for fold in folds] == [
        "jose-luis",
        "a-b",
        "s02",
    ]
    for fold in folds:
        (tmp_path / "recipe.toml").write_text(settings.to_toml(fold), encoding="utf-8")
        assert recipe.load(tmp_path / "recipe.toml") == fold
    with pytest.raises(RecipeError, match="'Anna' and 'anna' would share"):
        recipe.folds(recipe.parse(changed("split", {"leave_one_out": ["Anna", "anna"]})))


def test_quick_keeps_the_question_and_shortens_the_answer() -> None:
    whole = recipe.parse(GOOD)
    quick = recipe.quick(whole)
    assert quick.data == whole.data
    assert quick.teacher.training.epochs <= 8


def test_a_change_on_the_command_line_is_checked_like_a_file() -> None:
    whole = recipe.parse(GOOD)
    less = recipe.changed(whole, ["student.training.epochs=7", "distillation.method=none"])
    assert (less.student.training.epochs, less.distillation.method) == (7, "none")
    with pytest.raises(RecipeError, match="did you mean 'epochs'"):
        recipe.changed(whole, ["student.training.epoch=7"])
    with pytest.raises(RecipeError, match="'source' is a value"):
        recipe.changed(whole, ["data.source.x=3"])
    with pytest.raises(RecipeError, match=r"table\.key=value"):
        recipe.changed(whole, ["quick"])
