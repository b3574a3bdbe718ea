"""A search from samples to a front: every cost and every score is a file, so it can be resumed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tinyhar
from tinyhar import recipe as recipes
from tinyhar.band.budget import Budget
from tinyhar.bench.schedule import TRIES
from tinyhar.bench.workers import Work, Workers
from tinyhar.errors import DataError, ModelError, ToolError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe
from tinyhar.search import cost, halving, space
from tinyhar.search.cost import Cost
from tinyhar.search.space import Candidate

ASKED = "search.json"
RECORDINGS = "recordings.json"
"""What all figures of a folder depend on: what was asked for, and of which recordings."""

Told = Callable[[str, int, int], None]
"""(what is done, how many are, of how many)."""


@dataclass(frozen=True)
class Plan:
    """What is searched, and how hard.

    Attributes:
        windows: lengths to try, samples.
        candidates: how many students are costed.
        epochs: of the last rung's trainings.
        rungs: how often the field is thinned.
        validation: how many training people judge; the test people are not looked at.
    """

    recipe: Recipe
    budget: Budget
    out: Path
    data: Path | None
    windows: tuple[int, ...]
    candidates: int = 60
    epochs: int = 60
    rungs: int = 3
    validation: int = 4
    seed: int = 1

    def recipe_of(self, candidate: Candidate) -> Recipe:
        """A run of this student alone, on the recipe's own split."""
        stride = max(1, round(self.recipe.data.stride * candidate.window / self.recipe.data.window))
        changes = [
            *candidate.changes,
            f"data.window={candidate.window}",
            f"data.stride={stride}",
            'distillation={method="none"}',
            f"student.training.epochs={self.epochs}",
        ]
        return recipes.changed(self.recipe, changes, origin="search")

    def trial_of(self, candidate: Candidate) -> Recipe:
        """The same with people held out from training, who judge."""
        judges = [f"split.validation={self.validation}"]
        return recipes.changed(self.recipe_of(candidate), judges, origin="search")


@dataclass(frozen=True)
class Found:
    """What a search ends with; scores are of the last rung, on people held out from training."""

    costs: dict[Candidate, Cost]
    within: list[Candidate]
    scores: halving.Scores


def do(plan: Plan, workers: Workers, told: Told) -> Found:
    """Search.

    Raises:
        ModelError: no student meets the budget.
        ToolError: costs cannot be measured here, or the workers cannot be started.
        DataError: the recordings are not there, or the disk fails.
    """
    with RunFolder(plan.out).held():
        _claim(plan)
        return _do(plan, workers, told)


