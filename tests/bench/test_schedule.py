"""Every teacher once and before its cells; what fails or dies costs itself and nothing else."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bench.grids import Diary, cells_of, small
from tests.bench.records import record_of
from tinyhar.bench import run, work
from tinyhar.bench.cells import Cell
from tinyhar.bench.schedule import do_all, jobs_for
from tinyhar.bench.store import Store
from tinyhar.bench.work import Place
from tinyhar.bench.workers import Alone, Ending
from tinyhar.errors import DataError


class Flaky(Alone):
    """Workers that die on some jobs, some times; two at a time."""

    slots = 2

    def __init__(self, deaths: dict[str, int]) -> None:
        super().__init__()
        self.deaths = deaths

    def wait(self) -> Ending:
        job = self._given[0][0]
        if self.deaths.get(job, 0):
            self.deaths[job] -= 1
            self._given.pop(0)
            return Ending(job, error="its worker died", lost=True)
        return super().wait()


class Pretended:
    """Work that only writes down that it was done."""

    def __init__(self) -> None:
        self.taught: list[str] = []
        self.made: list[str] = []
        self.fails: Callable[[Cell], bool] = lambda cell: False

    def teach(self, cell: Cell, place: Place) -> dict[str, Any]:
        if self.fails(cell):
            raise DataError("the teacher is ill")
        self.taught.append(work.teacher_key(cell))
        return {}

    def make(self, cell: Cell, place: Place) -> dict[str, Any]:
        if cell.needs_teacher:
            assert work.teacher_key(cell) in self.taught
        if self.fails(cell):
            raise ValueError("first line\nsecond line")
        self.made.append(cell.id)
        return record_of(cell, 0.9)


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    one = Pretended()
    monkeypatch.setattr(work, "teach", one.teach)
    monkeypatch.setattr(work, "make", one.make)
    return one


def done(cells: list[Cell], out: Path, workers: Alone | None = None) -> tuple[Store, Diary]:
    grid, store, diary = small(), Store(out), Diary()
    store.begin(grid, cells, quick=False, command="tinyhar bench")
    with workers or Alone() as at_work:
        do_all(jobs_for(cells, Place(out, None)), at_work, store, diary)
    return store, diary


def test_cells_with_the_same_teacher_share_it(tmp_path: Path, pretended: Pretended) -> None:
    cells = cells_of(small())
    store, diary = done(cells, tmp_path)
    assert sorted(pretended.made) == sorted(cell.id for cell in cells)
    assert len(store.records()) == len(cells)
    # two seeds: demo's teacher serves both sizes, the wrist has one for each person left out
    assert max(Counter(pretended.taught).values()) == 1
    assert len(pretended.taught) == 2 * (1 + 3)
    teachers = [title for title in diary.jobs if "teacher" in title]
    assert len(teachers) == len(set(teachers)) == 8


def test_teachers_of_other_seeds_people_and_data_are_others() -> None:
    cells = [c for c in cells_of(small()) if c.method == "smldist"]
    keys = {work.teacher_key(c): (c.protocol, c.fold, c.seed) for c in cells}
    assert len(keys) == len({(c.protocol, c.fold, c.seed) for c in cells}) == 8


def test_who_needs_no_teacher_does_not_wait(tmp_path: Path, pretended: Pretended) -> None:
    cells = [c for c in cells_of(small()) if c.protocol == "demo" and c.seed == 1]
    waits = Flaky({})
    started: list[str] = []

    class Watch(Diary):
        def ended(self, job: Any, ending: Ending) -> None:
            super().ended(job, ending)
            started.append(job.title)

    grid, store = small(), Store(tmp_path)
    store.begin(grid, cells, quick=False, command="")
    diary = Watch()
    with waits as at_work:
        do_all(jobs_for(cells, Place(tmp_path, None)), at_work, store, diary)
    teacher = diary.started_jobs.index("demo, teacher, seed 1")
    assert diary.started_jobs.index("demo 3k, none, seed 1") < teacher
    # beside the teacher, a cell without one; not one that waits for it
    assert diary.started_jobs[teacher + 1] == "demo, gmp, seed 1"


def test_a_failed_cell_is_told_and_tried_again_at_the_next_start(
    tmp_path: Path, pretended: Pretended
) -> None:
    cells = [c for c in cells_of(small()) if c.protocol == "demo" and c.seed == 1]
    pretended.fails = lambda cell: cell.method == "none" and cell.size == 1500
    store, diary = done(cells, tmp_path)
    (bad,) = (c for c in cells if pretended.fails(c))
    assert store.failures() == {bad.id: "ValueError: first line"}
    assert len(store.records()) == len(cells) - 1
    assert diary.endings[bad.title].error == "ValueError: first line"
    assert "second line" in (tmp_path / "failed" / f"{bad.id}.json").read_text()
    pretended.fails, pretended.made = (lambda cell: False), []
    again = [c for c in cells if store.finished(c.id) is None]
    store, _ = done(again, tmp_path)
    assert pretended.made == [bad.id]
    assert store.failures() == {}


def test_a_failed_teacher_fails_its_cells_by_name_and_no_others(
    tmp_path: Path, pretended: Pretended
) -> None:
    cells = [c for c in cells_of(small()) if c.seed == 1]
    pretended.fails = lambda cell: cell.protocol == "demo" and cell.needs_teacher
    store, _ = done(cells, tmp_path)
    failures = store.failures()
    assert set(failures) == {c.id for c in cells if pretended.fails(c)}
    assert set(failures.values()) == {"its teacher failed: the teacher is ill"}


def test_a_job_whose_worker_died_is_given_once_more(tmp_path: Path, pretended: Pretended) -> None:
    cells = [c for c in cells_of(small()) if c.protocol == "demo" and c.seed == 1]
    once, always = cells[0], cells[1]
    store, diary = done(cells, tmp_path, Flaky({once.id: 1, always.id: 9}))
    assert diary.tried_again == [once.title, always.title]
    assert store.failures() == {always.id: "its worker died"}
    assert len(store.records()) == len(cells) - 1


def bench_slowly(out: Path, seconds: float) -> None:
    """A whole bench whose cells only wait; each leaves a line when it begins."""

    def make(cell: Cell, place: Place) -> dict[str, Any]:
        with (place.out / "made").open("a") as file:
            file.write(f"{cell.id}\n")
        time.sleep(seconds)
        return record_of(cell, 0.9)

    work.make, work.teach = make, lambda cell, place: {}
    grid = small(seeds=[1])
    store, cells = Store(out), cells_of(grid)
    with store.held():
        store.begin(grid, cells, quick=False, command="")
        run.do(run.to_do(cells, store), Place(out, None), store, Alone(), Diary())


def test_killing_the_run_loses_only_the_cell_under_way(tmp_path: Path) -> None:
    another = multiprocessing.get_context("fork")
    process = another.Process(target=bench_slowly, args=(tmp_path, 0.2))
    process.start()
    end = time.monotonic() + 60
    while len(list((tmp_path / "cells").glob("[!.]*.json"))) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.join()
    kept = {path.stem for path in (tmp_path / "cells").glob("[!.]*.json")}
    begun = (tmp_path / "made").read_text().split()
    everything = {cell.id for cell in cells_of(small(seeds=[1]))}
    assert 3 <= len(kept) < len(everything)
    assert len(set(begun) - kept) <= 1  # the one under way
    process = another.Process(target=bench_slowly, args=(tmp_path, 0.0))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    again = (tmp_path / "made").read_text().split()[len(begun) :]
    assert set(again) == everything - kept
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 1 + len(everything)
