"""Real cells, as small as they can be: a shared teacher, a student, a float network, a forest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench.grids import Diary, cells_of
from tinyhar.bench import grid, run, work
from tinyhar.bench.cells import Cell
from tinyhar.bench.store import Store
from tinyhar.bench.work import Place
from tinyhar.bench.workers import Alone
from tinyhar.errors import DataError, ModelError
from tinyhar.pipeline.folder import RunFolder

EPOCH = [f"{part}.training.epochs=1" for part in ("teacher", "student", "pruning")]
TINY: dict[str, Any] = {
    "name": "tiny",
    "seeds": [1],
    "protocols": [
        {
            "name": "demo",
            "recipe": "demo",
            "changes": [
                *EPOCH,
                "quantisation.method=ptq",
                "teacher.architecture=separable",
                "teacher.options={depth=1}",
            ],
        }
    ],
    "methods": [
        {
            "name": "hinton",
            "changes": ['pruning={method="none"}', "student.options={depth=1, width=0.25}"],
        },
        {
            "name": "tinier_har",
            "group": "architecture",
            "arithmetic": "float",
            "changes": ["student.architecture=tinier_har", "distillation.method=none"],
        },
        {"name": "forest", "group": "forest"},
    ],
}


@dataclass(frozen=True)
class Done:
    out: Path
    cells: list[Cell]
    diary: Diary
    records: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("bench")
    tiny = grid.parse(TINY)
    cells = cells_of(tiny, quick=True)
    store, diary = Store(out), Diary()
    store.begin(tiny, cells, quick=True, command="tinyhar bench --quick")
    run.check_networks(cells)
    run.do(cells, Place(out, None), store, Alone(), diary)
    assert store.failures() == {}
    return Done(out, cells, diary, {r["method"]: r for r in store.records()})


def test_every_kind_of_cell_leaves_a_record(done: Done) -> None:
    assert set(done.records) == {"hinton", "tinier_har", "forest"}
    for record in done.records.values():
        judged = record["int8"] or record["float"]
        assert 0 <= judged["macro_f1"] <= 1 and len(judged["class_f1"]) == len(record["classes"])
        assert set(judged["subject_f1"]) == set(record["split"]["test"])
        assert record["parameters"] > 0 and record["seconds"] > 0
        assert record["quick"] is True
    forest = done.records["forest"]
    assert forest["float"]["macro_f1"] > 0.5  # easy movement: chance is 0.13
    assert (forest["int8"], forest["macs"], forest["device"]) == (None, None, None)
    network = done.records["tinier_har"]
    assert network["int8"] is None and network["macs"] > 0
    student = done.records["hinton"]
    assert student["device"]["flash_bytes"] > 1000 and student["teacher_f1"] is not None


def test_test_people_are_the_recipes_and_nobody_elses(done: Done) -> None:
    for cell in done.cells:
        split = done.records[cell.method]["split"]
        assert tuple(split["test"]) == cell.recipe.split.test
        sides = [set(split[side]) for side in ("train", "validation", "test")]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def test_the_teacher_stays_and_the_runs_go(done: Done) -> None:
    (teacher,) = (done.out / "teachers").iterdir()
    assert (teacher / "teacher" / "model.keras").is_file()
    assert not any((done.out / "runs").iterdir())
    assert done.diary.jobs.count("demo, teacher, seed 1") == 1


def test_a_cell_can_be_done_again_and_says_the_same(done: Done, tmp_path: Path) -> None:
    (cell,) = (c for c in done.cells if c.method == "forest")
    again = work.make(cell, Place(tmp_path, None, keep=True))
    first = done.records["forest"]
    assert again["float"] == first["float"]
    assert (tmp_path / "runs" / cell.id / "data" / "windows.npz").is_file()


def test_a_cell_takes_its_teacher_and_does_not_train_it(done: Done, tmp_path: Path) -> None:
    (cell,) = (c for c in done.cells if c.method == "hinton")
    with pytest.raises(DataError, match=r"teach|prepare"):
        work.make(cell, Place(tmp_path, None))  # no teacher there
    folder = RunFolder(tmp_path / "adopted")
    folder.adopt(RunFolder(Place(done.out, None).teacher(cell)), work.SHARED)
    stage = json.loads((folder / "stages/teach.json").read_text())
    assert stage["key"] == work.teacher_key(cell)


def test_networks_that_cannot_be_are_named_before_any_work() -> None:
    wrong = {**TINY["methods"][1], "changes": ["student.architecture=tinier_hat"]}
    cells = cells_of(grid.parse({**TINY, "methods": [wrong]}))
    with pytest.raises(ModelError, match=r"method 'tinier_har'.*tinier_hat.*did you mean"):
        run.check_networks(cells)
    unfit = {**TINY["methods"][1], "arithmetic": "int8"}
    cells = cells_of(grid.parse({**TINY, "methods": [unfit]}))
    with pytest.raises(ModelError, match=r"method 'tinier_har'.*cannot be a band's student"):
        run.check_networks(cells)


def test_missing_recordings_are_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    protocol = {"name": "mine", "recipe": "motionsense"}
    cells = cells_of(grid.parse({**TINY, "protocols": [*TINY["protocols"], protocol]}))
    for data in (None, tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"protocol 'mine'.*--only"):
            run.check_data(cells, data)
    run.check_data([c for c in cells if c.protocol == "demo"], None)
