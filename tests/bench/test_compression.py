"""What each way to make a student smaller buys: one student, several ways, kept as files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.watching import shortest
from tinyhar import recipe
from tinyhar.band import cortex_m4
from tinyhar.bench import compression
from tinyhar.bench.compression import WAYS, Figures

FIGURES = Figures(0.9, 0.88, 15_000, 20_000, 18_000, 5_000, 600_000)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Every student that is asked for, none of them trained."""
    asked: list[tuple[str, str, int]] = []

    def make(way: compression.Way, run: Any, place: Path, **_: object) -> Figures:
        asked.append((way.name, run.name, run.seed))
        return replace(FIGURES, macro_f1=0.8 + 0.01 * run.seed + 0.1 * (way.name == "qat"))

    monkeypatch.setattr(compression, "_made", make)
    return asked


def quiet(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def test_a_row_is_a_mean_over_seeds_with_its_spread(
    made: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    rows = compression.compare(
        recipe.load("demo"), [1, 2, 3], tmp_path, data=None, quick=False, told=quiet
    )
    assert [row.way for row in rows] == list(WAYS)
    assert len(made) == 3 * len(WAYS)
    by_name = {row.way.name: row for row in rows}
    assert by_name["qat"].macro_f1.mean == pytest.approx(0.92)
    assert by_name["ptq"].macro_f1.std == pytest.approx(0.01)
    assert compression.cells(rows)[0][-1] == "0.8200 ± 0.0100"
    table = list(csv.DictReader(io.StringIO(compression.as_csv(rows))))
    assert [line["way"] for line in table] == [way.name for way in WAYS]
    assert float(table[0]["macro_f1"]) == pytest.approx(0.82)


def test_people_left_out_in_turn_are_one_seed(
    made: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    rows = compression.compare(
        recipe.load("dsads-wrist"), [1], tmp_path, data=None, quick=False, told=quiet
    )
    assert len(made) == 7 * len(WAYS)
    assert rows[0].macro_f1.n == 1


def test_a_way_sets_its_own_compression_and_keeps_the_recipes_trainings() -> None:
    changes = [
        "pruning.flash_bytes=9000",
        "pruning.training.epochs=7",
        "clustering.values=4",
        "quantisation.method=ptq",
    ]
    whole = recipe.changed(recipe.load("demo"), changes)
    made = {way.name: way.of(whole) for way in WAYS}
    for each in made.values():
        assert not each.pruning.budget
        assert each.pruning.training == whole.pruning.training
        assert each.student == whole.student
    assert [name for name, each in made.items() if each.clustering.values] == ["clustered", "both"]
    assert [name for name, each in made.items() if each.quantisation.method == "qat"] == ["qat"]
    assert made["least"].pruning.by == "sensitivity"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_ways_start_from_one_student_and_are_kept(tmp_path: Path) -> None:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")

    def compare(*changes: str) -> list[compression.Row]:
        whole = recipe.changed(shortest(), list(changes))
        return compression.compare(whole, [1], tmp_path, data=None, quick=True, told=quiet)

    rows = compare()
    by_name = {row.way.name: row.mean for row in rows}
    assert by_name["clustered"].model_bytes < 0.85 * by_name["ptq"].model_bytes
    assert by_name["zeros"].model_bytes == by_name["ptq"].model_bytes
    assert by_name["zeros"].sent_bytes < by_name["ptq"].sent_bytes
    assert by_name["least"].instructions < by_name["ptq"].instructions
    assert one_student(tmp_path)
    written = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    assert compare() == rows
    assert written == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.json")}
    compare("student.training.rate=1e-3")
    assert one_student(tmp_path)


def one_student(folder: Path) -> bool:
    files = sorted(folder.rglob("student/model.keras"))
    assert len(files) == len(WAYS)
    return len({file.read_bytes() for file in files}) == 1
