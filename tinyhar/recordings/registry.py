"""From a data set's name to its recordings in memory."""

from __future__ import annotations

import difflib
import hashlib
import os
import shlex
from pathlib import Path
from typing import Final

from tinyhar.errors import DataError
from tinyhar.recordings import cache as store
from tinyhar.recordings.catalogue import DATASETS, DatasetInfo
from tinyhar.recordings.recording import Recording
from tinyhar.recordings.source import Source


def dataset(name: str) -> DatasetInfo:
    """The registered data set; DataError lists the names there are."""
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(DATASETS)}"
        raise DataError(f"no data set is called {name!r}; {hint}")
    return DATASETS[name]


def data_root(option: Path | None) -> Path:
    """The folder that holds the data sets: the option, else TINYHAR_DATA; DataError names both."""
    if option is not None:
        root, origin = option, "--data"
    elif os.environ.get("TINYHAR_DATA"):
        root, origin = Path(os.environ["TINYHAR_DATA"]), "TINYHAR_DATA"
    else:
        raise DataError("no data folder given: use --data FOLDER or set TINYHAR_DATA")
    if not root.exists():
        raise DataError(f"{root}: the data folder given by {origin} does not exist")
    return root


def where_to_get(info: DatasetInfo, root: Path) -> str:
    """One sentence: by which command, from which address, to which path."""
    target = root / info.folder / (info.archives[0] if info.archives else "")
    if info.by_hand:
        return info.by_hand.format(target=target, folder=root / info.folder)
    return f"get it by `{fetch_command(info, root)}`, or from {info.url} to {target}"


def fetch_command(info: DatasetInfo, root: Path) -> str:
    """The command line that downloads it to where it was looked for."""
    fetch = f"tinyhar data fetch {info.folder}"
    known = os.environ.get("TINYHAR_DATA")
    return fetch if known and Path(known) == root else f"{fetch} --data {shlex.quote(str(root))}"


def load(
    name: str, root: Path | None = None, *, cache: bool = True, position: str | None = None
) -> list[Recording]:
    """All recordings of a data set, in a fixed order.

    Args:
        name: one of DATASETS.
        root: where the data is; None takes TINYHAR_DATA. ``synthetic`` needs none.
        cache: keep and use a binary copy in the user's cache folder (TINYHAR_CACHE).
        position: keep only recordings with sensors there, and of them only those channels.

    Raises:
        DataError: unknown name, files missing, damaged or not in the official format.
    """
    info = dataset(name)
    recordings = info.read(_NOWHERE) if info.made_here else _from_files(info, root, cache)
    if position is None:
        return recordings
    there = dict.fromkeys(p for recording in recordings for p in recording.positions)
    if position not in there:
        raise DataError(f"{name}: nothing was worn at {position!r}; there is {', '.join(there)}")
    return [r.select(positions=[position]) for r in recordings if position in r.positions]


def stamp(name: str, root: Path | None = None) -> str | None:
    """Changes when a data set's files or its reader change; None where files are not at hand."""
    info = dataset(name)
    if info.made_here:
        return str(info.version)
    try:
        source = info.find(data_root(root))
    except DataError:
        return None
    if source is None:
        return None
    return hashlib.sha256(f"{info.version}|{source.stamp()}".encode()).hexdigest()


def _from_files(info: DatasetInfo, root: Path | None, cache: bool) -> list[Recording]:
    root = data_root(root)
    source = info.find(root)
    if source is None:
        raise DataError(f"{info.name} is not under {root}: {where_to_get(info, root)}")
    path = store.cache_path(info.name, info.version, str(source.path.resolve()), source.stamp())
    kept = store.restore(path) if cache else None
    if kept is not None:
        return kept
    recordings = info.read(source)
    if not recordings:
        raise DataError(f"{source.path}: holds no stretch of movement that is long enough to use")
    if cache:
        store.save(path, recordings)
    return recordings


class _Nowhere:
    """The source of movement that has no files."""

    path = Path("synthetic")

    def names(self) -> list[str]:
        return []

    def read(self, name: str) -> bytes:
        raise DataError(f"{name}: synthetic movement has no files")

    def stamp(self) -> str:
        return "synthetic"


_NOWHERE: Final[Source] = _Nowhere()
