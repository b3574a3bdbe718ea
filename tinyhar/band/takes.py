"""A folder of calibration recordings: a .csv file a take, and an index that says what they are.

    DIR/calibration.json            the band, the classes, every take and what was found about it
    DIR/anna_drinking_1.csv         a take that is kept, in the csv format
    DIR/rejected/anna_drinking_2.csv   one that is not: kept as well, but apart

The csv data set's reader takes DIR as it is, and does not look into ``rejected``.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.distinct import Labelled
from tinyhar.band.quality import Finding
from tinyhar.band.recorder import check_name, columns_of, header, rows, told, write_whole
from tinyhar.band.sensing import Sensing, in_words
from tinyhar.errors import DataError

INDEX: Final = "calibration.json"
REJECTED: Final = "rejected"
FORMAT: Final = 1

_KINDS: Final[dict[str, Callable[[Any], bool]]] = {
    "text": lambda value: isinstance(value, str),
    "yes or no": lambda value: isinstance(value, bool),
    "whole": lambda value: isinstance(value, int),
    "number": lambda value: math.isfinite(value),
    "texts": lambda value: isinstance(value, list) and all(isinstance(v, str) for v in value),
    "list": lambda value: isinstance(value, list),
    "by name": lambda value: all(math.isfinite(v) for v in value.values()),
}

_INDEX: Final = {
    "subject": "text", "rate_hz": "number", "channels": "texts", "full_scale_si": "by name",
    "resting": "by name", "takes": "list",
}  # fmt: skip
_ENTRY: Final = {
    "file": "text", "label": "text", "take": "whole", "kept": "yes or no", "seconds": "number",
    "samples": "whole", "lost": "whole", "recorded": "text", "findings": "texts",
    "heard": "by name",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A take as the index has it; ``heard`` is what the band made of its windows, by class."""

    file: str
    label: str
    take: int
    kept: bool
    seconds: float
    samples: int
    lost: int = 0
    recorded: str = ""
    findings: tuple[str, ...] = ()
    heard: dict[str, int] = field(default_factory=dict)


@dataclass(eq=False)
class Takes:
    """The folder, opened for one band and one person. Raises DataError only."""

    folder: Path
    sensing: Sensing
    subject: str
    resting: dict[str, bool] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        """Those with a kept take, in the order of their first."""
        return tuple(dict.fromkeys(e.label for e in self.entries if e.kept))

    def kept(self, label: str) -> list[Entry]:
        """The kept takes of a class."""
        return [e for e in self.entries if e.kept and e.label == label]

    def seconds(self, label: str) -> float:
        """Kept of a class."""
        return sum(e.seconds for e in self.kept(label))

    def next_take(self, label: str) -> int:
        """The next number that no file has."""
        taken = [e.take for e in self.entries if e.label == label]
        number = max(taken, default=0) + 1
        while any(self._file(label, number, kept).exists() for kept in (True, False)):
            number += 1
        return number

    def add(
        self,
        label: str,
        counts: m.Counts,
        findings: Sequence[Finding],
        *,
        kept: bool,
        lost: int = 0,
        heard: dict[str, int] | None = None,
    ) -> Entry:
        """Write a take down and note it; nothing is noted that is not on the disk."""
        number = self.next_take(label)
        file = self._file(label, number, kept)
        self._write(file, label, number, counts, findings, kept)
        entry = Entry(
            file.relative_to(self.folder).as_posix(),
            label,
            number,
            kept,
            round(len(counts) / self.sensing.rate, 3),
            len(counts),
            lost,
            time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            tuple(f.words for f in findings),
            heard or {},
        )
        self.entries.append(entry)
        try:
            self.save()
        except DataError:
            self.entries.pop()
            file.unlink(missing_ok=True)
            raise
        return entry

    def _write(
        self,
        file: Path,
        label: str,
        number: int,
        counts: m.Counts,
        findings: Sequence[Finding],
        kept: bool,
    ) -> None:
        notes = [f"label: {label}", f"take: {number}"]
        notes += [] if kept else ["rejected"]
        notes += [f"found: {finding.words}" for finding in findings]
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(told(file, error)) from error
        text = header(self.sensing, self.subject, notes) + rows(self.sensing, counts, 0, label)
        write_whole(file, text)

    def _file(self, label: str, number: int, kept: bool) -> Path:
        folder = self.folder if kept else self.folder / REJECTED
        return folder / f"{_plain(self.subject)}_{_plain(label)}_{number}.csv"

    def save(self) -> None:
        """Write the index."""
        write_whole(self.folder / INDEX, json.dumps(self.as_json(), indent=2) + "\n")

    def as_json(self) -> dict[str, Any]:
        """The index."""
        sensing = self.sensing
        return {
            "format": FORMAT,
            "subject": self.subject,
            "bundle": sensing.identity.bundle_id.hex(),
            "rate_hz": sensing.rate,
            "window": sensing.identity.window,
            "channels": list(sensing.channels),
            "full_scale_si": sensing.full_scale,
            "full_scale": in_words(sensing.full_scale),
            "full_scale_assumed": sensing.assumed,
            "classes": list(self.classes),
            "resting": self.resting,
            "takes": [asdict(entry) for entry in self.entries],
        }

    def signals(self) -> list[Labelled]:
        """The kept takes' signals, read back from their files."""
        return [Labelled(e.label, self._read(e)) for e in self.entries if e.kept]

    def _read(self, entry: Entry) -> np.ndarray:
        file = self.folder / entry.file
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            table = [line.split(",") for line in lines if line and not line.startswith("#")]
            columns = [table[0].index(name) for name in columns_of(self.sensing)[1]]
            return np.array([[float(row[c]) for c in columns] for row in table[1:]])
        except (OSError, ValueError, IndexError) as error:
            raise DataError(
                f"{file}: cannot be read ({error}), but {INDEX} names it; bring it back, or "
                f"calibrate into another folder"
            ) from error


