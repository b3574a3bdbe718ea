"""How well a model names movement: macro-F1, confusion, people, seeds.

Everything here takes class numbers (rows of the logits already through argmax) and the number of
classes, because a class that nobody did, or that the model never says, must still count:

>>> macro_f1([0, 0, 1], [0, 0, 1], classes=3)  # the third class is absent: its F1 is 0
0.6666666666666666
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyhar.errors import DataError


@dataclass(frozen=True)
class Evaluation:
    """One model on one set of windows: everything the report says about its answers.

    `confusion` is int[K, K], rows the true class, columns the answer; `subject_f1` has one
    macro-F1 a person (over the classes that person did), `subject_windows` their window count.
    """

    macro_f1: float
    accuracy: float
    confusion: NDArray[np.int64]
    subject_f1: Mapping[str, float] = field(default_factory=dict)
    subject_windows: Mapping[str, int] = field(default_factory=dict)

    @property
    def windows(self) -> int:
        """How many windows were judged."""
        return int(self.confusion.sum())

    @property
    def class_f1(self) -> NDArray[np.float64]:
        """F1 of each class, float[K]; 0 where a class is neither done nor answered."""
        return f1_of_confusion(self.confusion)


@dataclass(frozen=True)
class Summary:
    """A figure over repeated runs: mean, sample standard deviation (0 for a single run), runs."""

    mean: float
    std: float
    n: int


def evaluate(
    true: ArrayLike, predicted: ArrayLike, subjects: Sequence[str] | None = None, *, classes: int
) -> Evaluation:
    """Judge answers `predicted` int[n] against `true` int[n], worn by `subjects` str[n].

    Raises DataError for lengths that differ, no windows, or a class number outside 0..classes-1.
    """
    y, p = _checked(true, predicted, classes)
    matrix = confusion(y, p, classes=classes)
    names = np.asarray([] if subjects is None else subjects, dtype=str)
    if subjects is not None and len(names) != len(y):
        raise DataError(f"{len(names)} subject names for {len(y)} windows: give one a window")
    return Evaluation(
        macro_f1=float(f1_of_confusion(matrix).mean()),
        accuracy=float(np.trace(matrix) / matrix.sum()),
        confusion=matrix,
        subject_f1=subject_f1(y, p, names, classes=classes) if len(names) else {},
        subject_windows={name: int((names == name).sum()) for name in in_order(set(names))},
    )


def macro_f1(true: ArrayLike, predicted: ArrayLike, *, classes: int) -> float:
    """Unweighted mean of the F1 of classes 0..classes-1; an absent class counts as 0.

    `true` and `predicted` are int[n]. Raises DataError as `evaluate` does.
    """
    from sklearn.metrics import f1_score

    y, p = _checked(true, predicted, classes)
    return float(f1_score(y, p, labels=np.arange(classes), average="macro", zero_division=0.0))


def confusion(true: ArrayLike, predicted: ArrayLike, *, classes: int) -> NDArray[np.int64]:
    """Count windows by true class (rows) and answer (columns): int64[classes, classes]."""
    from sklearn.metrics import confusion_matrix

    y, p = _checked(true, predicted, classes)
    matrix: NDArray[np.int64] = confusion_matrix(y, p, labels=np.arange(classes))
    return matrix.astype(np.int64)


def f1_of_confusion(matrix: ArrayLike) -> NDArray[np.float64]:
    """F1 of every class from a confusion matrix [K, K]: 2 TP / (done + answered), 0 for 0 / 0."""
    counts = np.asarray(matrix, dtype=np.float64)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return np.divide(2.0 * np.diag(counts), both, out=np.zeros(len(counts)), where=both > 0)


def subject_f1(
    true: ArrayLike, predicted: ArrayLike, subjects: ArrayLike, *, classes: int
) -> dict[str, float]:
    """Macro-F1 of each person, over the classes that this person really did (ours).

    A class that somebody never did has no F1 of theirs to count; answering it nevertheless costs
    recall in the classes that they did. People come in natural order (2 before 10).
    """
    y, p = _checked(true, predicted, classes)
    names = np.asarray(subjects, dtype=str)
    result = {}
    for name in in_order(set(names)):
        matrix = confusion(y[names == name], p[names == name], classes=classes)
        done = matrix.sum(axis=1) > 0
        result[name] = float(f1_of_confusion(matrix)[done].mean())
    return result


def summary(values: Sequence[float]) -> Summary:
    """Mean and spread of one figure over seeds or people; DataError when there is none."""
    if len(values) == 0:
        raise DataError("nothing to summarise: give at least one value")
    numbers = np.asarray(values, dtype=np.float64)
    spread = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    return Summary(mean=float(numbers.mean()), std=spread, n=len(numbers))


def in_order(names: set[str]) -> list[str]:
    """Names as a reader sorts them: numbers by value, before everything else."""
    return sorted(
        (str(name) for name in names), key=lambda n: (not n.isdecimal(), len(n) * n.isdecimal(), n)
    )


def _checked(
    true: ArrayLike, predicted: ArrayLike, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    y, p = np.asarray(true), np.asarray(predicted)
    if y.ndim != 1 or y.shape != p.shape or y.size == 0:
        raise DataError(
            f"true {y.shape} and predicted {p.shape} must be two equal lists, not empty"
        )
    for name, values in (("true", y), ("predicted", p)):
        wrong = values[(values < 0) | (values >= classes)]
        if wrong.size:
            raise DataError(f"{name} class {wrong[0]} is not one of 0..{classes - 1}")
    return y.astype(np.int64), p.astype(np.int64)
