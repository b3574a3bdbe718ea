"""Recordings to windows: resample, cut, label.

Two ways to cut. ``within="labels"`` cuts inside each run of one activity, from the run's first
sample: the way of the published protocols, no window ever mixes activities. ``within="recording"``
slides over everything as a band does and takes the majority label, so that transitions are in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings import UNLABELLED, Channel, Recording

LARGEST_RATIO: Final = 200
"""Neither p nor q of a resampling ratio p/q may exceed this: the filter grows with them."""

CRYSTAL: Final = 50e-6
"""How far a sensor's clock may be off its nominal rate, relative."""

MAJORITY: Final = 0.5
"""Share of a window that its most frequent label must hold at least, unless told otherwise."""


def is_rate(rate: float, wanted: float) -> bool:
    """Whether two rates are one within what a crystal is off by anyway, or a file rounds."""
    return math.isclose(rate, wanted, rel_tol=CRYSTAL)


def resample(recording: Recording, rate: float) -> Recording:
    """The recording at another rate, by scipy's polyphase filter; labels go to the nearest sample.

    Raises DataError when new rate / old rate is no p/q with p and q at most LARGEST_RATIO.
    """
    if not rate > 0:
        raise DataError(f"cannot resample to {rate} Hz: a rate is positive")
    if is_rate(recording.rate, rate):
        return replace(recording, rate=rate)
    ratio = Fraction(rate / recording.rate).limit_denominator(LARGEST_RATIO)
    if abs(float(ratio) * recording.rate / rate - 1) > 1e-9 or ratio.numerator > LARGEST_RATIO:
        raise DataError(
            f"{recording.source}: {recording.rate:g} Hz cannot be resampled to {rate:g} Hz, their "
            f"ratio is no p/q up to {LARGEST_RATIO}; choose a rate that divides, such as "
            f"{recording.rate / 2:g}"
        )
    from scipy.signal import resample_poly

    up, down = ratio.numerator, ratio.denominator
    # "line" first takes away the straight line through the ends: gravity does not ring there.
    signal = resample_poly(recording.signal, up, down, axis=0, padtype="line")
    nearest = np.rint(np.arange(len(signal)) * (down / up)).astype(int)
    labels = recording.labels[np.minimum(nearest, len(recording) - 1)]
    return replace(recording, rate=rate, signal=signal.astype(np.float32), labels=labels)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of equal length, each with one label and one subject.

    Args:
        x: float32 [n, time, channel] in the channels' units.
        y: int64 [n], index into ``activities``.
        subject: str [n].
        activities: the classes.
        rate: Hz.
        channels: what the last axis of ``x`` is.
        recording: int64 [n], which recording (in the order given to ``cut``) a window is from.
        start: int64 [n], its first sample there.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    subject: NDArray[np.str_]
    activities: tuple[str, ...]
    rate: float
    channels: tuple[Channel, ...]
    recording: NDArray[np.int64]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Who is in it, each once, in order of appearance."""
        return tuple(dict.fromkeys(self.subject.tolist()))

    def only(self, subjects: Iterable[str]) -> Windows:
        """The windows of these subjects, in their order; DataError for one that is not there."""
        wanted = list(subjects)
        missing = sorted(set(wanted) - set(self.subjects))
        if missing:
            raise DataError(
                f"no windows of subject {', '.join(missing)}; there is {', '.join(self.subjects)}"
            )
        return self.take(np.flatnonzero(np.isin(self.subject, wanted)))

    def take(self, index: NDArray[np.int64]) -> Windows:
        """The windows at these indices."""
        return replace(
            self,
            x=self.x[index],
            y=self.y[index],
            subject=self.subject[index],
            recording=self.recording[index],
            start=self.start[index],
        )


def cut(
    recordings: Sequence[Recording],
    *,
    window: int,
    stride: int,
    activities: Sequence[str] | None = None,
    threshold: float = MAJORITY,
    within: Literal["labels", "recording"] = "labels",
) -> Windows:
    """Cut recordings of equal rate and channels into labelled windows.

    Args:
        recordings: what to cut; resample and select first.
        window: samples in a window.
        stride: samples from one window's start to the next.
        activities: the classes, in this order; None takes all that the recordings know.
        threshold: with within="recording": the most frequent label must hold at least this share of
            the window, else the window is dropped, as it is when more samples have no label (or one
            of another activity) than have that one. 0 keeps every window that has a most frequent
            label. Of equally frequent labels the one listed first wins.
        within: "labels" or "recording", see the module's text.

    Raises:
        DataError: an unknown activity, mixed rates or channels, or nothing to cut.
    """
    if window < 1 or stride < 1:
        raise DataError(f"window={window} and stride={stride} samples: both must be at least 1")
    if not 0 <= threshold <= 1:
        raise DataError(f"threshold={threshold}: a share of a window is between 0 and 1")
    if within not in ("labels", "recording"):
        raise DataError(f'within={within!r}: "labels" or "recording"')
    first = _common(recordings)
    classes = _classes(recordings, activities)
    labels = [_relabel(recording, classes) for recording in recordings]
    plans = [
        _inside_runs(y, window, stride)
        if within == "labels"
        else _sliding(y, window, stride, threshold, len(classes))
        for y in labels
    ]
    count = sum(len(starts) for starts, _ in plans)
    if not count:
        raise DataError(
            f"{len(recordings)} recordings hold no window of {window} samples "
            f"({window / first.rate:.2f} s) of {', '.join(classes)}"
        )
    x = np.empty((count, window, len(first.channels)), np.float32)
    at = 0
    for recording, (starts, _) in zip(recordings, plans, strict=True):
        for start in starts:
            x[at] = recording.signal[start : start + window]
            at += 1
    sizes = [len(starts) for starts, _ in plans]
    return Windows(
        x=x,
        y=np.concatenate([y for _, y in plans]),
        subject=np.repeat(np.array([r.subject for r in recordings]), sizes),
        activities=classes,
        rate=first.rate,
        channels=first.channels,
        recording=np.repeat(np.arange(len(recordings)), sizes),
        start=np.concatenate([starts for starts, _ in plans]),
    )


def _common(recordings: Sequence[Recording]) -> Recording:
    """The first recording, if all others have its rate and channels."""
    if not recordings:
        raise DataError("no recordings to cut windows from")
    first = recordings[0]
    for other in recordings:
        if other.rate != first.rate:
            raise DataError(
                f"{other.source}: {other.rate:g} Hz, but {first.source} has {first.rate:g} Hz; "
                "resample them to one rate"
            )
        if other.channels != first.channels:
            raise DataError(
                f"{other.source}: channels {', '.join(c.name for c in other.channels)} differ from "
                f"those of {first.source}: {', '.join(c.name for c in first.channels)}; "
                "select one position and the same kinds"
            )
    return first


def _classes(recordings: Sequence[Recording], activities: Sequence[str] | None) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(a for recording in recordings for a in recording.activities))
    if not known:
        raise DataError(
            f"{recordings[0].source}: no activity has a name, here or in any other recording: fill "
            "the column 'label'"
        )
    if activities is None:
        return known
    for activity in activities:
        if activity not in known:
            raise DataError(f"no activity is called {activity!r}; there is {', '.join(known)}")
    if len(set(activities)) != len(activities):
        raise DataError(f"an activity is named twice: {', '.join(activities)}")
    return tuple(activities)


def _relabel(recording: Recording, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Labels [time] as indices into ``classes``; all other activities become unlabelled."""
    position = {name: i for i, name in enumerate(classes)}
    table = [position.get(name, UNLABELLED) for name in recording.activities]
    return np.array([*table, UNLABELLED])[recording.labels]  # -1 takes the last entry


