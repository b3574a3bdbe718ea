"""One run's configuration: a TOML file, checked in full before any work starts.

A recipe has one table per stage of the pipeline::

    name = "hapt"
    seed = 1

    [data]
    source = "hapt"
    window = 128
    stride = 64

    [split]
    test = ["2", "4", "9"]

    [student]
    architecture = "separable"

Whatever is left out takes the default that stands in :mod:`tinyhar.recipe.tables`. A misspelt key,
a value out of range or of the wrong type raises :class:`~tinyhar.errors.RecipeError` with file, key
and remedy.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from tinyhar import settings
from tinyhar.errors import RecipeError
from tinyhar.recipe.tables import (
    DEVICE_LIMITS,
    REVISIONS,
    Augmentation,
    Band,
    Clustering,
    Data,
    Distillation,
    Network,
    Pruning,
    Quantisation,
    Senses,
    Splits,
    Student,
    Teacher,
    Training,
)
from tinyhar.settings import Table

__all__ = [
    "BUILT_IN",
    "DEVICE_LIMITS",
    "Distillation",
    "Network",
    "Pruning",
    "Recipe",
    "Senses",
    "Splits",
    "Student",
    "Training",
    "changed",
    "folds",
    "load",
    "parse",
    "quick",
]

BUILT_IN = Path(__file__).parent.parent / "recipes"
"""The recipes that come with the package."""


class Recipe(Table):
    """Everything that one run depends on."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    data: Data
    split: Splits
    teacher: Teacher = Teacher()
    student: Student = Student()
    distillation: Distillation = Distillation()
    augmentation: Augmentation = Augmentation()
    pruning: Pruning = Pruning()
    clustering: Clustering = Clustering()
    quantisation: Quantisation = Quantisation()
    band: Band = Band()

    @property
    def senses(self) -> Senses | None:
        """The teacher's sensors, where they are not the band's."""
        return self.teacher.senses

    @property
    def revisions(self) -> dict[str, int]:
        """Of the methods of distillation that compute something else than they once did."""
        used = (self.distillation.method, *self.distillation.also)
        return {name: REVISIONS[name] for name in used if name in REVISIONS}

    @property
    def split_seed(self) -> int | None:
        """Draws who validates; None where nobody is drawn: then all seeds see the same windows."""
        drawn = isinstance(self.split.validation, int) and self.split.validation > 0
        return self.seed if drawn else None

    @property
    def teacher_seed(self) -> int:
        """The teacher's own seed, or the recipe's."""
        return self.seed if self.teacher.seed is None else self.teacher.seed

    @property
    def unusual_clip(self) -> float | None:
        """How inputs are clipped in every training, where it is not the default."""
        clip = self.quantisation.clip
        return None if clip == Quantisation().clip else clip

    @property
    def overlap(self) -> dict[str, int]:
        """What the band may keep from window to window: the engine's hop and extra_ram."""
        extra = self.band.extra_ram
        return {"hop": self.data.stride if extra else 0, "extra_ram": extra}

    @property
    def measured_extra_ram(self) -> int | None:
        """Memory for overlapping windows, where pruning measures with it."""
        measured = any(limit in self.pruning.budget for limit in DEVICE_LIMITS)
        return self.band.extra_ram or None if measured else None

    @model_validator(mode="after")
    def _patience_needs_validation(self) -> Recipe:
        parts = ("teacher", "student", "pruning", "clustering", "quantisation")
        waiting = [part for part in parts if getattr(self, part).training.patience]
        if waiting and not self.split.validation:
            raise ValueError(
                f"{waiting[0]}.training.patience needs somebody to validate on: set it to 0, or "
                "hold subjects out (split.validation)"
            )
        return self

    @model_validator(mode="after")
    def _training_keeps_what_compression_made(self) -> Recipe:
        makers = {
            "pruning.method 'magnitude'": self.pruning.method == "magnitude",
            "clustering": self.clustering.values is not None,
        }
        maker = next((name for name, used in makers.items() if used), None)
        if maker and self.quantisation.method == "qat":
            raise ValueError(
                f"{maker} goes with quantisation.method 'ptq': "
                "quantisation-aware training would give every weight a value of its own again"
            )
        if all(makers.values()):
            raise ValueError(
                "clustering would fill the zeros of pruning.method 'magnitude': choose one"
            )
        return self


def load(path: Path | str) -> Recipe:
    """Read a recipe from a file, or a built-in one by its name.

    Raises:
        RecipeError: no such file, not TOML, a key or value that cannot be.
    """
    file = settings.find(path, BUILT_IN, "recipe")
    return parse(settings.read(file), origin=str(file))


def parse(table: dict[str, Any], origin: str = "recipe") -> Recipe:
    """Check a table as read from TOML.

    Raises:
        RecipeError: names the first key at fault, what was expected and what to do.
    """
    return settings.check(Recipe, table, origin)


def changed(recipe: Recipe, changes: Sequence[str], *, origin: str = "--set") -> Recipe:
    """The recipe with ``table.key=value`` changes; values are TOML, or bare words.

    Args:
        origin: where the changes come from, for error messages.

    Raises:
        RecipeError: a change without ``=``, or one that :func:`parse` refuses.
    """
    table = recipe.model_dump(mode="json", exclude_none=True)
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals:
            raise RecipeError(f"{origin}: {change}: expected table.key=value")
        *tables, key = path.strip().split(".")
        inner = table
        for name in tables:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise RecipeError(f"{origin}: {change}: '{name}' is a value, not a table of keys")
        inner[key] = _value(text.strip())
    return parse(table, origin=origin) if changes else recipe


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def folds(recipe: Recipe) -> list[Recipe]:
    """The runs that a recipe asks for: itself, or one for each subject left out.

    Raises:
        RecipeError: two of the subjects have names that differ in punctuation only.
    """
    if not recipe.split.leave_one_out:
        return [recipe]
    names: dict[str, str] = {}
    for subject in recipe.split.leave_one_out:
        name = f"{recipe.name}-without-{_plain(subject)}"
        if name in names:
            raise RecipeError(
                f"split.leave_one_out: '{names[name]}' and '{subject}' would share the folder "
                f"'{name}': rename one of them in the recordings"
            )
        names[name] = subject
    return [
        recipe.model_copy(
            update={
                "name": name,
                "split": Splits(test=(subject,), validation=_without(recipe.split, subject)),
            }
        )
        for name, subject in names.items()
    ]


def _plain(subject: str) -> str:
    """A subject's name as part of a recipe's: "José Luis" is "jose-luis"."""
    letters = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_-]+", "-", letters.lower())


def _without(split: Splits, subject: str) -> tuple[str, ...] | int:
    if isinstance(split.validation, int):
        return split.validation
    return tuple(name for name in split.validation if name != subject)


def quick(recipe: Recipe) -> Recipe:
    """The same run with a few epochs a stage: to try a recipe, not to trust its figures."""

    def shorter(part: Any, epochs: int) -> Any:
        few = part.training.model_copy(update={"epochs": min(epochs, part.training.epochs)})
        return part.model_copy(update={"training": few})

    return recipe.model_copy(
        update={
            "teacher": shorter(recipe.teacher, 8),
            "student": shorter(recipe.student, 12),
            "pruning": shorter(recipe.pruning, 4),
            "clustering": shorter(recipe.clustering, 2),
            "quantisation": shorter(recipe.quantisation, 2),
        }
    )
