"""A finished run, and somebody who watched it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyhar import recipe
from tinyhar.pipeline.progress import Silence
from tinyhar.recipe import Recipe


@dataclass
class Diary(Silence):
    """A watcher that remembers which stages were done, and which were kept from before."""

    done_now: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def done(self, name: str, seconds: float | None) -> None:
        (self.kept if seconds is None else self.done_now).append(name)


@dataclass(frozen=True)
class Finished:
    folder: Path
    recipe: Recipe
    metrics: dict[str, Any]


def shortest() -> Recipe:
    """The demo with as little training as a whole run can have."""
    few = [f"{part}.training.epochs=2" for part in ("teacher", "student", "pruning")]
    return recipe.changed(recipe.load("demo"), [*few, "quantisation.training.epochs=1"])
