"""A user's calibration recordings: read from a folder and checked against the band they are for.

The folder holds files of the `csv` format (:mod:`tinyhar.recordings.csv`), one or several classes a
file. A `calibration.json` beside them may say which were rejected when they were recorded, and
label files without labels:

    {"takes": [{"file": "drinking_1.csv", "label": "drinking", "rejected": false}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tinyhar.convert.bundle_format import is_name
from tinyhar.errors import DataError
from tinyhar.personal.scale import check_scale
from tinyhar.recordings import UNLABELLED, Channel, Recording, csv
from tinyhar.recordings.source import Folder
from tinyhar.windows import is_rate, resample

PLAN: Final = "calibration.json"
LONGEST_NAME: Final = 255
"""Bytes of a class's name in UTF-8."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What recordings must fit: the sensor of the base run's band.

    ``lsb`` is what a count is worth in each channel's unit.
    """

    channels: tuple[Channel, ...]
    rate: float
    lsb: np.ndarray


class _Chosen(Folder):
    """The .csv files of a folder but those that were rejected."""

    def __init__(self, path: Path, rejected: frozenset[str]) -> None:
        super().__init__(path, "*.csv")
        self.rejected = rejected

    def names(self) -> list[str]:
        """In the order in which they were recorded: drinking_2.csv before drinking_10.csv."""
        kept = [name for name in super().names() if name not in self.rejected]
        return sorted(kept, key=lambda name: [(len(n), n) for n in re.split(r"(\d+)", name)])


def read_takes(folder: Path, fit: Fit, *, resampled: bool = False) -> list[Recording]:
    """The accepted recordings of a folder, through the band's channels, activities alike.

    Args:
        folder: holds .csv files.
        fit: what they must be like.
        resampled: bring recordings at another rate to the band's instead of refusing them.

    Raises:
        DataError: a folder without recordings, or one of them that is damaged, has no labels, was
            worn elsewhere, lacks a sensor, runs at another rate or was made at another full scale,
            or holds the same movement as another.
    """
    plan = _plan(folder)
    source = _Chosen(folder, frozenset(name for name, take in plan.items() if take["rejected"]))
    if not source.names():
        what = "no .csv recording" if not plan else "no accepted recording"
        raise DataError(f"{folder}: holds {what}; record a few seconds of each class there first")
    found = [_labelled(one, plan) for one in csv.read(source)]
    found = _alike_activities(found)
    fitting = [_fitting(one, fit, resampled) for one in found]
    _check_twice(fitting)
    return fitting


def class_names(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """The classes that were recorded, in the order of the recordings' activities.

    Raises:
        DataError: a name that a bundle cannot hold.
    """
    there = {
        one.activities[label]
        for one in recordings
        for label in np.unique(one.labels)
        if label != UNLABELLED
    }
    for name in sorted(there):
        if len(name.encode()) > LONGEST_NAME or not is_name(name):
            raise DataError(
                f"class '{name[:40]}...': a band holds names of up to {LONGEST_NAME} bytes "
                "without control characters; rename it"
            )
    return tuple(name for name in recordings[0].activities if name in there)


def _plan(folder: Path) -> dict[str, dict[str, Any]]:
    """What calibration.json says of each file; empty where there is none."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name one that holds your .csv recordings")
    file = folder / PLAN
    if not file.exists():
        return {}
    try:
        takes = json.loads(file.read_text(encoding="utf-8"))["takes"]
        return {
            str(take["file"]): {
                "label": take.get("label"),
                "rejected": bool(take.get("rejected", False)),
            }
            for take in takes
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file}: damaged ({error}); expected "
            '{"takes": [{"file": ..., "label": ..., "rejected": ...}]}, or no such file'
        ) from error


def _labelled(one: Recording, plan: dict[str, dict[str, Any]]) -> Recording:
    if (one.labels != UNLABELLED).any():
        return one
    name = Path(one.source).name
    label = plan.get(name, {}).get("label")
    if not label:
        raise DataError(
            f"{one.source}: nothing in it has a label; fill its column label, or name its class in "
            f"{PLAN}"
        )
    return replace(one, activities=(str(label),), labels=np.zeros(len(one), np.int16))


def _alike_activities(found: list[Recording]) -> list[Recording]:
    """The recordings with one list of activities for all."""
    names = tuple(sorted({name for one in found for name in one.activities}))
    tables = [
        np.array([*(names.index(name) for name in one.activities), UNLABELLED], np.int16)
        for one in found
    ]
    return [
        replace(one, activities=names, labels=table[one.labels])
        for one, table in zip(found, tables, strict=True)
    ]


def _fitting(one: Recording, fit: Fit, resampled: bool) -> Recording:
    """The recording through the band's channels, at its rate."""
    positions = tuple(dict.fromkeys(channel.position for channel in fit.channels))
    if one.positions != positions:
        raise DataError(
            f"{one.source}: worn at '{', '.join(one.positions)}', but the base run's band at "
            f"'{', '.join(positions)}'; if that is the same, write '# position: {positions[0]}'"
        )
    missing = [c for c in fit.channels if c not in one.channels]
    if missing:
        columns = ", ".join(f"{c.kind}_{c.axis}" for c in missing)
        raise DataError(
            f"{one.source}: has no {columns}, which the base run's model reads; record them, or "
            "take a base run without them"
        )
    order = [one.channels.index(channel) for channel in fit.channels]
    one = replace(one, channels=fit.channels, signal=np.ascontiguousarray(one.signal[:, order]))
    if not is_rate(one.rate, fit.rate) and not resampled:
        raise DataError(
            f"{one.source}: recorded at {one.rate:g} Hz, but the base run's band runs at "
            f"{fit.rate:g} Hz; record at that rate, or let it be resampled (--resample)"
        )
    check_scale(one, fit.lsb)
    return resample(one, fit.rate)


def _check_twice(found: Sequence[Recording]) -> None:
    """The same movement under two names would be learned from and judged by at once."""
    seen: dict[bytes, Recording] = {}
    for one in found:
        other = seen.setdefault(one.signal.tobytes(), one)
        if other is not one:
            raise DataError(
                f"{one.source}: the very same movement as {Path(other.source).name}; remove one"
            )
