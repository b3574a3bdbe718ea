"""Standings against means and spreads worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.bench.grids import cells_of, league, small
from tests.bench.records import plausible, record_of
from tinyhar.bench import tables
from tinyhar.bench.cells import Cell, expand
from tinyhar.bench.grid import Grid
from tinyhar.bench.league import League
from tinyhar.bench.store import Store


def standing_league(
    out: Path, grid: Grid, cells: list[Cell], score: Callable[[Cell], float | None]
) -> League:
    store = Store(out)
    store.begin(grid, cells, quick=False, command="tinyhar bench")
    for cell in cells:
        f1 = score(cell)
        if f1 is not None:
            store.keep(record_of(cell, f1))
    return League(store.asked(), store.records())


def by_rule(cell: Cell) -> float:
    """0.6 for no teacher, more with one; seeds a hundredth apart, people five hundredths."""
    method = {"none": 0.60, "fitnet": 0.65, "smldist": 0.70}.get(cell.method, 0.5)
    person = {None: 0.0, "1": -0.05, "5": 0.0, "6": 0.05}[cell.fold]
    return method + 0.01 * cell.seed + person


@pytest.fixture
def small_league(tmp_path: Path) -> League:
    return standing_league(tmp_path, small(), cells_of(small()), by_rule)


def test_columns_are_protocol_size_and_the_people_whom_all_methods_meet(
    small_league: League,
) -> None:
    told = [(c.title, c.folds, c.main) for c in small_league.columns]
    assert told == [
        ("demo 3k", (None,), True),
        ("demo 1.5k", (None,), True),
        ("wrist", ("5", "6"), True),
        ("wrist", ("1", "5", "6"), False),
    ]
    assert [c.title for c in small_league.own_columns] == ["demo", "wrist"]
    assert small_league.own_columns[1].folds == ("1", "5", "6")


def test_mean_and_spread_are_over_seeds(small_league: League) -> None:
    demo = small_league.columns[0]
    standing = small_league.standing("none", demo)
    assert standing is not None
    assert standing.by_seed == pytest.approx({1: 0.61, 2: 0.62})
    assert standing.seeds.mean == pytest.approx(0.615)
    assert standing.seeds.std == pytest.approx(np.std([0.61, 0.62], ddof=1))
    assert standing.missing == 0


def test_people_left_out_are_averaged_before_the_spread_over_seeds(small_league: League) -> None:
    some, everybody = small_league.columns[2], small_league.columns[3]
    standing = small_league.standing("none", some)
    assert standing is not None
    # seed 1: (0.61 + 0.66) / 2, seed 2: (0.62 + 0.67) / 2
    assert standing.by_seed == pytest.approx({1: 0.635, 2: 0.645})
    assert standing.seeds.std == pytest.approx(0.01 / np.sqrt(2))
    # people 5 and 6, each over both seeds: 0.615 and 0.665
    assert standing.people.mean == pytest.approx(0.64)
    assert standing.people.std == pytest.approx(0.05 / np.sqrt(2))
    whole = small_league.standing("none", everybody)
    assert whole is not None and whole.seeds.mean == pytest.approx(0.615)
    assert small_league.standing("fitnet", everybody) is None  # fewer people: never mixed


def test_a_seed_without_all_its_people_is_not_counted(tmp_path: Path) -> None:
    def most(cell: Cell) -> float | None:
        gone = (cell.method, cell.fold, cell.seed) == ("smldist", "6", 2)
        return None if gone else by_rule(cell)

    one = standing_league(tmp_path, small(), cells_of(small()), most)
    standing = one.standing("smldist", one.columns[2])
    assert standing is not None
    assert list(standing.by_seed) == [1] and standing.missing == 1
    table = tables.students(one)
    assert table is not None
    row = next(row for row in table.rows if row[0].text == "smldist")
    assert row[3].text == "0.735*"
    assert any("not all seeds" in note for note in table.notes)


def test_pairs_are_of_the_same_seed_and_people(small_league: League) -> None:
    found = small_league.comparisons("smldist")
    assert set(found) == {"none", "fitnet"}
    over, gaps = found["fitnet"]
    assert over.pairs == 3 * 2  # main columns by seeds
    assert over.mean == pytest.approx(0.05)
    assert [gap.mean for gap in gaps] == pytest.approx([0.05] * 3)
    assert found["none"][0].mean == pytest.approx(0.10)


def test_methods_are_ranked_over_columns_and_over_people(small_league: League) -> None:
    ranked = small_league.ranking(by_people=False)
    assert ranked is not None
    methods, ranking = ranked
    assert [m.name for m in methods] == ["none", "fitnet", "smldist"]
    assert ranking.ranks == (3, 2, 1) and ranking.blocks == 3
    by_people = small_league.ranking(by_people=True)
    assert by_people is not None
    assert by_people[1].blocks == 3 + 2  # demo's three, whatever the size, two of the wrist's


def test_a_method_without_a_column_is_not_ranked_and_named(tmp_path: Path) -> None:
    def score(cell: Cell) -> float | None:
        return None if (cell.method, cell.size) == ("fitnet", 1500) else by_rule(cell)

    one = standing_league(tmp_path, small(), cells_of(small()), score)
    ranked = one.ranking(by_people=False)
    assert ranked is not None and [m.name for m in ranked[0]] == ["none", "smldist"]
    assert one.mean("fitnet") is None
    table = tables.students(one)
    assert table is not None and any("Not ranked" in n and "fitnet" in n for n in table.notes)


def test_the_focus_is_the_grids_or_the_best(tmp_path: Path) -> None:
    one = standing_league(tmp_path / "a", small(), cells_of(small()), by_rule)
    assert one.focus is not None and one.focus.name == "smldist"
    grid = small(focus=None)
    other = standing_league(tmp_path / "b", grid, cells_of(grid), lambda c: 1 - by_rule(c))
    assert other.focus is not None and other.focus.name == "none"


def test_float_networks_are_scored_in_float_and_marked(tmp_path: Path) -> None:
    grid, origin = league()
    one = standing_league(tmp_path, grid, expand(grid, origin), plausible)
    table = tables.others(one)
    assert table is not None
    names = [row[0].text for row in table.rows]
    assert names[:3] == ["DeepConvLSTM (float)", "TinierHAR (float)", "self-attention (float)"]
    assert "IGN" in names and "random forest" in names
    column = one.own_columns[0]
    standing = one.standing("self_attention", column)
    record = next(r for r in one.records if (r["method"], r["seed"]) == ("self_attention", 1))
    assert standing is not None and record["int8"] is None
    assert standing.by_seed[1] == record["float"]["macro_f1"]


def test_the_best_of_each_column_is_marked(small_league: League) -> None:
    table = tables.students(small_league)
    assert table is not None
    marks = {row[0].text: [cell.best for cell in row[1:6]] for row in table.rows}
    assert marks == {"none": [False] * 5, "fitnet": [False] * 5, "smldist": [True] * 5}
    assert table.headings == (
        *("method", "demo\n3k", "demo\n1.5k", "wrist\npeople 5 6", "wrist\npeople 1 5 6"),
        *("mean", "rank"),
    )


def test_the_comparison_counts_columns_ahead_level_and_behind(tmp_path: Path) -> None:
    def score(cell: Cell) -> float:
        if cell.method == "fitnet" and cell.size == 3000:
            return 0.9  # ahead of smldist
        if cell.method == "fitnet" and cell.size == 1500:
            return 0.71 if cell.seed == 1 else 0.72  # seeds differ as smldist's do: level
        return by_rule(cell)

    table = tables.comparison(standing_league(tmp_path, small(), cells_of(small()), score))
    assert table is not None
    row = {r[0].text: [cell.text for cell in r] for r in table.rows}["fitnet"]
    assert row[5:] == ["1 / 1 / 1", "6"]
