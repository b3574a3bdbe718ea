"""OpenPack: sixteen people packing parcels, units on both wrists and upper arms, ten operations.

Yoshimura, Morales, Maekawa, Hara, "OpenPack: a large-scale dataset for recognizing packaging works
in IoT-enabled logistic environments", PerCom 2024; https://open-pack.github.io, Zenodo 8145223,
version 1.0.0, an archive a worker, U0101.zip to U0210.zip. Of each, by the set's documentation:

    U0101/atr/atr01/S0100.csv       unixtime (ms), acc_x/y/z (g), gyro_x/y/z (deg/s), quat_w/x/y/z
                                    (not taken); DEVICES tells who sat where
    U0101/annotation/openpack-operations/S0100.csv
                                    uuid, user, session, box, id, operation, start, end, actions;
                                    times in ISO 8601 with their zone, ids as in OPERATIONS

Workers are people of PEOPLE where those came twice: subjects are people. A sample has the operation
from whose start to before whose end it was taken; "null" where the table says so (8100, also 8200,
which the set's authors count with it); where the table says nothing it is unlabelled (their own
tools take that for Null too). Where two lines overlap the later one holds.

The documentation says 30 Hz, but the example that it prints steps by 30 ms, so whichever of RATES a
file keeps to is its rate. Rows that are incomplete, or do not come after the row before, are
dropped; holes of up to LARGEST_STEP are bridged by straight lines, and longer ones split the
recording. The units were stamped by one clock: ``align`` joins them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.grid import onto_grid
from tinyhar.recordings.recording import STANDARD_GRAVITY, UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Archive, Folder, Source
from tinyhar.recordings.tables import named
from tinyhar.recordings.words import counted

RATES: Final = (30.0, 1000 / 30)
RATE_TOLERANCE: Final = 0.03
LARGEST_STEP: Final = 0.1
"""Seconds between two rows of one recording."""
SHORTEST: Final = 1.0
"""Seconds: what is left between two holes must be as long to be kept."""
TOO_MANY: Final = 0.01
"""Share of dropped rows from which on the file is another one than it seems."""

DEVICES: Final = {
    "atr01": "right_wrist",
    "atr02": "left_wrist",
    "atr03": "right_upper_arm",
    "atr04": "left_upper_arm",
}
PEOPLE: Final = {
    "U0202": "U0105",
    "U0203": "U0108",
    "U0204": "U0110",
    "U0205": "U0107",
    "U0210": "U0103",
}
"""Workers who had come before, under another id."""
OPERATIONS: Final = {
    100: "picking",
    200: "relocate_item_label",
    300: "assemble_box",
    400: "insert_items",
    500: "close_box",
    600: "attach_box_label",
    700: "scan_label",
    800: "attach_shipping_label",
    900: "put_on_back_table",
    1000: "fill_out_order",
    8100: "null",
}
NULL: Final = 8100
SYSTEM_ERROR: Final = 8200
"""Counted as null."""
ACTIVITIES: Final = tuple(OPERATIONS.values())
COLUMNS: Final = ("unixtime", "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
TO_SI: Final = np.array([STANDARD_GRAVITY] * 3 + [np.pi / 180] * 3)

_SENSORS: Final = r"(U0[12]\d\d)/atr/(atr0[1-4])/(S\d{4})\.csv"
_TABLE: Final = r"(U0[12]\d\d)/annotation/openpack-operations/(S\d{4})\.csv"
_WORKERS_ARCHIVE: Final = r"U0[12]\d\d\.zip"

Operations = list[tuple[float, float, int]]
"""Start and end (ms since 1970) and label of a session's operations."""


def read(source: Source) -> list[Recording]:
    """Recordings by worker, session and unit; several a file where holes split it.

    Raises:
        DataError: nothing in this layout, a column that is missing, a clock that is none, an
            operation that the set does not have, or a file that is damaged.
    """
    sources = (*_archives(source), source)  # where a worker is unpacked too, that holds
    sensors = _files(sources, _SENSORS)
    tables = _files(sources, _TABLE)
    if not sensors:
        raise DataError(
            f"{source.path}: holds no U0101/atr/atr01/S0100.csv or the like; is it OpenPack?"
        )
    operations = {key: _operations(*place) for key, place in tables.items()}
    order = sorted(sensors, key=lambda key: (key[0], key[2], key[1]))
    return [
        piece
        for user, device, session in order
        for piece in _unit(
            *sensors[user, device, session],
            (user, device, session),
            operations.get((user, session)),
        )
    ]


def _archives(source: Source) -> list[Archive]:
    """The workers' archives that lie in a folder as downloaded."""
    if not isinstance(source, Folder):
        return []
    found = [n for n in source.names() if re.fullmatch(_WORKERS_ARCHIVE, n.rsplit("/", 1)[-1])]
    return [Archive(source.path / name) for name in found]


def _files(sources: Iterable[Source], pattern: str) -> dict[tuple[str, ...], tuple[Source, str]]:
    """Where each file is, by the pattern's groups; an archive's name may tell the worker."""
    regex = re.compile(rf"(?:^|/){pattern}$")
    return {
        match.groups(): (source, name)
        for source in sources
        for name in source.names()
        if (match := regex.search(f"{source.path.stem}/{name}"))
    }


