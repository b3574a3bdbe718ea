"""The main job: stages in order, each from files to files in a run folder; resumable.

A stage's key is made from the parts of the recipe that it depends on and from the keys of the
stages before it. A stage whose key stands in the folder is not done again; a changed recipe does
again what the change touches, and nothing else.
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
from tinyhar.pipeline import deliver, learn, prove, summarise
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import prepare
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
        tables: the parts of the recipe that change its outcome.
        work: does it, leaves files in the run folder, returns what it found out.
    """

    name: str
    title: str
    tables: tuple[str, ...]
    work: Callable[[Job], dict[str, Any]]


def _trained(
    work: Callable[..., dict[str, Any]],
) -> Callable[[Job], dict[str, Any]]:
    return lambda job: work(job.recipe, job.folder, prepared(job.folder), job.progress)


STAGES: tuple[Stage, ...] = (
    Stage(
        "prepare",
        "recordings to windows",
        ("data", "split", "seed"),
        lambda job: prepare(job.recipe, job.folder, job.data, quick=job.quick),
    ),
    Stage("teach", "train the teacher", ("teacher", "augmentation"), _trained(learn.teach)),
    Stage("distil", "distil the student", ("student", "distillation"), _trained(learn.distil)),
    Stage("prune", "prune the student", ("pruning",), _trained(learn.prune)),
    Stage("quantise", "quantise to int8", ("quantisation",), _trained(learn.quantise)),
    Stage("convert", "bundle and C arrays", ("name", "band"), _trained(deliver.convert)),
    Stage("build", "build the firmware", (), _trained(deliver.build)),
    Stage("prove", "ask the band", (), _trained(prove.prove)),
)


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
    effective = recipes.quick(recipe) if quick else recipe
    with folder.held():
        job = Job(effective, folder, data, quick, progress or Silence())
        folder.write_text("recipe.toml", recipes.to_toml(effective))
        seconds = {}
        key = hashlib.sha256(f"{tinyhar.__version__} {quick}".encode()).hexdigest()
        for stage in STAGES:
            key = _key(stage, effective, key)
            seconds[stage.name] = _do(stage, job, key)
        return summarise.summarise(effective, folder, prepared(folder), seconds, quick=quick)


def _key(stage: Stage, recipe: Recipe, before: str) -> str:
    tables = recipe.model_dump(mode="json", include=set(stage.tables))
    return hashlib.sha256(f"{before} {json.dumps(tables, sort_keys=True)}".encode()).hexdigest()


def _do(stage: Stage, job: Job, key: str) -> float:
    """Do a stage unless it is done; seconds it took, then or now."""
    job.progress.stage(stage.name, stage.title)
    facts = job.folder.facts(stage.name, key)
    if facts is not None:
        job.progress.done(stage.name, None)
        return float(facts["seconds"])
    job.folder.begin(stage.name, key)
    if stage.name == "teach":
        _check_networks(job)
    started = time.monotonic()
    facts = stage.work(job)
    seconds = time.monotonic() - started
    job.folder.finish(stage.name, key, {**facts, "seconds": seconds})
    job.progress.done(stage.name, seconds)
    return seconds


def _check_networks(job: Job) -> None:
    data = prepared(job.folder)
    learn.check_networks(job.recipe, data.window, len(data.channels), len(data.classes))
