"""Where a data set's files are: in an archive as downloaded, or extracted in a folder."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from tinyhar.errors import DataError

DEPTH: Final = 3
"""How many folders below the data root an extracted data set is looked for."""


class Source(Protocol):
    """Named pieces of bytes."""

    path: Path

    def names(self) -> list[str]:
        """All members, with forward slashes, in sorted order."""

    def read(self, name: str) -> bytes:
        """One member's bytes; DataError when it is damaged."""

    def stamp(self) -> str:
        """Changes when the files change: path, sizes and modification times."""


class Folder:
    """An extracted data set."""

    def __init__(self, path: Path, pattern: str = "**/*") -> None:
        self.path = path
        self.pattern = pattern

    def _files(self) -> Iterator[Path]:
        return (p for p in sorted(self.path.glob(self.pattern)) if p.is_file())

    def names(self) -> list[str]:
        """Paths relative to the folder."""
        return [p.relative_to(self.path).as_posix() for p in self._files()]

    def read(self, name: str) -> bytes:
        """One file's bytes."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise DataError(f"{self.path / name}: cannot be read ({error.strerror})") from error

    def stamp(self) -> str:
        """All files' sizes and times."""
        stats = ((p, p.stat()) for p in self._files())
        return ";".join(f"{p}:{s.st_size}:{s.st_mtime_ns}" for p, s in stats)


class Archive:
    """A .zip (or one .zip inside it, as UCI wraps some), .tar or .tar.gz, read in place.

    It is opened when its members are first asked for: to find it, or to see whether it has changed,
    costs nothing. DataError then where it is no whole archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _opened(self) -> zipfile.ZipFile | dict[str, bytes]:
        try:
            if self.path.name.endswith((".tar.gz", ".tgz", ".tar")):
                return _unpacked(self.path)
            return _unwrapped(zipfile.ZipFile(self.path))
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise DataError(
                f"{self.path}: not a whole archive ({error}); the download was cut short or is "
                "another file: remove it and fetch it again"
            ) from error

    def names(self) -> list[str]:
        """Members that are files."""
        opened = self._opened
        listed = opened.namelist() if isinstance(opened, zipfile.ZipFile) else opened
        return sorted(n for n in listed if not n.endswith("/") and "__MACOSX" not in n)

    def read(self, name: str) -> bytes:
        """One member, unpacked and its CRC checked."""
        opened = self._opened
        if not isinstance(opened, zipfile.ZipFile):
            return opened[name]
        try:
            return opened.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise DataError(
                f"{self.path}: member {name} is damaged ({error}); fetch the archive again"
            ) from error

    def stamp(self) -> str:
        """The archive's size and time."""
        stat = self.path.stat()
        return f"{self.path}:{stat.st_size}:{stat.st_mtime_ns}"


def _unpacked(path: Path) -> dict[str, bytes]:
    files = {}
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                files[member.name] = content.read()
    return files


def _unwrapped(outer: zipfile.ZipFile) -> zipfile.ZipFile:
    inner = [n for n in outer.namelist() if n.lower().endswith(".zip") and "__MACOSX" not in n]
    if len(inner) != 1:
        return outer
    with outer:
        return zipfile.ZipFile(io.BytesIO(outer.read(inner[0])))


def members(source: Source, pattern: str, what: str) -> list[tuple[str, re.Match[str]]]:
    """Members whose path ends in ``pattern``, whatever folder they were packed under.

    Raises DataError when there is none: the archive is another one than its name says.
    """
    regex = re.compile(rf"(?:^|/){pattern}$")
    found = [(n, m) for n in source.names() if (m := regex.search(n))]
    if not found:
        raise DataError(f"{source.path}: holds no {what}; is it the official, whole data set?")
    return found


def find(root: Path, folder: str, archives: tuple[str, ...], marker: str) -> Source | None:
    """Look for a data set: root/folder/ARCHIVE, root/ARCHIVE, then extracted folders.

    Args:
        root: the data root, or the data set's own folder, or the archive itself.
        folder: the data set's name for its folder.
        archives: file names that the official archive goes by.
        marker: a glob that matches inside an extracted data set's top folder.
    """
    if root.is_file():
        return Archive(root)
    places = [place for place in (root / folder, root) if place.is_dir()]
    for place in places:
        for name in archives:
            if (place / name).is_file():
                return Archive(place / name)
    for place in places:
        for top in _folders(place, DEPTH if place != root else DEPTH - 1):
            if next(top.glob(marker), None) is not None:
                return Folder(top)
    renamed = sorted((root / folder).glob("*.zip")) if (root / folder).is_dir() else []
    return Archive(renamed[0]) if renamed else None


def _folders(top: Path, depth: int) -> Iterator[Path]:
    yield top
    if depth > 1:
        for child in sorted(top.iterdir()):
            if child.is_dir() and not child.name.startswith((".", "__")):
                yield from _folders(child, depth - 1)
