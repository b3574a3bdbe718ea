"""A user's recordings made ready for a base run: checked, split by time, cut, doubted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tf_keras as keras

from tinyhar import distill
from tinyhar.errors import DataError
from tinyhar.personal import support
from tinyhar.personal.course import Counted, windows_of
from tinyhar.personal.lesson import Lesson, dense_stride
from tinyhar.personal.merge import GONE, Merged, Redefine, merge
from tinyhar.personal.network import embedding
from tinyhar.personal.takes import Fit, class_names, read_takes
from tinyhar.personal.time_split import Stretch, TimeSplit, split_in_time, stretches, whole
from tinyhar.pipeline.personal_base import Base
from tinyhar.recordings import Recording


@dataclass(frozen=True)
class Wish:
    """What a user asks for.

    Attributes:
        seconds: learn from at most so much of each class; None: from all that is not held out.
        held_out: share of each class's recordings, the latest, to judge by.
        redefine: see `tinyhar.personal.merge.Redefine`.
        only_recorded: leave the base run's other classes out.
        resampled: bring recordings at another rate to the band's.
        boards: to build firmware for; none: none.
        lesson: how to teach.
    """

    seconds: float | None = None
    held_out: float = 0.3
    redefine: Redefine = "keep"
    only_recorded: bool = False
    resampled: bool = False
    boards: tuple[str, ...] = ("host",)
    lesson: Lesson = field(default_factory=Lesson)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A user's recordings, ready: earlier windows to learn from, later ones to judge by."""

    recordings: tuple[Recording, ...]
    merged: Merged
    split: TimeSplit
    learn: Counted
    judge: Counted
    seconds: dict[str, float]
    """Of each recorded class, to learn from."""
    known: int = 0
    """Recordings that were left out: the base run was taught from them already."""


def calibrated(base: Base, folder: Path, wish: Wish) -> Calibration:
    """The recordings of a folder, checked, split by time and cut into windows of counts.

    Those that the base run was taught from are left out: it remembers them by its own windows, and
    samples that it has learned from must not judge.

    Raises:
        DataError: as `read_takes`, nothing new to the base run, or a class with less than one
            window to learn from.
    """
    data = base.data
    there = read_takes(folder, Fit(data.channels, data.rate, data.lsb), resampled=wish.resampled)
    takes = [take for take in there if print_of(take) not in base.learned_from]
    if not takes:
        raise DataError(
            f"{folder}: the base run was taught from all of these recordings already; record more, "
            "or start from the run that it was made from"
        )
    names = class_names(takes)
    merged = merge(data.classes, names, redefine=wish.redefine, only_recorded=wish.only_recorded)
    found = divided(base, tuple(takes), merged, names, wish)
    return replace(found, known=len(there) - len(takes))


def print_of(recording: Recording) -> str:
    """SHA-256 of a recording's samples, whatever its classes are called."""
    return hashlib.sha256(np.ascontiguousarray(recording.signal).data).hexdigest()


def divided(
    base: Base,
    takes: tuple[Recording, ...],
    merged: Merged,
    names: tuple[str, ...],
    wish: Wish,
) -> Calibration:
    """Recordings at the band's rate and channels, split by time and cut."""
    data, recipe = base.data, base.recipe.data
    table = dict(zip(names, merged.of_recorded.tolist(), strict=True))
    numbers = np.array([table.get(a, GONE) for a in takes[0].activities], np.int64)
    labels = [one.labels for one in takes]
    found = stretches(labels) if recipe.within == "labels" else whole(labels)
    split = split_in_time(found, window=data.window, held_out=wish.held_out)
    limit = None if wish.seconds is None else max(round(wish.seconds * data.rate), 1)

    def cut(parts: tuple[Stretch, ...], stride: int, limit: int | None) -> Counted:
        return windows_of(
            takes,
            parts,
            window=data.window,
            stride=stride,
            lsb=data.lsb,
            numbers=numbers,
            threshold=recipe.threshold if recipe.within == "recording" else 0.0,
            limit=limit,
        )

    if limit is not None and limit < data.window:
        raise DataError(
            f"--seconds {wish.seconds:g}: less than the {data.window / data.rate:g} s that the "
            "base run's model looks at; allow at least so much of each class"
        )
    learn = cut(split.learn, dense_stride(data.window), limit)
    for name, number in table.items():
        if number not in learn.y:
            raise DataError(
                f"class '{name}': too short, there is no window of {data.window / data.rate:g} s "
                "of it to learn from, which is what the base run's model looks at; record more"
            )
    judge = cut(split.judge, min(recipe.stride, data.window), None)
    return Calibration(takes, merged, split, learn, judge, _seconds(takes, split, names, limit))


def _seconds(
    takes: tuple[Recording, ...], split: TimeSplit, names: tuple[str, ...], limit: int | None
) -> dict[str, float]:
    """How long each class was recorded in what is learned from."""
    activities, rate = takes[0].activities, takes[0].rate
    parts = [takes[part.recording].labels[part.begin : part.end] for part in split.learn]
    samples = {
        name: sum(int((labels == activities.index(name)).sum()) for labels in parts)
        for name in names
    }
    return {
        name: (count if limit is None else min(count, limit)) / rate
        for name, count in samples.items()
    }


def doubted(base: Base, calibration: Calibration, student: keras.Model) -> list[support.Doubt]:
    """What the calibration does not support, known before anything is trained."""
    merged, learn = calibration.merged, calibration.learn
    others = base.others(merged.unrecorded)
    few = np.random.default_rng(0).permutation(len(others))[:600]
    x = np.concatenate([base.inputs(learn.counts), others.x[few]])
    features = support.described(distill.logits(embedding(student), x, clip=base.clip), x)
    y = np.concatenate([learn.y, others.y[few]])
    recorded = {merged.classes[k] for k in merged.of_recorded}
    alike = [d for d in support.alike(merged.classes, features, y) if d.name in recorded]
    known = f"{calibration.known} are left out: {base.root} was taught from them already"
    return [
        *([support.Doubt("recordings", known)] if calibration.known else []),
        *support.too_few(calibration.seconds, base.data.window / base.data.rate),
        *support.clipped(merged.classes, learn.y, learn.counts),
        *alike,
        *_unjudged(calibration),
    ]


def _unjudged(calibration: Calibration) -> list[support.Doubt]:
    """Classes of which nothing, or next to nothing, is left to judge by."""
    merged = calibration.merged
    judged = np.bincount(calibration.judge.y, minlength=len(merged.classes))[merged.of_recorded]
    found = [
        support.Doubt(
            merged.classes[k], "too short to hold anything out: its figures are not measured"
        )
        for k, windows in zip(merged.of_recorded, judged, strict=True)
        if not windows
    ]
    few = int(((judged > 0) & (judged < support.FEWEST_WINDOWS)).sum())
    if few:
        found.append(
            support.Doubt(
                "figures",
                f"{few} of {len(judged)} recorded classes are judged by less than "
                f"{support.FEWEST_WINDOWS} later windows: take theirs as a hint, or record more",
            )
        )
    return found
