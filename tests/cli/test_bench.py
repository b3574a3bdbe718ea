"""``tinyhar bench``: wrong input is one line, a run goes on where it was, the table is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bench.records import record_of
from tests.cli.test_main import status_of
from tinyhar.bench import work
from tinyhar.bench.cells import Cell
from tinyhar.bench.store import Store
from tinyhar.bench.work import Place
from tinyhar.bench.workers import has_ray
from tinyhar.cli.status import BAD_INPUT, BAD_VERDICT, INTERRUPTED

GRID = """
name = "mine"
seeds = [1, 2]

[[protocols]]
name = "demo"
recipe = "demo"
sizes = [3000]

[[methods]]
name = "none"
changes = ["distillation.method=none"]

[[methods]]
name = "hinton"

[[methods]]
name = "forest"
group = "forest"
"""


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    (tmp_path / "mine.toml").write_text(GRID)
    (tmp_path / "empty").mkdir()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cells that were done, by pretending."""
    done: list[str] = []

    def make(cell: Cell, place: Place) -> dict[str, Any]:
        done.append(f"{cell.method} {cell.seed}")
        return record_of(cell, {"none": 0.8, "hinton": 0.9}.get(cell.method, 0.7))

    monkeypatch.setattr(work, "make", make)
    monkeypatch.setattr(work, "teach", lambda cell, place: {})
    monkeypatch.setattr(work, "check", lambda cell: None)
    return done


RUN = ("bench", "--grid", "mine.toml", "--workers", "0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--grid", "leage"], ["leage: no such grid", "league"]),
        (["--grid", "bad.toml"], ["bad.toml", "did you mean 'seeds'?"]),
        (["--only", "hap"], ["--only hap", "did you mean 'hapt'?"]),
        ([], ["protocol 'hapt'", "--data", "TINYHAR_DATA", "--only"]),
        (["--data", "nowhere"], ["protocol 'hapt'", "nowhere", "--only"]),
        (
            ["--data", "empty", "--only", "spsw-watch"],
            ["protocol 'spsw-watch'", "not under", "tinyhar data fetch spsw", "--only"],
        ),
        (["--grid", "mine.toml", "--out", "mine.toml/x"], ["mine.toml/x", "cannot be written"]),
        (["table", "nowhere"], ["nowhere/bench.json", "not there"]),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    arguments: list[str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bad.toml").write_text(GRID.replace("seeds", "sedes"))
    assert status_of(monkeypatch, "bench", *arguments) == BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


@pytest.mark.skipif(not has_ray(), reason="Ray is not installed")
def test_a_cluster_that_does_not_answer_is_named(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--address", "127.0.0.1:1")
    assert status_of(monkeypatch, "bench", "--grid", "mine.toml", *where) == BAD_INPUT
    assert "error: --address 127.0.0.1:1: no cluster answers" in capsys.readouterr().err
    assert made == []


def test_a_folder_at_work_is_left_alone(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(Path("bench").resolve()).held():
        assert status_of(monkeypatch, *RUN) == BAD_INPUT
    assert "another run is at work here" in capsys.readouterr().err
    assert made == []


def test_a_bench_prints_its_table_and_is_not_done_again(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, *RUN) == 0
    assert made == ["none 1", "hinton 1", "forest 1", "none 2", "hinton 2", "forest 2"]
    told = capsys.readouterr()
    rows = [line.split()[:2] for line in told.out.splitlines() if line.strip()]
    assert ["hinton", "0.900±.000"] in rows and ["forest", "0.702±.000"] in rows
    assert "8/8" in told.err  # six cells and two teachers
    for name in ("league.html", "league.md", "table.csv"):
        assert (Path("bench") / name).stat().st_size > 100
    assert "tinyhar bench --grid mine.toml" in Path("bench/league.md").read_text()

    made.clear()
    assert status_of(monkeypatch, *RUN, "--seed", "2", "--seed", "3") == 0
    assert made == ["none 3", "hinton 3", "forest 3"]
    assert "3 of 6 cells are kept" in capsys.readouterr().err

    assert status_of(monkeypatch, "bench", "table") == 0
    assert "hinton" in capsys.readouterr().out


def test_only_some_of_it(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(monkeypatch, *RUN, "--only", "forest", "--seed", "1") == 0
    assert made == ["forest 1"]
    assert status_of(monkeypatch, *RUN, "--only", "none", "--seed", "1") == 0
    assert made == ["forest 1", "none 1"]
    told = capsys.readouterr().out
    assert "forest" in told and "none" in told and "hinton" not in told


def test_failed_cells_are_told_at_the_end(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = work.make

    def make(cell: Cell, place: Place) -> dict[str, Any]:
        if (cell.method, cell.seed) == ("hinton", 2):
            raise RuntimeError("a bad day")
        return whole(cell, place)

    monkeypatch.setattr(work, "make", make)
    assert status_of(monkeypatch, *RUN) == BAD_VERDICT
    told = capsys.readouterr().err
    assert "1 cells failed" not in told
    assert "1 cell failed" in told and "RuntimeError: a bad day" in told
    made.clear()
    monkeypatch.setattr(work, "make", whole)
    assert status_of(monkeypatch, *RUN) == 0
    assert made == ["hinton 2"]


def test_ctrl_c_keeps_what_is_finished(
    made: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = work.make

    def make(cell: Cell, place: Place) -> dict[str, Any]:
        if cell.method == "forest":
            raise KeyboardInterrupt
        return whole(cell, place)

    monkeypatch.setattr(work, "make", make)
    assert status_of(monkeypatch, *RUN) == INTERRUPTED
    assert "the same command goes on from here" in capsys.readouterr().err
    assert len(Path("bench/table.csv").read_text().splitlines()) == 1 + 2
    made.clear()
    monkeypatch.setattr(work, "make", whole)
    assert status_of(monkeypatch, *RUN) == 0
    assert made[0] == "forest 1" and len(made) == 4
