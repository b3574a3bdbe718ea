"""HAPT: thirty people with a smartphone on the waist, and the transitions between postures.

Reyes-Ortiz et al., Neurocomputing 2016; UCI 341; the raw signals behind UCI HAR.
``RawData/acc_expNN_userMM.txt`` (g), ``gyro_expNN_userMM.txt`` (rad/s), 50 Hz; ``labels.txt`` holds
experiment, user, activity id, first and last sample (1-based, inclusive).
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import STANDARD_GRAVITY, UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import numbers

RATE: Final = 50.0
ACTIVITIES: Final = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
    "STAND_TO_SIT",
    "SIT_TO_STAND",
    "SIT_TO_LIE",
    "LIE_TO_SIT",
    "STAND_TO_LIE",
    "LIE_TO_STAND",
)


def read(source: Source) -> list[Recording]:
    """One recording an experiment, all twelve activities, unlabelled in between."""
    intervals = _intervals(source)
    found = members(source, r"RawData/acc_exp(\d+)_user(\d+)\.txt", "RawData/acc_expNN_userMM.txt")
    return [
        _experiment(source, name, int(match[1]), int(match[2]), intervals) for name, match in found
    ]


def _intervals(source: Source) -> NDArray[np.int64]:
    ((name, _), *_rest) = members(source, r"RawData/labels\.txt", "RawData/labels.txt")
    try:
        table = np.loadtxt(io.BytesIO(source.read(name)), dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise DataError(f"{source.path}: {name} is not a table of integers ({error})") from error
    if table.shape[1] != 5:
        raise DataError(f"{source.path}: {name} has {table.shape[1]} columns instead of 5")
    return table


def _experiment(
    source: Source, name: str, experiment: int, user: int, intervals: NDArray[np.int64]
) -> Recording:
    origin = f"{source.path}:{name}"
    partner = name.replace("acc_exp", "gyro_exp")
    if partner not in source.names():
        raise DataError(f"{source.path}: {partner} is missing beside {name}")
    acc = numbers(source.read(name), origin, columns=3, separator=" ") * STANDARD_GRAVITY
    gyro = numbers(source.read(partner), f"{source.path}:{partner}", columns=3, separator=" ")
    if len(acc) != len(gyro):
        raise DataError(f"{origin}: {len(acc)} samples, but {partner} has {len(gyro)}")
    return Recording(
        subject=str(user),
        rate=RATE,
        channels=triaxial("waist", "acc", "gyro"),
        signal=np.concatenate([acc, gyro], axis=1).astype(np.float32),
        labels=_labels(intervals[intervals[:, 0] == experiment], len(acc), origin),
        activities=ACTIVITIES,
        source=origin,
    )


def _labels(intervals: NDArray[np.int64], samples: int, origin: str) -> NDArray[np.int16]:
    labels = np.full(samples, UNLABELLED, np.int16)
    for _, _, activity, first, last in intervals:
        if not (1 <= activity <= len(ACTIVITIES) and 1 <= first <= last <= samples):
            raise DataError(
                f"{origin}: labels.txt names activity {activity} for samples {first}..{last}; "
                f"there are {len(ACTIVITIES)} activities and {samples} samples"
            )
        labels[first - 1 : last] = activity - 1
    return labels
