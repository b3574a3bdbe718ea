"""UCI HAR: thirty people with a smartphone on the waist, already cut into windows.

Anguita et al., ESANN 2013; UCI 240. ``{train,test}/Inertial Signals/KIND_AXIS_SIDE.txt`` hold
windows of 128 samples at 50 Hz that overlap by half: total_acc and body_acc (g), body_gyro (rad/s),
all filtered.

Consecutive windows of one person and activity whose halves are equal are joined into one recording
again; where the halves differ or the activity changes, a new recording begins. So cutting by 128
with stride 64 gives exactly the official windows. ``acc`` is total_acc (with gravity), ``body_acc``
the published high-pass part. HAPT holds the same people's raw signals: prefer it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import STANDARD_GRAVITY, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import numbers

RATE: Final = 50.0
WINDOW: Final = 128
HALF: Final = WINDOW // 2
ACTIVITIES: Final = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
)
SIGNALS: Final = {"total_acc": STANDARD_GRAVITY, "body_gyro": 1.0, "body_acc": STANDARD_GRAVITY}


def read(source: Source) -> list[Recording]:
    """One recording a chain of overlapping windows, train first, then test."""
    return [recording for side in ("train", "test") for recording in _side(source, side)]


def _table(source: Source, path: str, columns: int) -> NDArray[np.float32]:
    ((name, _), *_rest) = members(source, path.replace(".", r"\."), path)
    return numbers(source.read(name), f"{source.path}:{name}", columns=columns, separator=" ")


def _side(source: Source, side: str) -> list[Recording]:
    signals = [
        _table(source, f"{side}/Inertial Signals/{kind}_{axis}_{side}.txt", WINDOW) * factor
        for kind, factor in SIGNALS.items()
        for axis in "xyz"
    ]
    lengths = sorted({len(signal) for signal in signals})
    if len(lengths) > 1:
        raise DataError(
            f"{source.path}: signals of {side} have from {lengths[0]} to {lengths[-1]} windows: "
            "one is cut off; fetch the archive again"
        )
    windows = np.stack(signals, axis=2).astype(np.float32)
    labels = _table(source, f"{side}/y_{side}.txt", 1)[:, 0].astype(int)
    subjects = _table(source, f"{side}/subject_{side}.txt", 1)[:, 0].astype(int)
    if not len(windows) == len(labels) == len(subjects):
        raise DataError(
            f"{source.path}: {side} has {len(windows)} windows, {len(labels)} labels and "
            f"{len(subjects)} subjects"
        )
    if labels.min() < 1 or labels.max() > len(ACTIVITIES):
        raise DataError(f"{source.path}: y_{side}.txt names an activity outside 1..6")
    return [
        _chain(source, side, windows[b:e], int(subjects[b]), int(labels[b]), b)
        for b, e in _chains(windows, labels, subjects)
    ]


def _chains(
    windows: NDArray[np.float32], labels: NDArray[np.int_], subjects: NDArray[np.int_]
) -> list[tuple[int, int]]:
    joined = (
        (windows[:-1, HALF:] == windows[1:, :HALF]).all(axis=(1, 2))
        & (labels[:-1] == labels[1:])
        & (subjects[:-1] == subjects[1:])
    )
    edges = [0, *(np.flatnonzero(~joined) + 1).tolist(), len(windows)]
    return list(pairwise(edges))


def _chain(
    source: Source, side: str, windows: NDArray[np.float32], subject: int, label: int, first: int
) -> Recording:
    signal = np.concatenate([windows[0], *windows[1:, HALF:]])
    return Recording(
        subject=str(subject),
        rate=RATE,
        channels=triaxial("waist", "acc", "gyro", "body_acc"),
        signal=signal,
        labels=np.full(len(signal), label - 1, np.int16),
        activities=ACTIVITIES,
        source=f"{source.path}:{side}:window {first + 1}",
    )