def open_takes(folder: Path, sensing: Sensing, subject: str | None) -> Takes:
    """The folder for this band: new, or as it was left.

    Raises DataError for another rate, full scale, set of channels or person than before, a damaged
    index, or a folder that holds other recordings.
    """
    header(sensing, "anybody")  # a band whose channels the format cannot hold
    index = folder / INDEX
    if not index.is_file():
        if folder.is_dir() and next(folder.glob("*.csv"), None):
            raise DataError(f"{folder} holds recordings but no {INDEX}: name a folder of its own")
        takes = Takes(folder, sensing, check_name(subject or "me", "subject"))
        _make(folder)
        takes.save()
        return takes
    known = _read_index(index)
    _check_same(index, known, sensing)
    if subject is not None and subject != known["subject"]:
        raise DataError(
            f"{folder} holds recordings of {known['subject']}, not of {subject}: name another --out"
        )
    subject = check_name(known["subject"], "subject")
    return Takes(folder, sensing, subject, dict(known["resting"]), known["takes"])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(told(folder, error)) from error


def _read_index(index: Path) -> dict[str, Any]:
    try:
        known = json.loads(index.read_text(encoding="utf-8"))
        if known["format"] != FORMAT:
            raise DataError(f"{index}: of format {known['format']}, this tinyhar knows {FORMAT}")
        _check(known, _INDEX)
        return known | {"takes": [_entry(each) for each in known["takes"]]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{index}: damaged ({error}); the .csv files beside it are still good: move them "
            "elsewhere and calibrate into a new folder"
        ) from error


def _entry(plain: dict[str, Any]) -> Entry:
    _check(plain, _ENTRY)
    return Entry(**{**plain, "findings": tuple(plain["findings"])})


def _check(plain: dict[str, Any], kinds: dict[str, str]) -> None:
    """Raises one of several errors where a value is missing or is another thing."""
    for key, kind in kinds.items():
        value = plain[key]
        if not _KINDS[kind](value):
            raise TypeError(f"{key} is {value!r:.40}")


def _check_same(index: Path, known: dict[str, Any], sensing: Sensing) -> None:
    pairs: Iterable[tuple[str, object, object]] = (
        ("rate", f"{known['rate_hz']:g} Hz", f"{sensing.rate:g} Hz"),
        ("channels", ", ".join(known["channels"]), ", ".join(sensing.channels)),
        ("full scale", in_words(known["full_scale_si"]), in_words(sensing.full_scale)),
    )
    for what, then, now in pairs:
        if then != now:
            raise DataError(
                f"{index.parent}: recorded with another {what} ({then}) than the band's ({now}); "
                "name another --out"
            )


def _plain(name: str) -> str:
    """For a file's name."""
    return re.sub(r"[^\w-]+", "-", name).replace("_", "-")
