"""A run's folder: what each stage left there, written whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tinyhar.errors import DataError, TinyharError

METRICS, REPORT = "metrics.json", "report.html"
"""What a finished run tells, to machines and to people."""


class RunFolder:
    """Files of one run, and which of its stages are done.

    A stage is done when ``stages/NAME.json`` holds its key (what it depended on), its facts (what
    it found out) and size and SHA-256 of every file that it left. The file is written last, so
    that an interrupted stage is never taken for a finished one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._left: set[Path] = set()

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def made(self) -> RunFolder:
        """The same, and there; DataError before long work starts where it cannot be."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self.root}: cannot be written ({error.strerror})") from error
        return self

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process out while this one works here.

        A folder that was made for work that failed before it left anything goes again.

        Raises:
            DataError: another process is at work in the folder, or it cannot be written.
        """
        fresh = not self.root.exists()
        self.made()
        try:
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
            try:
                yield
            except TinyharError:
                if fresh and not self._has_work():
                    shutil.rmtree(self.root)
                raise

    def _has_work(self) -> bool:
        """Whether there is more than what says that somebody began."""
        begun = {self.root / ".lock", self.root / "recipe.toml"}
        files = (path for path in self.root.rglob("*") if path.is_file())
        return any(path not in begun and path.suffix != ".started" for path in files)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path to write to; takes the place of ``name`` only when all of it is there.

        Raises:
            DataError: the disk is full, or the folder cannot be written.
        """
        final = self.root / name
        # The suffix stays: Keras and NumPy choose the format by it. Others may write the same file.
        draft = final.with_name(f".writing-{os.getpid()}-{final.name}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            yield draft
            draft.replace(final)
            self._left.add(final)
        except OSError as error:
            raise DataError(f"{final}: cannot be written ({error.strerror or error})") from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file whole or not at all."""
        with self.writing(name) as draft:
            draft.write_text(text, encoding="utf-8")

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a binary file whole or not at all."""
        with self.writing(name) as draft:
            draft.write_bytes(content)

    def leaves(self, name: str) -> None:
        """Say that a file, or all files of a folder, are a stage's outcome written by others."""
        path = self.root / name
        self._left |= {p for p in path.rglob("*") if p.is_file()} if path.is_dir() else {path}

    def facts(self, stage: str, key: str | None = None) -> dict[str, Any] | None:
        """What a finished stage found out; None if it is not done (with this key)."""
        saved = self._saved(stage)
        if saved is None or key not in (None, saved["key"]):
            return None
        facts: dict[str, Any] = saved["facts"]
        return facts

    def damaged(self, stage: str) -> list[str]:
        """Names of files that a finished stage left and that are missing or changed since."""
        outputs = (self._saved(stage) or {}).get("outputs", {})
        return [name for name, left in outputs.items() if _print_of(self.root / name) != left]

    def begin(self, stage: str, key: str) -> None:
        """Say that a stage begins; snapshots of a training with another key are forgotten."""
        started = self.root / "stages" / f"{stage}.started"
        before = started.read_text() if started.exists() else None
        if before not in (None, key):
            self.forget_snapshots()
        self.forget(stage)
        self.write_text(f"stages/{stage}.started", key)
        self._left.clear()

    def forget_snapshots(self) -> None:
        """Give up trainings that were interrupted."""
        for snapshot in self.root.glob("*/snapshot*.npz"):
            snapshot.unlink()

    def forget_told(self) -> None:
        """Take back what an earlier outcome told."""
        for told in (METRICS, REPORT):
            (self.root / told).unlink(missing_ok=True)

    def finish(self, stage: str, key: str, facts: dict[str, Any]) -> None:
        """Say that a stage is done, what it found out, and which files are its outcome."""
        outputs = {
            path.relative_to(self.root).as_posix(): _print_of(path) for path in sorted(self._left)
        }
        record = {"stage": stage, "key": key, "facts": facts, "outputs": outputs}
        self.write_text(f"stages/{stage}.json", json.dumps(record, indent=1))

    def forget(self, stage: str) -> None:
        """Say that a stage is to be done again."""
        (self.root / "stages" / f"{stage}.json").unlink(missing_ok=True)

    def adopt(self, source: RunFolder, stages: Sequence[str]) -> None:
        """Take finished stages with their files from another run: a teacher that runs share.

        Raises:
            DataError: a stage is not finished there, or its files are damaged.
        """
        for stage in stages:
            saved = source._saved(stage)
            if saved is None or (bad := source.damaged(stage)):
                what = f"{bad[0]} is damaged" if saved else "not finished"
                raise DataError(f"{source.root}: stage '{stage}': {what}; run it again")
            for name in saved["outputs"]:
                with self.writing(name) as draft:
                    _link(source.root / name, draft)
            self.write_text(f"stages/{stage}.json", json.dumps(saved, indent=1))

    def _saved(self, stage: str) -> dict[str, Any] | None:
        try:
            saved: dict[str, Any] = json.loads((self.root / "stages" / f"{stage}.json").read_text())
        except (OSError, json.JSONDecodeError):
            return None
        return saved


def _print_of(path: Path) -> dict[str, int | str] | None:
    """Size and SHA-256 of a file; None if it is not there."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _link(source: Path, target: Path) -> None:
    """The same file under a second name where the disk can do that, else a copy.

    Files of a run folder are replaced, never written into: both names stay whole.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