def _claim(plan: Plan) -> None:
    """Say whose folder it is; DataError when it holds the figures of another search."""
    asked = {
        "recipe": plan.recipe.model_dump(mode="json", exclude_defaults=True),
        "validation": plan.validation,
        "seed": plan.seed,
        "version": tinyhar.__version__,
    }
    file = RunFolder(plan.out)
    try:
        there = json.loads((file / ASKED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        there = None
    if there not in (None, asked):
        other = next(key for key in asked if there.get(key) != asked[key])
        raise DataError(f"{plan.out}: a search with another {other} is there; name another --out")
    file.write_text(ASKED, json.dumps(asked, indent=1))


def _do(plan: Plan, workers: Workers, told: Told) -> Found:
    drawn = space.sample(plan.candidates, plan.windows, seed=plan.seed)
    shapes = {window: _prepared(plan, window) for window in plan.windows}
    _check_recordings(plan)
    with workers:
        desk = _Desk(workers, plan.out, told)
        measured = {
            c.name: partial(cost.cost_of, c, *shapes[c.window], **plan.recipe_of(c).overlap)
            for c in drawn
        }
        made = desk.done("costs", measured)
        costs = {c: Cost(**made[c.name]) for c in drawn if c.name in made}
        within = cost.affordable(costs, plan.budget)

        def train(left: Sequence[Candidate], rung: int, epochs: int) -> halving.Scores:
            jobs = {
                c.name: partial(train_one, plan.trial_of(c), _folder(plan, c.window), epochs)
                for c in left
            }
            records = desk.done(f"rung {rung + 1}, {epochs} epochs", jobs)
            return {c: records[c.name]["macro_f1"] for c in left if c.name in records}

        scores = halving.climb(within, costs, halving.rungs(plan.epochs, plan.rungs), train)
    if not scores:
        raise ModelError(f"{plan.out}: no training of the search succeeded; see the errors above")
    return Found(costs, within, scores)


def train_one(recipe: Recipe, folder: Path, epochs: int) -> dict[str, Any]:
    """Train one student on prepared windows; its last weights' macro-F1 on the people held out."""
    from tinyhar import distill
    from tinyhar.pipeline import Silence
    from tinyhar.pipeline.prepare import read
    from tinyhar.pipeline.trainer import Trainer, build, clip_of, shape_of

    run = RunFolder(folder)
    data = read(run)
    student = build(recipe.student, shape_of(data), recipe.seed)
    trainer = Trainer(recipe, run, data, Silence(), clip_of(recipe, data))
    training = recipe.student.training.model_copy(update={"epochs": epochs})
    history = trainer.fit(
        student, training, "student", method=distill.NoDistillation(), resumable=False
    )
    return {"macro_f1": history.epochs[-1].macro_f1, "epochs": epochs}


def _prepared(plan: Plan, window: int) -> tuple[int, int]:
    """Cut the windows of one length once; (channels, classes)."""
    from tinyhar.pipeline.prepare import read
    from tinyhar.pipeline.run import advance

    any_of_them = Candidate(window, widths=(8, 8), depth=1, kernel=3, stem_kernel=5, stem_stride=2)
    trial = plan.trial_of(any_of_them)  # all students see the same windows
    folder = _folder(plan, window)
    advance(trial, folder, until="prepare", data=plan.data)
    data = read(RunFolder(folder))
    if not data.split.validation:
        raise DataError("search: nobody is held out to judge; raise --validation")
    return len(data.channels), len(data.classes)


def _check_recordings(plan: Plan) -> None:
    """DataError when the figures of this folder are of other recordings than these."""
    file = RunFolder(plan.out)
    now = {}
    for window in plan.windows:
        facts = RunFolder(_folder(plan, window)).facts("prepare")
        now[str(window)] = facts["digest"] if facts else None
    try:
        before = json.loads((file / RECORDINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    if any(before.get(window, digest) != digest for window, digest in now.items()):
        raise DataError(
            f"{plan.out}: the recordings have changed since this search began; name another --out"
        )
    file.write_text(RECORDINGS, json.dumps({**before, **now}, indent=1))


def _folder(plan: Plan, window: int) -> Path:
    return plan.out / f"window-{window}"


class _Desk:
    """Gives jobs to workers, and keeps each record as a file."""

    def __init__(self, workers: Workers, out: Path, told: Told) -> None:
        self._workers, self._files, self._told = workers, RunFolder(out), told

    def done(self, what: str, jobs: Mapping[str, Work]) -> dict[str, dict[str, Any]]:
        """Records by name, of those jobs that succeeded; one whose worker dies is given again.

        Raises:
            ToolError: all failed; the first says why.
        """
        records = {name: r for name in jobs if (r := self._read(what, name)) is not None}
        waiting = [name for name in jobs if name not in records]
        running, errors = 0, []
        lost: Counter[str] = Counter()
        self._told(what, len(records), len(jobs))
        while waiting or running:
            while waiting and running < self._workers.slots:
                name = waiting.pop(0)
                self._workers.submit(name, jobs[name])
                running += 1
            ending = self._workers.wait()
            running -= 1
            lost[ending.job] += ending.lost
            if ending.lost and lost[ending.job] < TRIES:
                waiting.insert(0, ending.job)
            elif ending.record is None:
                errors.append(f"{ending.job}: {ending.error}")
                self._told(f"{what}: {errors[-1]}", 1, 1)
            else:
                records[ending.job] = ending.record
                self._files.write_text(self._path(what, ending.job), json.dumps(ending.record))
            self._told(what, len(records) + len(errors), len(jobs))
        if jobs and not records:
            raise ToolError(f"search, {what}: nothing succeeded; {errors[0]}")
        return records

    def _read(self, what: str, name: str) -> dict[str, Any] | None:
        try:
            text = (self._files / self._path(what, name)).read_text(encoding="utf-8")
            found: dict[str, Any] = json.loads(text)
        except (OSError, ValueError):
            return None
        return found

    @staticmethod
    def _path(what: str, name: str) -> str:
        return f"{what.replace(', ', '-').replace(' ', '-')}/{name}.json"
