"""WISDM v1.1: thirty-six people with a phone in the front trouser pocket, accelerometer only.

Kwapisz, Weiss, Moore, SIGKDD Explorations 2010. ``WISDM_ar_v1.1_raw.txt`` holds records
``user,activity,timestamp,x,y,z;`` at 20 Hz, acc in m/s^2, timestamps in ns.

The file is known to be broken in places: values missing, several records on a line, commas before
the semicolon, timestamps of zero. Whole records are taken wherever they stand, the rest is dropped
and counted (``notes`` of the first recording). Time is taken as even at 20 Hz; where timestamps run
backwards or jump by over half a second, or the user changes, a new recording begins. Pieces of
under a second are dropped.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import Recording, triaxial
from tinyhar.recordings.source import Source, members

RATE: Final = 20.0
LARGEST_GAP: Final = 500_000_000
"""Nanoseconds between two samples of one recording."""
ACTIVITIES: Final = ("Walking", "Jogging", "Upstairs", "Downstairs", "Sitting", "Standing")

_NUMBER = rb"-?\d*\.?\d+(?:[eE]-?\d+)?"
_RECORD = re.compile(
    rb"(\d+),(Walking|Jogging|Upstairs|Downstairs|Sitting|Standing),(\d+),"
    rb"(%(n)s),(%(n)s),(%(n)s)(?=[,;\s]|$)" % {b"n": _NUMBER}
)


def read(source: Source) -> list[Recording]:
    """One recording a stretch of one user without a gap; activities change within it."""
    ((name, _), *_rest) = members(source, r"WISDM_ar_v1\.1_raw\.txt", "WISDM_ar_v1.1_raw.txt")
    origin = f"{source.path}:{name}"
    content = source.read(name)
    records = _RECORD.findall(content)
    if not records:
        raise DataError(f"{origin}: no record of the form user,activity,timestamp,x,y,z;")
    fragments = re.split(rb"[;\n]", _RECORD.sub(b"", content))
    broken = sum(1 for piece in fragments if piece.strip(b" ,\r\t"))
    users = np.array([int(r[0]) for r in records])
    stamps = np.array([int(r[2]) for r in records], np.int64)
    labels = np.array([ACTIVITIES.index(r[1].decode()) for r in records], np.int16)
    signal = np.array([r[3:6] for r in records]).astype(np.float32)
    timed = stamps > 0
    pieces = _pieces(users[timed], stamps[timed])
    kept = [(b, e) for b, e in pieces if e - b >= RATE]
    short = int(timed.sum()) - sum(e - b for b, e in kept)
    notes = (
        f"{broken} broken records, {int((~timed).sum())} without a timestamp and {short} in pieces "
        "of under a second were dropped",
    )
    return [
        Recording(
            subject=str(users[timed][b]),
            rate=RATE,
            channels=triaxial("trouser_pocket", "acc"),
            signal=signal[timed][b:e],
            labels=labels[timed][b:e],
            activities=ACTIVITIES,
            source=f"{origin}:user {users[timed][b]}",
            notes=notes if number == 0 else (),
        )
        for number, (b, e) in enumerate(kept)
    ]


def _pieces(users: NDArray[np.int_], stamps: NDArray[np.int64]) -> list[tuple[int, int]]:
    step = np.diff(stamps)
    broken = (np.diff(users) != 0) | (step < 0) | (step > LARGEST_GAP)
    edges = [0, *(np.flatnonzero(broken) + 1).tolist(), len(users)]
    return list(pairwise(edges))
