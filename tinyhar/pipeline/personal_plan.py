"""What is tried to measure teaching, and trials that are kept on the disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import tinyhar
from tinyhar.personal.lesson import Lesson
from tinyhar.personal.results import Gain, Unseen
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe

Result = TypeVar("Result", Gain, Unseen)


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Attributes:
        recipe: the protocol's.
        seconds: budgets of calibration a class.
        seeds: of base models and lessons.
        people: who is left out; none: all of the protocol's test subjects.
        classes: left out of the base model and taught, one at a time; none: no such trials.
        unseen_seconds: that such a class is taught with.
        epochs: of base models that are trained here; they have no teacher.
        runs: folder of finished runs of the recipe to take base models from where they are there.
        lesson: how everything is taught; its seed is the trial's.
    """

    recipe: Recipe
    seconds: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0)
    seeds: tuple[int, ...] = (1,)
    people: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    unseen_seconds: float = 20.0
    epochs: int = 60
    runs: Path | None = None
    lesson: Lesson = field(default_factory=Lesson)
    unseen_lesson: Lesson = field(default_factory=Lesson)

    def key(self, lesson: Lesson, recordings: str, models: str) -> str:
        """What a trial depends on besides its name, as a hash; the rest are hashes themselves."""
        parts = (
            tinyhar.__version__,
            str(self.recipe.model_dump(mode="json")),
            repr(lesson),
            str((self.epochs, self.unseen_seconds)),
            recordings,
            models,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def known_trial(file: Path, kind: type[Result]) -> Result | None:
    """A trial that was kept; None where it is not there or was cut off."""
    try:
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kind(**kept)
    except (OSError, ValueError, TypeError):
        return None


def keep_trial(file: Path, result: Gain | Unseen) -> None:
    """Write a trial, whole or not at all."""
    RunFolder(file.parent).write_text(file.name, json.dumps(asdict(result)))
