"""A grid is checked in full, and spelt out into the cells that it promises."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.bench.grids import TABLE, cells_of, league, small
from tinyhar import models, settings
from tinyhar import recipe as recipes
from tinyhar.bench import grid, work
from tinyhar.bench.cells import expand, select
from tinyhar.errors import RecipeError
from tinyhar.pipeline.trainer import build


def changed(path: str, value: object) -> dict[str, Any]:
    table: Any = copy.deepcopy(TABLE)
    inner = table
    *places, key = path.split(".")
    for place in places:
        inner = inner[int(place)] if place.isdigit() else inner[place]
    inner[key] = value
    return dict(table)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("sead", [1], ["unknown key 'sead'", "did you mean 'seeds'?"]),
        ("protocols.0.recip", "x", ["protocols.0.recip", "did you mean 'recipe'?"]),
        ("methods.1.chanes", [], ["methods.1.chanes", "did you mean 'changes'?"]),
        ("quick.fold", 1, ["quick.fold", "did you mean 'folds'?"]),
        ("methods.3.group", "other", ["methods.3.group", "'forest'", "other"]),
        ("methods.1.name", "none", ["method 'none'", "twice"]),
        ("protocols.1.name", "demo", ["protocol 'demo'", "twice"]),
        ("seeds", [1, 1], ["seed 1", "twice"]),
        ("seeds", [], ["seeds", "at least 1"]),
        ("focus", "smldst", ["smldst", "did you mean 'smldist'?"]),
        ("protocols.1.fewer", {"fitnit": ["5"]}, ["fitnit", "did you mean 'fitnet'?"]),
        ("protocols.0.sizes", [50], ["protocols.0.sizes.0", "100", "50"]),
        ("protocols.0.by_size", {"2000": []}, ["protocols.0", "2000", "3000"]),
        ("methods.0.arithmetic", "float", ["methods.0", "architectures"]),
        ("methods.3.seeds", [2, 5], ["method 'gmp'", "seed 5"]),
    ],
)
def test_a_wrong_key_or_value_is_named(path: str, value: object, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        grid.parse(changed(path, value), origin="my.toml")
    for word in ["my.toml", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("protocols.0.recipe", "dmo", ["protocol 'demo'", "dmo", "no such recipe"]),
        ("protocols.0.changes", ["data.windw=64"], ["protocol 'demo'", "mean 'window'?"]),
        ("methods.1.changes", ["distillation.method=magic"], ["'fitnet'", "'demo'", "magic"]),
        ("methods.1.changes", ["fast"], ["method 'fitnet'", "table.key=value"]),
        ("protocols.1.fewer", {"fitnet": ["9"]}, ["protocol 'wrist'", "'9'", "1, 2, 3"]),
        ("protocols.1.folds", ["8"], ["protocol 'wrist'", "'8'"]),
        ("protocols.0.folds", ["1"], ["protocol 'demo'", "fixed test subjects"]),
    ],
)
def test_what_its_recipes_cannot_take_is_named(path: str, value: object, words: list[str]) -> None:
    with pytest.raises(RecipeError) as caught:
        expand(grid.parse(changed(path, value)), "my.toml")
    for word in ["my.toml", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_grid_lists_the_built_in_ones() -> None:
    with pytest.raises(RecipeError, match=r"leage: no such grid.*league"):
        grid.load("leage")


def test_every_protocol_meets_every_method_size_fold_and_seed_once() -> None:
    cells = cells_of(small())
    assert len({cell.id for cell in cells}) == len(cells)
    per_seed = Counter((cell.protocol, cell.method) for cell in cells if cell.seed == 1)
    assert per_seed["demo", "none"] == 2  # two sizes
    assert per_seed["demo", "gmp"] == per_seed["demo", "forest"] == 1  # of their own size
    assert per_seed["wrist", "smldist"] == 3
    assert per_seed["wrist", "fitnet"] == 2  # fewer people
    assert len(cells) == 2 * sum(per_seed.values())
    assert {cell.recipe.seed for cell in cells if cell.seed == 2} == {2}
    widths = {c.size: c.recipe.student.options for c in cells if c.protocol == "demo"}
    assert widths == {3000: {}, 1500: {"width": 0.4}, None: {}}
    sized = {c.size: c.recipe.pruning.parameters for c in cells if c.protocol == "demo"}
    assert sized == {3000: 3000, 1500: 1500, None: None}


def test_the_whole_table_is_there_after_the_first_seed() -> None:
    seeds = [cell.seed for cell in cells_of(small())]
    assert seeds == sorted(seeds)


def test_a_method_can_have_fewer_seeds() -> None:
    cells = cells_of(grid.parse(changed("methods.3.seeds", [2])))
    assert {c.seed for c in cells if c.method == "gmp"} == {2}
    assert {c.seed for c in cells if c.method == "none"} == {1, 2}


def test_quick_keeps_the_shape() -> None:
    whole, quick = cells_of(small()), cells_of(small(), quick=True)
    shape = {(c.protocol, c.method, c.size) for c in whole}
    assert {(c.protocol, c.method, c.size) for c in quick} == shape
    assert len(quick) == len(shape)
    assert {c.fold for c in quick if c.protocol == "wrist"} == {"5"}  # whom all methods meet
    assert {c.seed for c in quick} == {7}
    assert {c.recipe.quantisation.method for c in quick} == {"ptq"}
    assert not {c.key for c in quick} & {c.key for c in whole}


def test_nobody_left_out_trains_or_validates() -> None:
    """The split that a cell is run with, drawn as the pipeline draws it."""
    from tinyhar.splits import make_split

    everybody = recipes.load("dsads-wrist").split.leave_one_out
    for cell in cells_of(small()):
        if cell.fold is None:
            continue
        assert cell.recipe.split.test == (cell.fold,)
        assert not cell.recipe.split.leave_one_out
        split = make_split(
            everybody,
            test=cell.recipe.split.test,
            validation=cell.recipe.split.validation,
            seed=cell.recipe.seed,
        )
        assert cell.fold not in {*split.train, *split.validation}
        assert {*split.train, *split.validation, *split.test} == set(everybody)


def test_a_cell_is_known_by_all_that_changes_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    (one, *_) = cells_of(small())
    before = one.key
    assert before == cells_of(small())[0].key
    others = [
        cells_of(small(seeds=[3]))[0],
        cells_of(small(), quick=True)[0],
        cells_of(grid.parse(changed("protocols.0.changes", ["data.stride=32"])))[0],
    ]
    assert len({before, *(other.key for other in others)}) == 4
    renamed = cells_of(grid.parse(changed("protocols.0.changes", ["name=other"])))[0]
    assert renamed.key == before  # a name changes nothing
    monkeypatch.setattr("tinyhar.__version__", "99")
    assert cells_of(small())[0].key != before


def test_patterns_add_up_among_protocols_and_narrow_by_method() -> None:
    cells = cells_of(small())

    def chosen(*patterns: str) -> set[tuple[str, str]]:
        return {(c.protocol, c.method) for c in select(cells, patterns)}

    assert {p for p, _ in chosen("wrist")} == {"wrist"}
    assert {m for _, m in chosen("none", "f*")} == {"none", "fitnet", "forest"}
    assert chosen("demo", "gmp") == {("demo", "gmp")}
    assert len(select(cells, [])) == len(cells)
    with pytest.raises(RecipeError, match=r"--only wirst.*did you mean 'wrist'"):
        select(cells, ["wrist", "wirst"])


def test_the_league_has_what_it_promises() -> None:
    one, origin = league()
    cells = expand(one, origin)
    columns = {(c.protocol, c.size) for c in cells if c.group == "distillation"}
    assert columns == {
        *(("hapt", 15000), ("hapt", 1500), ("motionsense", 15000)),
        *(("spsw-watch", 15000), ("dsads-wrist", 15000)),
    }
    methods = {c.method for c in cells if c.group == "distillation"}
    assert methods == {"none", "hinton", "fitnet", "at", "sp", "rkd", "smldist"}
    same = {column: next(c for c in cells if (c.protocol, c.size) == column) for column in columns}
    for cell in cells:
        if cell.group == "distillation":
            assert cell.recipe.distillation.method == cell.method
            assert cell.recipe.student == same[cell.protocol, cell.size].recipe.student
            assert cell.recipe.teacher_seed == 1  # one teacher for all seeds
        else:
            assert not cell.needs_teacher
    for (protocol, size), cell in same.items():
        channels, classes = 6, 19 if protocol == "dsads-wrist" else 6
        shape = (cell.recipe.data.window, channels, classes)
        student = build(cell.recipe.student, shape, seed=1)
        assert 0.9 * size < models.total_cost(student).parameters <= size
    people = {m: {c.fold for c in cells if c.protocol == "dsads-wrist" and c.method == m}
              for m in ("none", "hinton", "smldist", "rkd", "forest")}  # fmt: skip
    everybody = set("1234567")
    assert people["none"] == people["hinton"] == people["smldist"] == everybody
    assert people["rkd"] == people["forest"] == {"5", "6", "7"}
    assert {c.seed for c in cells} == {1, 2, 3}


def test_a_grid_names_recipes_that_lie_beside_it(tmp_path: Path) -> None:
    demo = settings.to_toml(recipes.changed(recipes.load("demo"), ["data.stride=16"]))
    (tmp_path / "mine.toml").write_text(demo)
    one = grid.parse(changed("protocols.0.recipe", "mine.toml"))
    assert expand(one, tmp_path / "grid.toml")[0].recipe.data.stride == 16


def test_the_grid_of_tsaks_targets_can_be_done() -> None:
    cells = expand(grid.load("tsak"), grid.find("tsak"))
    assert {c.fold for c in cells if c.method == "none"} == {None, *"1234567"}
    first = {(c.protocol, c.method): c for c in reversed(cells)}
    assert len(first) == 20
    for cell in first.values():
        work.check(cell)
    keys = {work.teacher_key(cell) for cell in cells if cell.needs_teacher}
    alone = {work.teacher_key(c) for c in cells if c.needs_teacher and c.method != "ensemble"}
    assert len(alone) == 15  # one for each person left out of two protocols, one for the third
    assert len(keys - alone) == 4
