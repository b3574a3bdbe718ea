"""What a band sensed, written down as a recording in the ``csv`` format (recordings/csv.py).

A sample's values are its counts times what a count is worth, to seven figures, so that whoever
knows the full scale gets the very same counts back.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.sensing import Sensing, in_words, parts
from tinyhar.errors import DataError

KINDS: Final = ("acc", "gyro")
"""What the format can hold."""


def header(sensing: Sensing, subject: str, notes: Iterable[str] = ()) -> str:
    """The comment lines and the line of columns.

    Raises DataError for a band whose channels the format cannot hold.
    """
    position, columns = columns_of(sensing)
    scale = in_words(sensing.full_scale) + (" (assumed)" if sensing.assumed else "")
    lines = [
        f"# subject: {subject}",
        f"# position: {position}",
        f"# rate: {sensing.rate:g}",
        f"# note: full scale: {scale}",
        *(f"# note: {' '.join(note.split())}" for note in notes),
        ",".join(("time_s", *columns, "label")),
    ]
    return "\n".join(lines) + "\n"


def columns_of(sensing: Sensing) -> tuple[str, tuple[str, ...]]:
    """The band's position, and the format's column of each channel, in the band's order."""
    split = [parts(name) for name in sensing.channels]
    positions = {position for position, _, _ in split}
    columns = tuple(f"{kind}_{axis}" for _, kind, axis in split)
    kinds = list(dict.fromkeys(kind for _, kind, _ in split))
    whole = {f"{kind}_{axis}" for kind in kinds for axis in "xyz"}
    if len(positions) > 1 or "acc" not in kinds or set(kinds) - set(KINDS) or set(columns) != whole:
        raise DataError(
            f"the csv format holds acc_x..z and gyro_x..z of one position; the band has "
            f"{', '.join(sensing.channels)}"
        )
    return positions.pop(), columns


def rows(sensing: Sensing, counts: m.Counts, first: int, label: str) -> str:
    """Lines for counts int16 [time, channel], the first of which is sample ``first``."""
    values = counts * sensing.lsb
    times = (first + np.arange(len(counts))) / sensing.rate
    return "".join(
        f"{t:.6f}," + ",".join(f"{v:.7g}" for v in sample) + f",{label}\n"
        for t, sample in zip(times.tolist(), values.tolist(), strict=True)
    )


def check_name(name: str, what: str = "class") -> str:
    """The name without spaces around it; DataError where a .csv file could not hold it."""
    plain = " ".join(name.split())
    bad = sorted({c for c in plain if c in ',"#;/\\' or not c.isprintable()})
    if not plain or bad:
        why = f"has {' '.join(bad)} in it" if bad else "is empty"
        raise DataError(f"{what} name {name!r} {why}; use letters, digits, spaces, - and _")
    return plain


class Recorder:
    """A file that grows as the samples come; whatever happens, whole lines are on the disk.

    Raises DataError when the disk does not take them: what is written stays.
    """

    def __init__(
        self, file: Path, sensing: Sensing, subject: str, notes: Iterable[str] = ()
    ) -> None:
        self.file, self.sensing = file, sensing
        self.samples = self._size = 0
        head = header(sensing, subject, notes)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = file.open("xb", buffering=0)
        except OSError as error:
            raise DataError(told(file, error)) from error
        self._write(head)

    @property
    def seconds(self) -> float:
        """Recorded so far."""
        return self.samples / self.sensing.rate

    def add(self, counts: m.Counts, label: str = "") -> None:
        """Samples int16 [time, channel], and what is being done; "" where nobody says."""
        self._write(rows(self.sensing, counts, self.samples, label))
        self.samples += len(counts)

    def close(self) -> None:
        """The file is done; one of less than two samples is no recording and goes."""
        try:
            self._out.close()
            if self.samples < 2:
                self.file.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(told(self.file, error)) from error

    def _write(self, text: str) -> None:
        """All of it, or nothing: half a line would spoil the file."""
        data = text.encode()
        left = memoryview(data)
        try:
            while left:
                left = left[self._out.write(left) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._out.fileno(), self._size)
            raise DataError(told(self.file, error)) from error
        self._size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


def write_whole(file: Path, text: str) -> None:
    """All of it under its name, or nothing; DataError when the disk does not take it."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(told(file, error)) from error


def told(file: Path, error: OSError) -> str:
    """Why a file could not be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{file}: the disk is full; make room, then go on: what was recorded before is kept"
    return f"{file}: cannot be written ({error.strerror or error})"
