"""What a personal model is worth: before and after, in the band's own integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyhar.personal import rejection
from tinyhar.personal.judge import BeforeAfter, compare
from tinyhar.personal.merge import GONE, Merged
from tinyhar.personal.rejection import Rejection
from tinyhar.pipeline.personal_base import Base, Int8
from tinyhar.pipeline.personal_calibration import Calibration
from tinyhar.pipeline.personal_data import of_users


@dataclass(frozen=True, eq=False)
class Judged:
    """What the personal model is worth: each part None where there was nothing to judge."""

    own: BeforeAfter | None
    old: BeforeAfter | None
    rejection: Rejection
    threshold_steps: int
    """The threshold as the int8 logits have it."""


def judged_by(base: Base, calibration: Calibration, int8: Int8) -> Judged:
    """The general and the personal int8 model on the user's later windows and on other people's."""
    merged, judge = calibration.merged, calibration.judge
    classes = len(merged.classes)
    test = base.data.side("test") & ~of_users(base.data.subject)
    y = merged.rehearsed[base.data.y[test]]
    counts, y = base.data.counts[test][y != GONE], y[y != GONE]
    before = [
        merged.of_base[base.int8.logits(each).argmax(axis=1)] for each in (judge.counts, counts)
    ]
    logits, old = int8.logits(judge.counts), int8.logits(counts)
    known = int8.logits(calibration.learn.counts)
    rehearsed = _rehearsed(base, merged)
    limit = rejection.set_threshold(np.concatenate([known, int8.logits(rehearsed)]))
    return Judged(
        own=compare(judge.y, before[0], logits.argmax(axis=1), classes),
        old=compare(y, before[1], old.argmax(axis=1), classes),
        rejection=rejection.judged(limit, logits, judge.y, merged.classes),
        threshold_steps=int8.steps(limit.threshold),
    )


def _rehearsed(base: Base, merged: Merged, most: int = 600) -> NDArray[np.int16]:
    """Training windows of classes that were not recorded: known movement, too."""
    known = merged.unrecorded[base.data.y] != GONE
    index = np.flatnonzero(base.data.side("train") & known)
    return base.data.counts[np.random.default_rng(0).permutation(index)[:most]]
