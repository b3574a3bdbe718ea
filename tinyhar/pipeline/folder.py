"""A run's folder: what each stage left there, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinyhar.errors import DataError


class RunFolder:
    """Files of one run, and which of its stages are done.

    A stage is done when ``stages/NAME.json`` holds its key (what it depended on) and its facts
    (what it found out). The file is written last, so that an interrupted stage is never taken for
    a finished one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process out while this one works here.

        Raises:
            DataError: another process is at work in the folder, or it cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / ".lock").open("w")
        except OSError as error:
            raise DataError(f"{self.root}: cannot be written ({error.strerror})") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DataError(
                    f"{self.root}: another run is at work here; wait for it, or name another --out"
                ) from error
            yield

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path to write to; takes the place of ``name`` only when all of it is there."""
        final = self.root / name
        final.parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays: Keras and NumPy choose the format by it.
        draft = final.with_name(f".writing-{final.name}")
        try:
            yield draft
            draft.replace(final)
        finally:
            draft.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file whole or not at all."""
        with self.writing(name) as draft:
            draft.write_text(text, encoding="utf-8")

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a binary file whole or not at all."""
        with self.writing(name) as draft:
            draft.write_bytes(content)

    def facts(self, stage: str, key: str | None = None) -> dict[str, Any] | None:
        """What a finished stage found out; None if it is not done (with this key)."""
        try:
            saved = json.loads((self.root / "stages" / f"{stage}.json").read_text())
        except (OSError, json.JSONDecodeError):
            return None
        if key is not None and saved["key"] != key:
            return None
        facts: dict[str, Any] = saved["facts"]
        return facts

    def begin(self, stage: str, key: str) -> None:
        """Say that a stage begins; snapshots of a training with another key are forgotten."""
        started = self.root / "stages" / f"{stage}.started"
        before = started.read_text() if started.exists() else None
        if before not in (None, key):
            for snapshot in self.root.glob("*/snapshot.npz"):
                snapshot.unlink()
        self.forget(stage)
        self.write_text(f"stages/{stage}.started", key)

    def finish(self, stage: str, key: str, facts: dict[str, Any]) -> None:
        """Say that a stage is done, and what it found out."""
        text = json.dumps({"stage": stage, "key": key, "facts": facts}, indent=1)
        self.write_text(f"stages/{stage}.json", text)

    def forget(self, stage: str) -> None:
        """Say that a stage is to be done again."""
        (self.root / "stages" / f"{stage}.json").unlink(missing_ok=True)