def _unit(
    source: Source, name: str, key: tuple[str, str, str], operations: Operations | None
) -> list[Recording]:
    user, device, session = key
    origin = f"{source.path}:{name}"
    table = named(source.read(name), origin, COLUMNS)[list(COLUMNS)].to_numpy(np.float64)
    keep = _usable(table, origin)
    stamps, values = table[keep, 0], table[keep, 1:] * TO_SI
    rate = _rate(stamps, origin)
    labels = _labels(stamps, operations or [])
    jump = np.flatnonzero(np.diff(stamps) > 1000 * LARGEST_STEP) + 1
    pieces = [
        (begin, end)
        for begin, end in pairwise([0, *jump.tolist(), len(stamps)])
        if stamps[end - 1] - stamps[begin] >= 1000 * SHORTEST
    ]
    notes = _notes(user, session, DEVICES[device], len(table) - len(stamps), len(jump))
    if operations is None:
        notes += (f"{user} {session}: no table of operations, all of it unlabelled",)
    recordings = []
    for number, (begin, end) in enumerate(pieces):
        times = (stamps[begin:end] - stamps[begin]) / 1000
        signal, named_samples = onto_grid(times, values[begin:end], labels[begin:end], rate)
        recordings.append(
            Recording(
                subject=PEOPLE.get(user, user),
                rate=rate,
                channels=triaxial(DEVICES[device], "acc", "gyro"),
                signal=signal,
                labels=named_samples,
                activities=ACTIVITIES,
                source=f"{origin}:{(stamps[begin] - stamps[0]) / 1000:.2f} s",
                notes=notes if number == 0 else (),
                session=f"{user}-{session}",
                start=float(stamps[begin] / 1000),
            )
        )
    return recordings


def _usable(table: NDArray[np.float64], origin: str) -> NDArray[np.bool_]:
    """Rows [t] that are complete and later than all before them."""
    keep = np.asarray(np.isfinite(table).all(axis=1))
    latest = np.maximum.accumulate(np.where(keep, table[:, 0], -np.inf))
    keep[1:] &= table[1:, 0] > latest[:-1]
    bad = np.flatnonzero(~keep)
    if len(bad) > TOO_MANY * len(table):
        raise DataError(
            f"{origin}: {len(bad)} of {counted(len(table), 'row')} are incomplete or do not come "
            f"after the row before (the first is line {bad[0] + 2}); is it the official file, and "
            "whole?"
        )
    return keep


def _rate(stamps: NDArray[np.float64], origin: str) -> float:
    """That of RATES which the stamps, in ms, keep to between holes."""
    if len(stamps) < 2:
        raise DataError(f"{origin}: holds {counted(len(stamps), 'sample')}")
    step = np.diff(stamps)
    mean = float(step[step <= 1.5 * np.median(step)].mean())
    rate = min(RATES, key=lambda rate: abs(1000 / mean - rate))
    if abs(1000 / mean / rate - 1) > RATE_TOLERANCE:
        raise DataError(
            f"{origin}: unixtime steps by {mean:g} instead of 30 or 33.3 ms; is it in milliseconds?"
        )
    return rate


def _notes(user: str, session: str, position: str, dropped: int, holes: int) -> tuple[str, ...]:
    told = []
    if dropped:
        told.append(f"{counted(dropped, 'row')} dropped")
    if holes:
        told.append(f"split at {counted(holes, 'hole')}")
    return (f"{user} {session}, {position}: {', '.join(told)}",) if told else ()


def _labels(stamps: NDArray[np.float64], operations: Operations) -> NDArray[np.int16]:
    labels = np.full(len(stamps), UNLABELLED, np.int16)
    for start, end, label in operations:
        first, last = np.searchsorted(stamps, [start, end])
        labels[first:last] = label
    return labels


def _operations(source: Source, name: str) -> Operations:
    origin = f"{source.path}:{name}"
    table = named(source.read(name), origin, ["id"], text=["start", "end"])
    index = {number: i for i, number in enumerate(OPERATIONS)}
    index[SYSTEM_ERROR] = index[NULL]
    operations = []
    for row, (number, start, end) in enumerate(
        zip(table["id"].tolist(), table["start"].tolist(), table["end"].tolist(), strict=True)
    ):
        line = f"{origin}: line {row + 2}"
        if number not in index:
            raise DataError(
                f"{line}: no operation has id {number:g}; there is "
                f"{', '.join(str(known) for known in index)}"
            )
        begin, until = _time(start, "start", line), _time(end, "end", line)
        if until < begin:
            raise DataError(f"{line}: the operation ends before it starts, {end} and {start}")
        operations.append((begin, until, index[number]))
    return operations


def _time(text: str, column: str, line: str) -> float:
    """Whole milliseconds since 1970, as the units' clocks count."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = datetime.min
    if time.tzinfo is None:
        raise DataError(
            f"{line}: {column} {text!r} is no time with its zone, such as "
            "2021-10-14 11:25:35.437000+09:00"
        )
    return float(round(time.timestamp() * 1000))
