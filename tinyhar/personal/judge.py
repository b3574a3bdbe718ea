"""Before and after: what the general and the personal model say of the same windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.evaluate.metrics import f1_of_confusion

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Judgement:
    """One model on one set of windows.

    `confusion` is int64 [classes, classes + 1]: rows the true class, columns the answer, the last
    one for answers that are no class of the personal model. `class_f1` is float64 [classes], NaN
    for a class without windows; `macro_f1` the mean over the others.
    """

    confusion: Ints
    class_f1: NDArray[np.float64]
    macro_f1: float
    accuracy: float
    windows: int


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """The general and the personal model on the same windows."""

    before: Judgement
    after: Judgement

    @property
    def gain(self) -> float:
        """Points of macro-F1, 0 to 1; below zero the personal model is worse."""
        return self.after.macro_f1 - self.before.macro_f1

    @property
    def relative_gain(self) -> float:
        """Against the general model's; infinite where that knew nothing."""
        return relative_gain(self.before.macro_f1, self.after.macro_f1)


def relative_gain(before: float, after: float) -> float:
    """What a score gained against what it was; infinite where that was 0."""
    if not before:
        return float("inf") if after > 0 else 0.0
    return (after - before) / before


def judge(true: Ints, answers: Ints, classes: int) -> Judgement:
    """Judge answers int64 [n], -1 for "no class of these", against the truth int64 [n].

    Only classes that occur in `true` count to macro-F1; wrongly answering another one costs
    recall there. DataError when there is nothing to judge.
    """
    if not len(true) or len(true) != len(answers):
        raise DataError(f"{len(true)} windows and {len(answers)} answers: nothing to judge")
    table = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(table, (true, np.where(answers < 0, classes, answers)), 1)
    f1 = f1_of_confusion(table)[:classes]
    there = np.bincount(true, minlength=classes) > 0
    return Judgement(
        confusion=table[:classes],
        class_f1=np.where(there, f1, np.nan),
        macro_f1=float(f1[there].mean()),
        accuracy=float((true == answers).mean()),
        windows=len(true),
    )


def compare(true: Ints, before: Ints, after: Ints, classes: int) -> BeforeAfter | None:
    """Both models' answers to the same windows; None where there are no windows."""
    if not len(true):
        return None
    return BeforeAfter(judge(true, before, classes), judge(true, after, classes))


def confused(judgement: Judgement, names: Sequence[str], at_least: float = 0.2) -> list[str]:
    """Pairs that the model takes for each other, as sentences, the worst first."""
    found = []
    rows = judgement.confusion.sum(axis=1)
    for true, row in enumerate(judgement.confusion):
        for said, count in enumerate(row[: len(names)]):
            if said != true and rows[true] and count / rows[true] >= at_least:
                share = count / rows[true]
                text = f"{share:.0%} of '{names[true]}' is taken for '{names[said]}'"
                found.append((share, text))
    return [text for _, text in sorted(found, reverse=True)]
