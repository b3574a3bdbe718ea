"""From a calibration's stretches to a student that was taught: the method, end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from tinyhar import distill
from tinyhar.counts import to_counts
from tinyhar.distill import Augment, Examples, History
from tinyhar.distill.snapshot import EpochReport
from tinyhar.personal.lesson import Lesson, teach
from tinyhar.personal.merge import GONE, Merged
from tinyhar.personal.network import embedding, widened
from tinyhar.personal.remember import as_it_was
from tinyhar.personal.time_split import Stretch
from tinyhar.recordings import Recording


@dataclass(frozen=True, eq=False)
class Counted:
    """Windows as sensor counts int16 [n, time, channel] and their classes int64 [n]."""

    counts: NDArray[np.int16]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


def windows_of(
    recordings: Sequence[Recording],
    parts: Iterable[Stretch],
    *,
    window: int,
    stride: int,
    lsb: NDArray[np.float64],
    numbers: NDArray[np.int64],
    threshold: float = 0.0,
    limit: int | None = None,
) -> Counted:
    """The windows in these stretches, as a band would count them, each of its most frequent class.

    A window falls away, as in :func:`tinyhar.windows.cut`, whose most frequent class has less than
    a share of `threshold`, or fewer samples than have no class.

    Args:
        recordings: that the stretches are of, at the band's rate and channels.
        parts: stretches of them, in order.
        window: samples.
        stride: samples.
        lsb: what a count is worth, float64 [channel].
        numbers: int64 [activities], the class of each of the recordings' activities.
        threshold: 0 to 1.
        limit: take only windows that end within the first so many samples of their class.
    """
    signals: list[NDArray[np.float32]] = []
    y: list[int] = []
    classes = int(numbers.max()) + 1
    shown = np.zeros(classes, np.int64)
    for part in parts:
        one = recordings[part.recording]
        labels = np.append(numbers, -1)[one.labels]
        running = (labels[part.begin : part.end, None] == np.arange(classes)).cumsum(axis=0)
        for start in part.starts(window, stride):
            inside = np.bincount(1 + labels[start : start + window], minlength=classes + 1)
            best = int(inside[1:].argmax())
            so_far = shown[best] + running[start - part.begin + window - 1, best]
            most = inside[1 + best]
            enough = most > 0 and most >= max(threshold * window, inside[0])
            if enough and (limit is None or so_far <= limit):
                signals.append(one.signal[start : start + window])
                y.append(best)
        shown += running[-1]
    if not signals:
        return Counted(np.empty((0, window, len(lsb)), np.int16), np.empty(0, np.int64))
    return Counted(to_counts(np.stack(signals), lsb), np.array(y, np.int64))


@dataclass(frozen=True, eq=False)
class Taught:
    """A personal student, how its training went, and the windows of an epoch."""

    model: keras.Model
    history: History
    lessons: Examples


def personalise(
    student: keras.Model,
    own: Examples,
    others: Examples,
    merged: Merged,
    lesson: Lesson,
    *,
    augment: Augment | None,
    clip: float,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> Taught:
    """Teach a base run's student the user's classes; `student`'s own weights change with it.

    Args:
        student: float, ends at logits over the base run's classes.
        own: the user's windows to learn from, labelled in the classes of `merged`.
        others: the base run's training windows that are rehearsed, labelled likewise.
        merged: the classes.
        lesson: how to teach.
        augment: changes windows before the student sees them.
        clip: windows are clipped to +-clip, as the int8 input will be.
        on_epoch: called after each epoch of training.
    """
    model = widened(student, merged, class_means(student, own, len(merged.classes), clip))
    remembers = lesson.memory and (merged.unrecorded != GONE).any()
    base = as_it_was(student, merged) if remembers else None
    history, lessons = teach(
        model, own, others, lesson, augment=augment, clip=clip, base=base, on_epoch=on_epoch
    )
    return Taught(model, history, lessons)


def class_means(
    student: keras.Model, own: Examples, classes: int, clip: float
) -> NDArray[np.float64]:
    """Mean features float64 [classes, d] of the user's windows; else the mean of them all."""
    features = distill.logits(embedding(student), own.x, clip=clip).astype(np.float64)
    means = np.tile(features.mean(axis=0), (classes, 1))
    for number in np.unique(own.y):
        means[number] = features[own.y == number].mean(axis=0)
    return means
