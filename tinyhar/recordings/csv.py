"""Your own recordings: one .csv file a recording, in the folder DATA/csv (or DATA itself).

A file starts with comment lines that say what it is, then a header line, then one line a sample:

    # subject: anna
    # position: wrist
    # rate: 50
    # note: at the kitchen table
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
    note      whatever you want to remember; any number of them

A comment without a colon is free text too; one by another name is an error.

Columns, in any order:

    time_s               seconds, increasing; steps may jitter, samples are put on an even grid;
                         a step of over half a second is an error: make it two files
    acc_x acc_y acc_z    acceleration with gravity (a still sensor shows 1 g)
    gyro_x gyro_y gyro_z angular rate; may be absent, in all files of a position alike
                         (then say `kinds = ["acc"]` in the recipe's table [data])
    label                the activity's name; empty where nobody knows. May be absent.

Every number must be there: an empty or unreadable one is an error, as is a column by another name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings import csv_faults as faults
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

KEYS: Final = ("subject", "position", "rate", "unit acc", "unit gyro", "note")
FACTORS: Final = {
    "acc": {"m/s^2": 1.0, "g": STANDARD_GRAVITY},
    "gyro": {"rad/s": 1.0, "deg/s": np.pi / 180},
}
COLUMNS: Final = {kind: tuple(f"{kind}_{axis}" for axis in "xyz") for kind in FACTORS}
KNOWN: Final = ("time_s", *COLUMNS["acc"], *COLUMNS["gyro"], "label")


def read(source: Source) -> list[Recording]:
    """One recording a file, in the order of their names; activities of all files, sorted."""
    files = [name for name in source.names() if name.endswith(".csv")]
    recordings = [_read_file(source, name) for name in files]
    _check_alike(recordings)
    _check_names(recordings)
    activities = tuple(sorted({a for recording in recordings for a in recording.activities}))
    return [_renumbered(recording, activities) for recording in recordings]


def _renumbered(recording: Recording, activities: tuple[str, ...]) -> Recording:
    table = [activities.index(name) for name in recording.activities]
    labels = np.array([*table, UNLABELLED], np.int16)[recording.labels]
    return replace(recording, activities=activities, labels=labels)


def _check_alike(recordings: list[Recording]) -> None:
    """DataError names a file that lacks a sensor which another has at the same position."""
    fullest: dict[tuple[str, ...], Recording] = {}
    for recording in sorted(recordings, key=lambda r: -len(r.channels)):
        other = fullest.setdefault(recording.positions, recording)
        lacking = sorted({c.kind for c in other.channels} - {c.kind for c in recording.channels})
        if lacking:
            columns = ", ".join(column for kind in lacking for column in COLUMNS[kind])
            raise DataError(
                f"{recording.source}: has no {columns}, but {PurePosixPath(other.source).name} "
                "has; give all files of a position the same columns, or move this one elsewhere"
            )


def _check_names(recordings: list[Recording]) -> None:
    """DataError names two spellings of one person or activity: they would count as two."""
    for what in ("subject", "activity"):
        seen: dict[str, tuple[str, str]] = {}
        for recording in recordings:
            names = recording.activities if what == "activity" else (recording.subject,)
            for name in names:
                other, file = seen.setdefault(name.casefold().strip(), (name, recording.source))
                if other != name:
                    raise DataError(
                        f"{recording.source}: {what} '{name}', but {PurePosixPath(file).name} says "
                        f"'{other}': write both alike if they are one, else rename one"
                    )


def _read_file(source: Source, name: str) -> Recording:
    origin = f"{source.path}/{name}"
    try:
        text = source.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{origin}: not UTF-8 text ({error.reason})") from error
    lines = text.replace("\r\n", "\n").split("\n")
    head, start = _comments(lines, origin)
    columns, kinds = _header(lines, start, origin)
    wanted = ["time_s", *(column for kind in kinds for column in COLUMNS[kind])]
    labelled = ["label"] if "label" in columns else []
    table = named("\n".join(lines[start:]).encode(), origin, wanted, text=labelled)
    times = table["time_s"].to_numpy(np.float64)
    faults.check_times(times, origin)
    rate = _rate(head, times, origin)
    values = table[wanted[1:]].to_numpy(np.float64)
    require_finite(values.astype(np.float32), rate, wanted[1:], origin)
    parts = np.split(values, len(kinds), axis=1)
    scaled = [
        part * _factor(head, kind, part, origin) for kind, part in zip(kinds, parts, strict=True)
    ]
    activities, labels = _labels(table, bool(labelled))
    signal, labels = onto_grid(times, np.concatenate(scaled, axis=1), labels, rate)
    return Recording(
        subject=head.get("subject") or PurePosixPath(name).stem.split("_")[0],
        rate=rate,
        channels=triaxial(head.get("position") or "wrist", *kinds),
        signal=signal,
        labels=labels,
        activities=activities,
        source=origin,
    )


def _comments(lines: list[str], origin: str) -> tuple[dict[str, str], int]:
    """The comments' keys and values, and the index of the header line."""
    head: dict[str, str] = {}
    for index, line in enumerate(lines):
        if line.startswith("#"):
            match = re.match(r"#\s*([^:]*?)\s*:\s*(.*?)\s*$", line)
            if match:
                head[_known_key(match[1], origin)] = match[2]
            else:
                _check_free_text(line, origin)
        elif line.strip():
            return head, index
    return head, len(lines)


