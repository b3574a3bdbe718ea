"""What the live view records, a file for each stretch without a gap."""

from __future__ import annotations

import time
from pathlib import Path

from tinyhar.band.recorder import Recorder, check_name, header
from tinyhar.band.sensing import Sensing
from tinyhar.band.session import Moved


class Recording:
    """On or off; methods return what to tell, and raise DataError when a file cannot be written."""

    def __init__(self, folder: Path, subject: str) -> None:
        self.folder, self.subject = folder, check_name(subject, "subject")
        self._wanted = False
        self._file: Recorder | None = None
        self._next = 0

    @property
    def seconds(self) -> float | None:
        """Recorded in this file; None when no recording is on."""
        if not self._wanted:
            return None
        return self._file.seconds if self._file else 0.0

    def switch(self, sensing: Sensing) -> str:
        """On, if off; off, if on."""
        if self._wanted:
            return self.end()
        header(sensing, self.subject)  # complains before anything is lost
        self._wanted = True
        return f"recording into {self.folder}; keys 1-9 say what you are doing"

    def add(self, moved: Moved, sensing: Sensing, label: str) -> str:
        """The samples, when a recording is on; a gap or another band begins a new file."""
        if not self._wanted:
            return ""
        if self._file and (
            moved.at != self._next or moved.piece.lost or sensing is not self._file.sensing
        ):
            self._let_go()
        self._next = moved.at + len(moved.piece.counts)
        try:
            if self._file is None:
                self._file = Recorder(self._name(), sensing, self.subject, ["recorded live"])
            self._file.add(moved.piece.counts, label.replace(",", " "))
        except BaseException:
            self._wanted = False
            self._file = None
            raise
        return ""

    def cut(self) -> str:
        """The line was lost: what comes next is another file."""
        self._let_go()
        return ""

    def end(self) -> str:
        """Off."""
        self._wanted = False
        file = self._file
        self._let_go()
        return f"{file.file}: {file.seconds:.1f} s" if file and file.samples > 1 else ""

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file:
            file.close()

    def _name(self) -> Path:
        """Not taken yet, even for two stretches within a second."""
        stem = f"{self.subject.replace(' ', '-')}_{time.strftime('%Y%m%d-%H%M%S')}"
        number = 1
        while True:
            file = self.folder / (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv")
            if not file.exists():
                return file
            number += 1
