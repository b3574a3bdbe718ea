"""Small grids, and somebody who watches without a terminal."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyhar.bench import grid
from tinyhar.bench.cells import Cell, expand
from tinyhar.bench.grid import Grid
from tinyhar.bench.schedule import Job
from tinyhar.bench.workers import Ending

TABLE: dict[str, Any] = {
    "name": "small",
    "seeds": [1, 2],
    "focus": "smldist",
    "quick": {"seeds": [7], "changes": ["quantisation.method=ptq"]},
    "protocols": [
        {
            "name": "demo",
            "recipe": "demo",
            "sizes": [3000, 1500],
            "by_size": {"1500": ["student.options.width=0.4"]},
        },
        {
            "name": "wrist",
            "recipe": "dsads-wrist",
            "folds": ["1", "5", "6"],
            "fewer": {"fitnet": ["5", "6"]},
        },
    ],
    "methods": [
        {"name": "none", "changes": ["distillation.method=none"]},
        {"name": "fitnet", "changes": ["distillation.method=fitnet"]},
        {"name": "smldist", "changes": ["distillation.method=smldist"]},
        {
            "name": "gmp",
            "group": "architecture",
            "changes": [
                "student.architecture=gmp",
                "distillation.method=none",
                'pruning={method="none"}',
            ],
        },
        {"name": "forest", "group": "forest"},
    ],
}


def small(**changes: Any) -> Grid:
    """The grid of `TABLE` with other values at its top."""
    return grid.parse({**copy.deepcopy(TABLE), **changes})


def league() -> tuple[Grid, Path]:
    """The built-in grid and its file."""
    return grid.load("league"), grid.find("league")


def cells_of(one: Grid, **options: Any) -> list[Cell]:
    return expand(one, "small.toml", **options)


@dataclass
class Diary:
    """A watcher that remembers."""

    jobs: list[str] = field(default_factory=list)
    started_jobs: list[str] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    tried_again: list[str] = field(default_factory=list)

    def begin(self, jobs: Sequence[Job], workers: int) -> None:
        self.jobs = [job.title for job in jobs]

    def started(self, job: Job) -> None:
        self.started_jobs.append(job.title)

    def ended(self, job: Job, ending: Ending) -> None:
        self.endings[job.title] = ending

    def again(self, job: Job, why: str) -> None:
        self.tried_again.append(job.title)