def _known_key(key: str, origin: str) -> str:
    plain = " ".join(key.lower().split())
    if plain not in KEYS:
        raise DataError(
            f"{origin}: unknown comment '# {key}:'; {faults.hint(plain, KEYS, alike=0.8)} "
            "(free text goes behind '# note:')"
        )
    return plain


def _check_free_text(line: str, origin: str) -> None:
    """A comment that begins like a key but has no colon is a slip of the pen."""
    words = line.strip("# \t").replace("=", " ").lower().split()
    for key in KEYS:
        if words[: len(key.split())] == key.split():
            raise DataError(f"{origin}: {line.strip()!r} has no colon; write '# {key}: ...'")


def _header(lines: list[str], start: int, origin: str) -> tuple[list[str], list[str]]:
    """The columns' names and the kinds of sensor among them; every line fits the header."""
    first, *rest = lines[start:] or [""]
    faults.check_header(first, "\n".join(rest[:2]), KNOWN, origin)
    columns = [column.strip() for column in first.split(",")]
    kinds = ["acc", *(["gyro"] if any(c.startswith("gyro") for c in columns) else [])]
    for column in ["time_s", *(c for kind in kinds for c in COLUMNS[kind])]:
        if column not in columns:
            raise DataError(f"{origin}: no column {column}; there is {', '.join(columns)}")
    faults.check_fields(rest, len(columns), start + 2, origin)
    return columns, kinds


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


def _factor(head: dict[str, str], kind: str, values: NDArray[np.float64], origin: str) -> float:
    """What to multiply a kind's values [t, 3] by; they must look like the unit that they are in."""
    factors = FACTORS[kind]
    unit = head.get(f"unit {kind}", next(iter(factors)))
    if unit not in factors:
        raise DataError(f"{origin}: unknown unit {unit!r} for {kind}; use {' or '.join(factors)}")
    if kind == "acc":
        faults.check_acceleration(values, unit, factors, origin)
    else:
        faults.check_turning(values, unit, origin)
    return factors[unit]


def _labels(table: Any, labelled: bool) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    if not labelled:
        return (), np.full(len(table), UNLABELLED, np.int16)
    names = table["label"].str.strip()
    activities = tuple(sorted(set(names) - {""}))
    index = {name: i for i, name in enumerate(activities)} | {"": UNLABELLED}
    return activities, names.map(index).to_numpy(np.int16)
