"""A bench's folder: what is finished stays, what is half there does not count."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.bench.grids import cells_of, small
from tests.bench.records import record_of
from tinyhar.bench import run
from tinyhar.bench.store import COLUMNS, Store, table_csv
from tinyhar.errors import DataError


def begun(out: Path) -> tuple[Store, list]:
    store, grid = Store(out), small()
    cells = cells_of(grid)
    store.begin(grid, cells, quick=False, command="tinyhar bench")
    return store, cells


def test_a_finished_cell_is_kept_and_not_done_again(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    assert run.to_do(cells, store) == cells
    store.keep(record_of(cells[0], 0.9))
    again = Store(tmp_path)
    assert run.to_do(cells, again) == cells[1:]
    assert [r["id"] for r in again.records()] == [cells[0].id]


def test_half_a_record_counts_as_none(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    store.keep(record_of(cells[0], 0.9))
    path = tmp_path / "cells" / f"{cells[0].id}.json"
    path.write_text(path.read_text()[:100])
    assert run.to_do(cells, store) == cells


def test_a_failure_is_told_until_the_cell_succeeds(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    store.lament(cells[1].id, "out of luck", "Traceback ...")
    assert store.failures() == {cells[1].id: "out of luck"}
    assert cells[1] in run.to_do(cells, store)
    store.keep(record_of(cells[1], 0.9))
    assert store.failures() == {}
    assert not list((tmp_path / "failed").glob("*"))


def test_records_of_another_grid_are_left_out(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    store.keep(record_of(cells[0], 0.9))
    other = cells_of(small(seeds=[9]))[0]
    store.keep(record_of(other, 0.1))
    assert [r["id"] for r in store.records()] == [cells[0].id]


def test_the_table_has_a_row_for_each_finished_cell(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    chosen = [cells[0], next(c for c in cells if c.fold), next(c for c in cells if c.size is None)]
    forest = next(c for c in cells if c.arithmetic == "forest")
    for number, cell in enumerate([*chosen, forest]):
        store.keep(record_of(cell, 0.9 + number / 100))
    rows = list(csv.DictReader(io.StringIO(store.write_table().read_text())))
    assert len(rows) == len(store.records()) == 4
    assert tuple(rows[0]) == COLUMNS
    by_id = {row["id"]: row for row in rows}
    row = by_id[chosen[0].id]
    assert (row["protocol"], row["method"], row["size"], row["seed"]) == (
        "demo",
        "none",
        "3000",
        "1",
    )
    assert float(row["int8_macro_f1"]) == 0.9
    assert json.loads(row["subject_f1"])["synthetic-10"] == 0.9
    assert row["test_subjects"].split()[0] == "synthetic-10"
    assert by_id[chosen[1].id]["fold"] == by_id[chosen[1].id]["test_subjects"]
    assert by_id[forest.id]["int8_macro_f1"] == ""
    assert float(by_id[forest.id]["float_macro_f1"]) > 0.9


def test_an_empty_table_has_its_headings() -> None:
    assert table_csv([]).strip() == ",".join(COLUMNS)


def test_two_benches_never_share_a_folder(tmp_path: Path) -> None:
    with Store(tmp_path).held(), pytest.raises(DataError, match="another"), Store(tmp_path).held():
        pass


def test_a_disk_that_fails_is_named(tmp_path: Path) -> None:
    store, cells = begun(tmp_path)
    (tmp_path / "cells").write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written.*finished cells are kept"):
        store.keep(record_of(cells[0], 0.9))


def test_a_folder_without_a_bench_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bench\.json: not there"):
        Store(tmp_path).records()
    store, _ = begun(tmp_path)
    with pytest.raises(DataError, match="no cell is finished yet"):
        run.write(store)
