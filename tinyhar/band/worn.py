"""Where a band's movement comes from: its own sensor, else a person's, a recording, or computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.desk import Desk, read_desk
from tinyhar.band.movement import Movement, of_csv
from tinyhar.band.sensing import Sensing, home_of, parts
from tinyhar.band.source import Replay, Source, Worn
from tinyhar.band.validate import check_model
from tinyhar.errors import DataError


@dataclass(frozen=True)
class Wish:
    """What a user asked to be played.

    With nothing named it is the band's own sensor, else its run's people, else synthetic movement.
    """

    run: Path | None = None
    csv: Path | None = None
    synthetic: bool = False
    person: str | None = None

    @property
    def open(self) -> bool:
        """Nothing was named; a run alone names the scale, too."""
        return not (self.csv or self.synthetic or self.person)


def source_of(
    wish: Wish, client: Client, sensing: Sensing, sleep: Callable[[float], None] = time.sleep
) -> Source:
    """The source that was asked for.

    Raises DataError for a file or person that is not there, or channels that do not fit.
    """
    if wish.open and client.has_sensor():
        return Worn()
    if wish.csv is not None:
        # The scale is the band's own, known or assumed: Sensing has settled it.
        moved = of_csv(wish.csv, client, full_scale=sensing.full_scale)
        return Replay(moved, sensing.rate, f"the recording {wish.csv.name}", sleep=sleep)
    run = wish.run or (None if wish.synthetic else home_of(client))
    if wish.person is not None and run is None:
        raise DataError(f"--person {wish.person}: of which run? name it with --run")
    if run is not None and not wish.synthetic:
        desk = read_desk(run)
        check_model(client, desk.bundle_id)
        person = wish.person or str(desk.subjects[0])
        words = f"{run.resolve().name}'s person {person}"
        return Replay(of_person(desk, person), sensing.rate, words, sleep=sleep)
    return Replay(synthetic(sensing), sensing.rate, "synthetic movement", sleep=sleep)


def of_person(desk: Desk, person: str) -> Movement:
    """One unseen person's windows as the movement that they were cut from.

    Windows that overlap by the bundle's stride are joined where they do, not repeated.
    """
    mine = desk.subjects == person
    if not mine.any():
        there = ", ".join(dict.fromkeys(desk.subjects.tolist()))
        raise DataError(f"{desk.run}: no person {person!r} among its unseen ones: {there}")
    counts, labels = desk.counts[mine], desk.labels[mine]
    fresh = _fresh(counts, desk.bundle.stride)
    pieces = [window[-n:] for window, n in zip(counts, fresh, strict=True)]
    return Movement(np.concatenate(pieces), np.repeat(labels, fresh), desk.bundle.classes)


def _fresh(counts: m.Counts, stride: int) -> list[int]:
    """How many samples at the end of each window were not in the one before."""
    window = counts.shape[1]
    if stride >= window:
        return [window] * len(counts)
    joined = (counts[1:, :-stride] == counts[:-1, stride:]).all(axis=(1, 2))
    return [window] + [stride if goes_on else window for goes_on in joined.tolist()]


def synthetic(sensing: Sensing, seed: int = 1) -> Movement:
    """Computed wrist movement for whatever channels the band has, wherever it is worn."""
    from tinyhar.counts import to_counts
    from tinyhar.recordings.synthetic import generate
    from tinyhar.windows import resample

    (recording,) = generate(1, seed=seed)
    recording = resample(recording, sensing.rate)
    named = {(c.kind, c.axis): i for i, c in enumerate(recording.channels)}
    wanted = [parts(name)[1:] for name in sensing.channels]
    for name, key in zip(sensing.channels, wanted, strict=True):
        if key not in named:
            raise DataError(
                f"--synthetic: there is none for the band's {name}, only acc and gyro; "
                "name a run (--run) or a recording (--csv)"
            )
    signal = recording.signal[:, [named[key] for key in wanted]]
    return Movement(to_counts(signal, sensing.lsb), recording.labels, recording.activities)
