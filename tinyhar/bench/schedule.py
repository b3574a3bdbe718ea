"""The order of work: every teacher once and before its cells, nothing waiting without need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tinyhar.bench import work
from tinyhar.bench.cells import Cell
from tinyhar.bench.store import Store
from tinyhar.bench.work import Place
from tinyhar.bench.workers import Ending, Work, Workers

TRIES = 2
"""How often a job is given to a worker before its death counts as the job's own failure."""


@dataclass(frozen=True)
class Job:
    """A teacher or a cell to be done.

    Attributes:
        needs: name of the teacher's job that must have ended well first.
        cell: whose record the job makes; None for a teacher.
    """

    name: str
    title: str
    work: Work
    needs: str | None = None
    cell: Cell | None = None


class Watcher(Protocol):
    """Somebody who watches a bench."""

    def begin(self, jobs: Sequence[Job], workers: int) -> None:
        """So much is to be done."""

    def started(self, job: Job) -> None:
        """A worker has it."""

    def ended(self, job: Job, ending: Ending) -> None:
        """It is done, or failed."""

    def again(self, job: Job, why: str) -> None:
        """Its worker died; another one tries."""


def jobs_for(cells: Sequence[Cell], place: Place) -> list[Job]:
    """A job for each cell, and before the first that needs it one for each teacher."""
    jobs: dict[str, Job] = {}
    for cell in cells:
        needs = None
        if cell.needs_teacher:
            needs = f"teacher {work.teacher_key(cell)}"
            fold = f", without {cell.fold}" if cell.fold else ""
            title = f"{cell.protocol}, teacher{fold}, seed {cell.seed}"
            jobs.setdefault(needs, Job(needs, title, partial(work.teach, cell, place)))
        jobs[cell.id] = Job(cell.id, cell.title, partial(work.make, cell, place), needs, cell)
    return list(jobs.values())


def do_all(jobs: Sequence[Job], workers: Workers, store: Store, watcher: Watcher) -> None:
    """Do every job, in order as far as teachers allow; each finished cell is kept at once.

    A failed job is written down and the others go on. Whatever interrupts this loses the jobs
    under way, nothing else.

    Raises:
        DataError: a record cannot be written.
    """
    watcher.begin(jobs, workers.slots)
    waiting = list(jobs)
    running: dict[str, Job] = {}
    tried: dict[str, int] = {}
    good: dict[str, bool] = {}
    errors: dict[str, str] = {}
    there = {job.name for job in jobs}

    def end(job: Job, ending: Ending) -> None:
        good[job.name], errors[job.name] = ending.record is not None, ending.error
        _keep(job, ending, store)
        watcher.ended(job, ending)

    def ready(job: Job) -> bool:
        return job.needs is None or job.needs not in there or job.needs in good

    while waiting or running:
        while len(running) < workers.slots and (job := next(filter(ready, waiting), None)):
            waiting.remove(job)
            if job.needs in good and not good[job.needs]:
                end(job, Ending(job.name, error=f"its teacher failed: {errors[job.needs]}"))
                continue
            watcher.started(job)
            workers.submit(job.name, job.work)
            running[job.name] = job
        if not running:
            continue
        ending = workers.wait()
        job = running.pop(ending.job)
        tried[job.name] = tried.get(job.name, 0) + 1
        if ending.lost and tried[job.name] < TRIES:
            watcher.again(job, ending.error)
            waiting.insert(0, job)
        else:
            end(job, ending)


def _keep(job: Job, ending: Ending, store: Store) -> None:
    if job.cell is None:
        return
    if ending.record is not None:
        store.keep(ending.record)
        store.write_table()
    else:
        store.lament(job.cell.id, ending.error, ending.trace)
