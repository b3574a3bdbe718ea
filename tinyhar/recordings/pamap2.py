"""PAMAP2: nine people, units on hand, chest and ankle, eighteen activities.

Reiss and Stricker, ISWC 2012; UCI 231. ``Protocol/subject1NN.dat`` at 100 Hz, 54 columns: timestamp
(s), activity id, heart rate, then 17 a unit: temperature, acc at 16 g (m/s^2), acc at 6 g, gyro
(rad/s), mag (uT), orientation (invalid by its authors' word). Taken: acc at 16 g (the 6 g one
saturates in running and jumping), gyro, mag. The activity id becomes the label and never a channel;
id 0 (transient) is unlabelled. Lost samples are NaN: holes of up to LONGEST_HOLE are bridged by a
straight line within the recording, at longer ones and at jumps in time the recording is split. Only
the Protocol folder is read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.grid import fill_short_holes, stretches
from tinyhar.recordings.recording import UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import numbers

RATE: Final = 100.0
COLUMNS: Final = 54
LONGEST_HOLE: Final = 20
"""Samples: 0.2 s."""
LARGEST_STEP: Final = 0.1
"""Seconds between two rows of one recording."""
SHORTEST: Final = 100
"""Samples: what is left between two holes must be a second long to be kept."""

POSITIONS: Final = ("hand", "chest", "ankle")
UNIT_START: Final = (3, 20, 37)
WITHIN_UNIT: Final = (1, 2, 3, 7, 8, 9, 10, 11, 12)
TAKEN: Final = tuple(start + offset for start in UNIT_START for offset in WITHIN_UNIT)
CHANNELS: Final = tuple(c for p in POSITIONS for c in triaxial(p, "acc", "gyro", "mag"))

NAMES: Final = {
    1: "lying",
    2: "sitting",
    3: "standing",
    4: "walking",
    5: "running",
    6: "cycling",
    7: "nordic_walking",
    9: "watching_TV",
    10: "computer_work",
    11: "car_driving",
    12: "ascending_stairs",
    13: "descending_stairs",
    16: "vacuum_cleaning",
    17: "ironing",
    18: "folding_laundry",
    19: "house_cleaning",
    20: "playing_soccer",
    24: "rope_jumping",
}
ACTIVITIES: Final = tuple(NAMES.values())


def read(source: Source) -> list[Recording]:
    """Usually one recording a subject, more where holes split it."""
    pattern = r"Protocol/subject(\d+)\.dat"
    found = members(source, pattern, "Protocol/subject1NN.dat")
    return [r for name, match in found for r in _subject(source, name, match[1])]


def _subject(source: Source, name: str, subject: str) -> list[Recording]:
    origin = f"{source.path}:{name}"
    table = numbers(source.read(name), origin, columns=COLUMNS, separator=" ")
    if np.isnan(table[:, -1]).all():
        raise DataError(f"{origin}: fewer than {COLUMNS} columns")
    labels = _labels(table[:, 1], origin)
    signal = np.ascontiguousarray(table[:, TAKEN], np.float32)
    jump = np.concatenate([[False], np.abs(np.diff(table[:, 0]) - 1 / RATE) > LARGEST_STEP])
    filled, pieces = 0, []
    for begin, end in _between(jump):
        bridged, lost = fill_short_holes(signal[begin:end], LONGEST_HOLE)
        filled += bridged
        pieces += [(begin + b, begin + e) for b, e in stretches(~lost, SHORTEST)]
    kept = sum(e - b for b, e in pieces)
    note = f"{filled} values bridged, {len(table) - kept} of {len(table)} samples lost"
    return [
        Recording(
            subject=subject,
            rate=RATE,
            channels=CHANNELS,
            signal=signal[b:e],
            labels=labels[b:e],
            activities=ACTIVITIES,
            source=f"{origin}:{b / RATE:.2f} s",
            notes=(note,) if number == 0 else (),
        )
        for number, (b, e) in enumerate(pieces)
    ]


def _labels(ids: NDArray[np.float32], origin: str) -> NDArray[np.int16]:
    numbered = {number: i for i, number in enumerate(NAMES)} | {0: UNLABELLED}
    unknown = {float(i) for i in np.unique(ids)} - {float(n) for n in numbered}
    if unknown:
        raise DataError(f"{origin}: no activity has id {sorted(unknown)[0]:g}; is column 2 the id?")
    return np.array([numbered[int(i)] for i in ids], np.int16)


def _between(jump: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = [0, *np.flatnonzero(jump).tolist(), len(jump)]
    return [(b, e) for b, e in pairwise(edges) if e > b]