Plan = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Starts [n] and labels [n] of one recording's windows."""


def _inside_runs(labels: NDArray[np.int64], window: int, stride: int) -> Plan:
    edges = np.flatnonzero(np.diff(labels)) + 1
    begins = np.concatenate([[0], edges]).astype(np.int64)
    ends = np.concatenate([edges, [len(labels)]])
    starts = [
        np.arange(begin, end - window + 1, stride, dtype=np.int64)
        for begin, end in zip(begins, ends, strict=True)
        if begin < end and labels[begin] != UNLABELLED
    ]
    joined = np.concatenate([np.empty(0, np.int64), *starts])
    return joined, labels[joined]


def _sliding(
    labels: NDArray[np.int64], window: int, stride: int, threshold: float, classes: int
) -> Plan:
    starts = np.arange(0, len(labels) - window + 1, stride, dtype=np.int64)
    # Running count of each class, so that a window's counts are one subtraction.
    running = np.zeros((len(labels) + 1, classes), np.int64)
    np.cumsum(labels[:, None] == np.arange(classes), axis=0, out=running[1:])
    counts = running[starts + window] - running[starts]
    majority = counts.argmax(axis=1)
    most = counts.max(axis=1)
    keep = (most > 0) & (most >= threshold * window) & (most >= window - counts.sum(axis=1))
    return starts[keep], majority[keep].astype(np.int64)
