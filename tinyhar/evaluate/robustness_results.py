"""What disturbances cost finished runs, put together over seeds, people and methods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tinyhar.errors import DataError
from tinyhar.evaluate.metrics import Summary, summary

METHOD: Final = "distillation.method"
_FOLD: Final = re.compile(r"-without-[a-z0-9_-]+$")


@dataclass(frozen=True)
class Trial:
    """One model under one disturbance.

    Attributes:
        family: "rotation", "drift", ...: what is drawn as one curve.
        level: how much of it, in the family's unit; None where there is no more and less.
        name: for tables: "turned 90°".
        scores: macro-F1 for each draw (axis of rotation, noise), at least one.
        clean: macro-F1 of the same people's windows undisturbed.
        windows: how many windows a draw has.
    """

    family: str
    level: float | None
    name: str
    scores: tuple[float, ...]
    clean: float
    windows: int

    @property
    def macro_f1(self) -> float:
        """Mean over the draws."""
        return float(np.mean(self.scores))

    @property
    def loss(self) -> float:
        """How much macro-F1 the disturbance costs; below 0 where it helps."""
        return self.clean - self.macro_f1


@dataclass(frozen=True)
class Tried:
    """One run and all its trials.

    Attributes:
        folder: where the run is.
        name: of its recipe.
        settings: its recipe but for name, seed and split, as "table.key" -> text.
        clean: macro-F1 undisturbed.
        windows: how many that was measured on.
        trials: in the order of the tables.
        left_out: what was not tried, and why, a sentence each.
    """

    folder: str
    name: str
    settings: Mapping[str, str]
    clean: float
    windows: int
    trials: tuple[Trial, ...]
    left_out: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The recipe's name, whoever was left out."""
        return _FOLD.sub("", self.name)


@dataclass(frozen=True)
class Group:
    """Runs that differ in seed or in people alone."""

    label: str
    runs: tuple[Tried, ...]

    @property
    def clean(self) -> Summary:
        """Macro-F1 undisturbed, over the runs."""
        return summary([run.clean for run in self.runs])


@dataclass(frozen=True)
class Cell:
    """One disturbance in one group: macro-F1 and its loss over the runs, and the extremes.

    `low` and `high` are the worst and the best of all runs and draws.
    """

    macro_f1: Summary
    loss: Summary
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One disturbance in every group, in the groups' order; None where a group lacks it."""

    family: str
    level: float | None
    name: str
    cells: tuple[Cell | None, ...]
    mean: bool = False
    """Whether it is the mean over the family's levels."""


def grouped(runs: Sequence[Tried]) -> tuple[Group, ...]:
    """Runs of equal settings together, in order of appearance, each with a name of its own."""
    if not runs:
        raise DataError("no runs: name at least one run folder")
    found: dict[tuple[tuple[str, str], ...], list[Tried]] = {}
    for run in runs:
        found.setdefault(tuple(sorted(run.settings.items())), []).append(run)
    groups = list(found.values())
    return tuple(
        Group(label, tuple(group)) for label, group in zip(_labels(groups), groups, strict=True)
    )


def _labels(groups: Sequence[Sequence[Tried]]) -> list[str]:
    """The shortest names that tell the groups apart: recipe, method, other settings, a number."""
    labels = [" / ".join(dict.fromkeys(run.base for run in group)) for group in groups]
    settings = [group[0].settings for group in groups]
    keys = sorted({key for each in settings for key in each}, key=lambda k: (k != METHOD, k))
    for key in keys:
        values = [each.get(key, "–") for each in settings]
        twins = {n for n, label in enumerate(labels) if labels.count(label) > 1}
        if len({values[n] for n in twins}) > 1:
            shown = [value if key == METHOD else f"{key}={value}" for value in values]
            labels = [
                f"{label}, {shown[n]}" if n in twins else label for n, label in enumerate(labels)
            ]
    return labels


def rows(groups: Sequence[Group]) -> tuple[Row, ...]:
    """Every disturbance in the order tried; after a curve, the mean over its levels."""
    keys = list(
        dict.fromkeys(
            (trial.family, trial.level, trial.name)
            for group in groups
            for run in group.runs
            for trial in run.trials
        )
    )
    result = []
    for family in dict.fromkeys(family for family, _, _ in keys):
        own = [key for key in keys if key[0] == family]
        result += [Row(*key, tuple(_cell(group, [key]) for group in groups)) for key in own]
        curve = [key for key in own if key[1] is not None]
        if len(curve) > 1:
            cells = tuple(_cell(group, curve) for group in groups)
            result.append(Row(family, None, f"{family}: mean", cells, mean=True))
    return tuple(result)


def _cell(group: Group, keys: Iterable[tuple[str, float | None, str]]) -> Cell | None:
    """Over the runs that tried all of these disturbances."""
    wanted = set(keys)
    tried = [
        [trial for trial in run.trials if (trial.family, trial.level, trial.name) in wanted]
        for run in group.runs
    ]
    whole = [trials for trials in tried if len(trials) == len(wanted)]
    if not whole:
        return None
    scores = [score for trials in whole for trial in trials for score in trial.scores]
    return Cell(
        macro_f1=summary([float(np.mean([t.macro_f1 for t in trials])) for trials in whole]),
        loss=summary([float(np.mean([t.loss for t in trials])) for trials in whole]),
        low=min(scores),
        high=max(scores),
    )


def tried_from_json(found: Mapping[str, Any]) -> Tried:
    """What ``asdict`` made of a run's trials, back again.

    Raises:
        DataError: it is something else.
    """
    try:
        trials = [Trial(**{**one, "scores": tuple(one["scores"])}) for one in found["trials"]]
        return Tried(**{**found, "trials": tuple(trials), "left_out": tuple(found["left_out"])})
    except (TypeError, KeyError) as error:
        raise DataError(f"no trials of a run: {error}") from error


def as_json(groups: Sequence[Group]) -> dict[str, Any]:
    """Groups with their runs and trials, and the table, as plain nested dicts."""
    return {
        "groups": [
            {
                "label": group.label,
                "clean": asdict(group.clean),
                "runs": [asdict(run) | {"settings": dict(run.settings)} for run in group.runs],
            }
            for group in groups
        ],
        "table": [asdict(row) for row in rows(groups)],
    }
