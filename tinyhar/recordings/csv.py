"""Your own recordings: one .csv file a recording, in the folder DATA/csv (or DATA itself).

A file starts with comment lines that say what it is, then a header line, then one line a sample:

    # subject: anna
    # position: wrist
    # rate: 50
    time_s,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label
    0.00,0.12,-0.31,9.79,0.010,-0.002,0.004,resting
    0.02,0.15,-0.30,9.81,0.011,-0.001,0.003,resting
    0.04,0.90,-0.12,9.40,0.310,-0.020,0.051,drinking

Comments, each optional:

    subject   who wore it; else the file name up to the first "_" (anna_2.csv is anna's)
    position  where; else "wrist"
    rate      samples a second; else the usual step of time_s tells, rounded to a whole number
    unit acc  "m/s^2" (else this is taken) or "g"
    unit gyro "rad/s" (else this is taken) or "deg/s"

Columns, in any order:

    time_s               seconds, increasing; steps may jitter, samples are put on an even grid;
                         a step of over half a second is an error: make it two files
    acc_x acc_y acc_z    acceleration with gravity (a still sensor shows 1 g)
    gyro_x gyro_y gyro_z angular rate; may be absent, in all files alike
    label                the activity's name; empty where nobody knows. May be absent.

Every number must be there: an empty or unreadable one is an error, as is a column by another name.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.grid import onto_grid
from tinyhar.recordings.recording import (
    STANDARD_GRAVITY,
    UNLABELLED,
    Recording,
    require_finite,
    triaxial,
)
from tinyhar.recordings.source import Source
from tinyhar.recordings.tables import named

KEYS: Final = ("subject", "position", "rate", "unit acc", "unit gyro")
FACTORS: Final = {
    "acc": {"m/s^2": 1.0, "g": STANDARD_GRAVITY},
    "gyro": {"rad/s": 1.0, "deg/s": np.pi / 180},
}
COLUMNS: Final = {kind: tuple(f"{kind}_{axis}" for axis in "xyz") for kind in FACTORS}
LARGEST_STEP: Final = 0.5
"""Seconds."""


def read(source: Source) -> list[Recording]:
    """One recording a file, in the order of their names; activities of all files, sorted."""
    files = [name for name in source.names() if name.endswith(".csv")]
    recordings = [_read_file(source, name) for name in files]
    activities = tuple(sorted({a for recording in recordings for a in recording.activities}))
    return [_renumbered(recording, activities) for recording in recordings]


def _renumbered(recording: Recording, activities: tuple[str, ...]) -> Recording:
    table = [activities.index(name) for name in recording.activities]
    labels = np.array([*table, UNLABELLED], np.int16)[recording.labels]
    return replace(recording, activities=activities, labels=labels)


def _read_file(source: Source, name: str) -> Recording:
    origin = f"{source.path}/{name}"
    try:
        text = source.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{origin}: not UTF-8 text ({error.reason})") from error
    head, body = _comments(text, origin)
    header = [column.strip() for column in body.split("\n", 1)[0].split(",")]
    kinds = ["acc", *(["gyro"] if any(c.startswith("gyro") for c in header) else [])]
    _refuse_strangers(header, kinds, origin)
    wanted = ["time_s", *(column for kind in kinds for column in COLUMNS[kind])]
    labelled = ["label"] if "label" in header else []
    table = named(body.encode(), origin, wanted, text=labelled)
    values = table[wanted].to_numpy(np.float64)
    _check_times(values[:, 0], origin)
    rate = _rate(head, values[:, 0], origin)
    require_finite(values[:, 1:].astype(np.float32), rate, wanted[1:], origin)
    for i, kind in enumerate(kinds):
        values[:, 1 + 3 * i : 4 + 3 * i] *= _factor(head, kind, origin)
    activities, labels = _labels(table, bool(labelled))
    signal, labels = onto_grid(values[:, 0], values[:, 1:], labels, rate)
    return Recording(
        subject=head.get("subject") or PurePosixPath(name).stem.split("_")[0],
        rate=rate,
        channels=triaxial(head.get("position") or "wrist", *kinds),
        signal=signal,
        labels=labels,
        activities=activities,
        source=origin,
    )


def _comments(text: str, origin: str) -> tuple[dict[str, str], str]:
    """The comment lines' keys and values, and the rest of the file."""
    head: dict[str, str] = {}
    stream = io.StringIO(text.replace("\r\n", "\n"))
    while True:
        start = stream.tell()
        line = stream.readline()
        if line.startswith("#"):
            match = re.match(r"#\s*([^:]+?)\s*:\s*(.*?)\s*$", line)
            if match and match[1].lower() in KEYS:
                head[match[1].lower()] = match[2]
            elif match and match[1].lower().split()[0] in ("unit", "units"):
                raise DataError(f"{origin}: {match[1]!r} is not one of {', '.join(KEYS)}")
        elif line.strip() or not line:
            stream.seek(start)
            return head, stream.read()


def _refuse_strangers(header: list[str], kinds: list[str], origin: str) -> None:
    known = ["time_s", *(c for columns in COLUMNS.values() for c in columns), "label"]
    for column in header:
        if column not in known:
            raise DataError(f"{origin}: unknown column {column!r}; known are {', '.join(known)}")
    for column in ["time_s", *(c for kind in kinds for c in COLUMNS[kind])]:
        if column not in header:
            raise DataError(f"{origin}: no column {column}; there is {', '.join(header)}")


def _check_times(times: NDArray[np.float64], origin: str) -> None:
    if len(times) < 2:
        raise DataError(f"{origin}: one sample is no recording")
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0])
        raise DataError(f"{origin}: time_s of sample {row + 1} is not a number")
    step = np.diff(times)
    if (step <= 0).any():
        row = int(np.flatnonzero(step <= 0)[0])
        raise DataError(
            f"{origin}: time_s does not increase from sample {row + 1} ({times[row]:g} s) to the "
            f"next ({times[row + 1]:g} s)"
        )
    if step.max() > LARGEST_STEP:
        row = int(step.argmax())
        raise DataError(
            f"{origin}: nothing for {step.max():.2f} s after {times[row]:g} s; "
            "make it two files there"
        )


def _rate(head: dict[str, str], times: NDArray[np.float64], origin: str) -> float:
    step = np.diff(times)
    mean, median = float(step.mean()), float(np.median(step))
    # Jitter moves the median, lost samples move the mean: believe the mean while they are close.
    measured = 1 / (mean if abs(mean / median - 1) < 0.05 else median)
    if "rate" not in head:
        return float(max(round(measured), 1))
    try:
        rate = float(head["rate"])
    except ValueError as error:
        raise DataError(f"{origin}: rate {head['rate']!r} is not a number of Hz") from error
    if not 0.8 < rate / measured < 1.25:
        raise DataError(f"{origin}: rate says {rate:g} Hz, but time_s runs at {measured:.1f} Hz")
    return rate


def _factor(head: dict[str, str], kind: str, origin: str) -> float:
    factors = FACTORS[kind]
    unit = head.get(f"unit {kind}", next(iter(factors)))
    if unit not in factors:
        raise DataError(f"{origin}: unknown unit {unit!r} for {kind}; use {' or '.join(factors)}")
    return factors[unit]


def _labels(table: Any, labelled: bool) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    if not labelled:
        return (), np.full(len(table), UNLABELLED, np.int16)
    names = table["label"].str.strip()
    activities = tuple(sorted(set(names) - {""}))
    index = {name: i for i, name in enumerate(activities)} | {"": UNLABELLED}
    return activities, names.map(index).to_numpy(np.int16)
