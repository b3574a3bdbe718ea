"""The windows of a personal run: the base run's people and the user, as any run folder has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyhar.personal.course import Counted
from tinyhar.personal.merge import GONE, Merged
from tinyhar.pipeline.personal_base import Base
from tinyhar.pipeline.prepare import Prepared
from tinyhar.splits import Split

TAUGHT, LATER = ", taught", ", later"
"""What follows a user's name where the user's windows train, and where they judge."""


def of_users(subjects: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Whose windows [n] are an earlier calibration's: somebody whom the base run met."""
    return np.array([TAUGHT in subject or LATER in subject for subject in subjects], bool)


def joined(base: Base, merged: Merged, learn: Counted, judge: Counted, who: str) -> Prepared:
    """The base run's windows of classes that are rehearsed, with the user's as two subjects.

    The user's earlier windows train and the later ones test: the same person, but never the same
    samples. The normalisation stays the base run's, on whose people it was measured.

    Args:
        base: the run to start from.
        merged: the classes.
        learn: the user's windows to learn from.
        judge: the user's later windows.
        who: the user's name.
    """
    data = base.data
    y = merged.rehearsed[data.y]
    kept = y != GONE
    taught, later = (_free(f"{who}{part}", data) for part in (TAUGHT, LATER))
    names = [taught] * len(learn) + [later] * len(judge)
    own = np.array(names, str)
    split = data.split
    there = set(data.subject[kept].tolist())
    return Prepared(
        counts=np.concatenate([data.counts[kept], learn.counts, judge.counts]),
        y=np.concatenate([y[kept], learn.y, judge.y]),
        subject=np.concatenate([data.subject[kept].astype(str), own]),
        classes=merged.classes,
        channels=data.channels,
        lsb=data.lsb,
        normalisation=data.normalisation,
        split=Split(
            train=(*(s for s in split.train if s in there), taught),
            validation=tuple(s for s in split.validation if s in there),
            test=(*(s for s in split.test if s in there), *((later,) if len(judge) else ())),
        ),
        rate=data.rate,
    )


def _free(name: str, data: Prepared) -> str:
    """The name, numbered if the base run has somebody called so."""
    taken = set(data.subject.tolist())
    number = 2
    found = name
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found
