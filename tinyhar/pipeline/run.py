"""The main job: stages in order, each from files to files in a run folder; resumable.

A stage's key is made from the parts of the recipe that it depends on and from the keys of the
stages before it. A stage whose key stands in the folder and whose files are whole is not done
again; a changed recipe does again what the change touches, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tinyhar
from tinyhar import recipe as recipes
from tinyhar import settings
from tinyhar.pipeline import deliver, learn, prove, shrink, summarise, teacher
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import has_changed, prepare
from tinyhar.pipeline.prepare import read as prepared
from tinyhar.pipeline.progress import Progress, Silence
from tinyhar.recipe import Recipe


@dataclass(frozen=True)
class Job:
    """What a stage works with."""

    recipe: Recipe
    folder: RunFolder
    data: Path | None
    quick: bool
    progress: Progress


@dataclass(frozen=True)
class Stage:
    """One step of the main job.

    Attributes:
        name: of the stage, and of the file that says it is done.
        title: what it does, for people.
        parts: of the recipe, that change its outcome.
        work: does it, leaves files in the run folder, returns what it found out.
        where_set: further parts, that count where they are not None.
    """

    name: str
    title: str
    parts: tuple[str, ...]
    work: Callable[[Job], dict[str, Any]]
    where_set: tuple[str, ...] = ()


def _trained(
    work: Callable[..., dict[str, Any]],
) -> Callable[[Job], dict[str, Any]]:
    return lambda job: work(job.recipe, job.folder, prepared(job.folder), job.progress)


def _prepare(job: Job) -> dict[str, Any]:
    facts = prepare(job.recipe, job.folder, job.data, quick=job.quick)
    left_out = facts["left_out"]
    for reason in left_out[:3]:
        job.progress.note(f"left out: {reason}")
    if len(left_out) > 3:
        job.progress.note(f"and {len(left_out) - 3} more; the report lists them")
    return facts


STAGES: tuple[Stage, ...] = (
    Stage(
        "prepare",
        "recordings to windows",
        ("data", "senses", "split", "split_seed"),
        _prepare,
    ),
    Stage(
        "teach",
        "train the teacher",
        ("teacher", "augmentation", "teacher_seed"),
        _trained(teacher.train_teacher),
        where_set=("unusual_clip",),
    ),
    Stage(
        "distil",
        "distil the student",
        ("student", "distillation", "revisions", "seed"),
        _trained(learn.distil),
        where_set=("unusual_clip",),
    ),
    Stage(
        "prune",
        "prune the student",
        ("pruning", "clustering"),
        _trained(shrink.prune),
        where_set=("measured_extra_ram",),
    ),
    Stage("quantise", "quantise to int8", ("quantisation",), _trained(learn.quantise)),
    Stage("convert", "bundle and C arrays", ("name", "band"), _trained(deliver.convert)),
    Stage("build", "build the firmware", (), _trained(deliver.build)),
    Stage("prove", "ask the band", (), _trained(prove.prove)),
)


FACTS = 3
"""Version of what stages find out and leave: a folder of another one is done again."""
PREPARE, TEACH = "prepare", "teach"
TRAINING = (TEACH, "distil", "prune", "quantise")
LAST = STAGES[-1].name


def run(
    recipe: Recipe,
    out: Path,
    *,
    data: Path | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do the whole main job, or what of it is not done yet; returns what ``metrics.json`` holds.

    Args:
        recipe: a recipe without ``leave_one_out`` (see :func:`tinyhar.recipe.folds`).
        out: the run's folder, made if it is not there.
        data: where the data sets are; not needed for synthetic movement.
        quick: a sliver of the data and a few epochs, to try a recipe.
        progress: who watches.

    Raises:
        TinyharError: anything that can be mended: see the text.
    """
    folder = RunFolder(out)
    with folder.held():
        job = _job(recipe, folder, data, quick, progress)
        facts = _advance(job, LAST)
        return summarise.summarise(job.recipe, folder, prepared(folder), facts, quick=quick)


