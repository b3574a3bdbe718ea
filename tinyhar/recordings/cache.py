"""Recordings kept as one binary file, so that a second load takes a moment.

The file's name carries a key over the source's path, size and time and the reader's version;
whatever changes makes a new file and the old one goes. A damaged file counts as none: it is an
.npz, whose CRCs are checked as it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from tinyhar.errors import DataError
from tinyhar.npz import UNREADABLE
from tinyhar.recordings.recording import Channel, Recording

FORMAT: Final = 2
"""Of the cache file itself; a reader's own version is part of the key too."""


def cache_dir() -> Path:
    """TINYHAR_CACHE, else the user's cache folder."""
    named = os.environ.get("TINYHAR_CACHE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("tinyhar"))


def cache_path(dataset: str, version: int, place: str, stamp: str) -> Path:
    """``NAME-<place>-<key>.npz``: the place tells which older files a new one replaces."""
    where = hashlib.sha256(place.encode()).hexdigest()[:8]
    key = hashlib.sha256(f"{FORMAT}|{version}|{stamp}".encode()).hexdigest()[:16]
    return cache_dir() / f"{dataset}-{where}-{key}.npz"


def save(path: Path, recordings: list[Recording]) -> None:
    """Write in one step, so that a reader never sees half a file; a full disk is no error."""
    head = json.dumps([_head(recording) for recording in recordings]).encode()
    arrays: dict[str, Any] = {
        "head": np.frombuffer(head, np.uint8),
        "signal": np.concatenate([r.signal.ravel() for r in recordings]),
        "labels": np.concatenate([r.labels for r in recordings]),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _forget_older(path)
    except OSError:
        return


def _forget_older(path: Path) -> None:
    prefix = path.name.rsplit("-", 1)[0]
    for other in path.parent.glob(f"{prefix}-*.npz"):
        if other != path:
            with contextlib.suppress(OSError):
                other.unlink()


def restore(path: Path) -> list[Recording] | None:
    """The recordings of a cache file; None where there is none or it is damaged."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            heads = json.loads(file["head"].tobytes())
            return _rebuild(heads, file["signal"], file["labels"])
    except (*UNREADABLE, TypeError, DataError):
        return None


def _head(recording: Recording) -> dict[str, Any]:
    return {
        "subject": recording.subject,
        "rate": recording.rate,
        "channels": [[c.position, c.kind, c.axis, c.unit] for c in recording.channels],
        "samples": len(recording),
        "activities": recording.activities,
        "source": recording.source,
        "notes": recording.notes,
        "scenario": recording.scenario,
        "session": recording.session,
        "start": recording.start,
    }


def _rebuild(heads: list[dict[str, Any]], signal: Any, labels: Any) -> list[Recording]:
    recordings = []
    values = samples = 0
    for head in heads:
        channels = tuple(Channel(*fields) for fields in head["channels"])
        count = head["samples"]
        recordings.append(
            Recording(
                subject=head["subject"],
                rate=head["rate"],
                channels=channels,
                signal=signal[values : values + count * len(channels)].reshape(count, -1),
                labels=labels[samples : samples + count],
                activities=tuple(head["activities"]),
                source=head["source"],
                notes=tuple(head["notes"]),
                scenario=head["scenario"],
                session=head.get("session", ""),  # files of sets that tell none may lack it
                start=head.get("start", 0.0),
            )
        )
        values += count * len(channels)
        samples += count
    return recordings
