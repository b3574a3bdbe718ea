"""A bench's folder: finished cells, failed ones, and what was asked for; each file whole or not.

====================  ==================================================================
``bench.json``        the grid, the command, and every cell that the table is to have
``cells/ID.json``     the record of one finished cell; its name carries what it depended on
``failed/ID.json``    what went wrong with a cell; gone when it succeeds
``teachers/KEY/``     a teacher's run folder, shared by all cells that need it
``runs/ID/``          the run folder of a cell under way
``table.csv``         one row per finished cell, made from the records
====================  ==================================================================
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import tinyhar
from tinyhar.bench.cells import Cell
from tinyhar.bench.grid import Grid
from tinyhar.errors import DataError
from tinyhar.pipeline.folder import RunFolder

Record = dict[str, Any]

COLUMNS: Final = (
    *("protocol", "method", "group", "arithmetic", "size", "fold", "seed", "test_subjects"),
    *("int8_macro_f1", "float_macro_f1", "accuracy", "class_f1", "subject_f1"),
    *("parameters", "macs", "flash_bytes", "ram_bytes", "instructions"),
    *("seconds", "teacher_f1", "quick", "version", "id"),
)
"""Of ``table.csv``; accuracy, class_f1 and subject_f1 are the int8 model's where there is one."""


_GOES_ON: Final = "finished cells are kept, the same command goes on from there"


class Store:
    """The files of one bench."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._files = RunFolder(out)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other bench out; DataError when one is at work, or the disk fails."""
        with self._files.held(), self._disk():
            yield

    def begin(self, grid: Grid, cells: Sequence[Cell], *, quick: bool, command: str) -> None:
        """Write down what is asked for: what the table will have when all is done."""
        asked = {
            "grid": grid.model_dump(mode="json"),
            "quick": quick,
            "command": command,
            "version": tinyhar.__version__,
            "cells": [
                {
                    "id": cell.id,
                    "protocol": cell.protocol,
                    "method": cell.method,
                    "group": cell.group,
                    "arithmetic": cell.arithmetic,
                    "size": cell.size,
                    "fold": cell.fold,
                    "seed": cell.seed,
                }
                for cell in cells
            ],
        }
        self._put("bench.json", json.dumps(asked, indent=1))

    def asked(self) -> dict[str, Any]:
        """What `begin` wrote; DataError where there is no bench."""
        path = self.out / "bench.json"
        try:
            asked: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: not there or damaged; is {self.out} a bench's folder? "
                "`tinyhar bench --out ...` makes one"
            ) from error
        return asked

    def finished(self, cell_id: str) -> Record | None:
        """The record of a finished cell; None where it is to be done (again)."""
        return _read(self.out / "cells" / f"{cell_id}.json")

    def failed(self, cell_id: str) -> str | None:
        """What went wrong with a cell at its last try."""
        found = _read(self.out / "failed" / f"{cell_id}.json")
        return str(found["error"]) if found and "error" in found else None

    def keep(self, record: Record) -> None:
        """Write the record of a finished cell; what went wrong with it before is forgotten."""
        self._put(f"cells/{record['id']}.json", json.dumps(record, indent=1))
        with self._disk():
            (self.out / "failed" / f"{record['id']}.json").unlink(missing_ok=True)

    def lament(self, cell_id: str, error: str, trace: str) -> None:
        """Write down what went wrong with a cell; it is tried again at the next start."""
        text = json.dumps({"id": cell_id, "error": error, "trace": trace}, indent=1)
        self._put(f"failed/{cell_id}.json", text)

    def records(self) -> list[Record]:
        """The finished cells of those asked for, in the grid's order."""
        found = (self.finished(cell["id"]) for cell in self.asked()["cells"])
        return [record for record in found if record is not None]

    def failures(self) -> dict[str, str]:
        """What went wrong, by the id of the cell asked for."""
        told = {
            cell["id"]: self.failed(cell["id"])
            for cell in self.asked()["cells"]
            if self.finished(cell["id"]) is None
        }
        return {cell_id: error for cell_id, error in told.items() if error is not None}

    def write(self, name: str, text: str) -> Path:
        """Write a file of the outcome."""
        self._put(name, text)
        return self.out / name

    def write_table(self) -> Path:
        """Make ``table.csv`` from the records."""
        return self.write("table.csv", table_csv(self.records()))

    def _put(self, name: str, text: str) -> None:
        try:
            self._files.write_text(name, text)
        except DataError as error:
            raise DataError(f"{error}; {_GOES_ON}") from error

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            name = error.filename or self.out
            raise DataError(f"{name}: cannot be written ({error.strerror}); {_GOES_ON}") from error


def table_csv(records: Sequence[Record]) -> str:
    """Records as CSV with `COLUMNS`; lists as JSON in their cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        int8, floating = record["int8"], record["float"]
        judged = int8 or floating
        row = {
            **record,
            **(record["device"] or {}),
            "test_subjects": " ".join(record["split"]["test"]),
            "int8_macro_f1": int8["macro_f1"] if int8 else None,
            "float_macro_f1": floating["macro_f1"] if floating else None,
            "accuracy": judged["accuracy"],
            "class_f1": json.dumps(judged["class_f1"]),
            "subject_f1": json.dumps(judged["subject_f1"]),
        }
        writer.writerow(row)
    return text.getvalue()


def _read(path: Path) -> Record | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