def advance(
    recipe: Recipe,
    out: Path,
    *,
    until: str,
    data: Path | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Do the stages up to `until` (as :func:`run` does them); returns each one's facts.

    Among the facts of each stage are the "seconds" that it took, now or when it was done.
    """
    folder = RunFolder(out)
    with folder.held():
        return _advance(_job(recipe, folder, data, quick, progress), until)


def _job(
    recipe: Recipe, folder: RunFolder, data: Path | None, quick: bool, progress: Progress | None
) -> Job:
    effective = recipes.quick(recipe) if quick else recipe
    return Job(effective, folder, data, quick, progress or Silence())


def _advance(job: Job, until: str) -> dict[str, dict[str, Any]]:
    keys = stage_keys(job.recipe, quick=job.quick)
    names = [stage.name for stage in STAGES]
    todo = [s for s in STAGES[: names.index(until) + 1] if s.name != TEACH or _needs_teacher(job)]
    facts: dict[str, dict[str, Any]] = {}
    checked = said = False
    for stage in todo:
        job.progress.stage(stage.name, stage.title)
        kept = _kept(stage, job, keys[stage.name])
        if kept is None and stage.name in TRAINING and not checked:
            _check_networks(job)
            checked = True
        if not said and (kept is None or stage is todo[-1]):
            job.folder.write_text("recipe.toml", settings.to_toml(job.recipe))
            said = True
        facts[stage.name] = _do(stage, job, keys[stage.name]) if kept is None else kept
        job.progress.done(stage.name, facts[stage.name]["seconds"] if kept is None else None)
    return facts


def stage_keys(recipe: Recipe, *, quick: bool) -> dict[str, str]:
    """What each stage's outcome depends on, as a hash; `recipe` as it is run (quick or not)."""
    key = hashlib.sha256(f"{tinyhar.__version__} {FACTS} {quick}".encode()).hexdigest()
    keys = {}
    for stage in STAGES:
        parts = {part: _plain(getattr(recipe, part)) for part in stage.parts}
        there = {part: getattr(recipe, part) for part in stage.where_set}
        parts |= {part: value for part, value in there.items() if value is not None}
        text = f"{key} {json.dumps(parts, sort_keys=True)}"
        key = keys[stage.name] = hashlib.sha256(text.encode()).hexdigest()
    return keys


def _plain(part: Any) -> Any:
    return part.model_dump(mode="json") if isinstance(part, settings.Table) else part


def _kept(stage: Stage, job: Job, key: str) -> dict[str, Any] | None:
    """A finished stage's facts; None if it is to be done (again)."""
    facts = job.folder.facts(stage.name, key)
    if facts is not None and stage.name == PREPARE and has_changed(job.recipe, job.data, facts):
        job.progress.note("the recordings have changed; all is made again")
        return None
    if facts is not None and (damaged := job.folder.damaged(stage.name)):
        job.progress.note(f"{damaged[0]}: missing or damaged; made again")
        return None
    return facts


def _do(stage: Stage, job: Job, key: str) -> dict[str, Any]:
    """Do a stage; all that later ones left is out of date then, and what was told of them."""
    for later in STAGES[STAGES.index(stage) + 1 :]:
        job.folder.forget(later.name)
    job.folder.forget_told()
    if stage.name == PREPARE:
        job.folder.forget_snapshots()
    job.folder.begin(stage.name, key)
    started = time.monotonic()
    facts = stage.work(job)
    facts = {**facts, "seconds": time.monotonic() - started}
    job.folder.finish(stage.name, key, facts)
    return facts


def _needs_teacher(job: Job) -> bool:
    return job.recipe.distillation.needs_teacher


def _check_networks(job: Job) -> None:
    data = prepared(job.folder)
    senses = len(data.teacher.channels) if data.teacher else None
    shape = (data.window, len(data.channels), len(data.classes))
    learn.check_networks(job.recipe, *shape, senses=senses)
    shrink.check(job.recipe, *shape)
