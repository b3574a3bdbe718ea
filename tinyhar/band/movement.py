"""What to play to a band, and what its wearer really did."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.codes import What
from tinyhar.band.desk import Desk
from tinyhar.convert.bundle import Bundle
from tinyhar.errors import DataError

UNKNOWN: Final = -1

UNITS: Final = {"acc": (9.80665, "g"), "gyro": (np.pi / 180, "deg/s")}
"""In which full scales are told, and what one is in SI units."""


@dataclass(frozen=True, eq=False)
class Movement:
    """Samples in the order of time, and what was done in each.

    ``counts`` is int16 [time, channel], ``labels`` int [time] into ``activities`` or UNKNOWN;
    ``scale`` says in words what a count was taken for, where that was not recorded.
    """

    counts: m.Counts
    labels: npt.NDArray[np.integer]
    activities: tuple[str, ...]
    scale: str = ""

    def first(self, samples: int) -> Movement:
        """At most so many samples."""
        return replace(self, counts=self.counts[:samples], labels=self.labels[:samples])

    def done(self, last_sample: int, window: int) -> tuple[str, ...]:
        """What was done in the window that ends with a sample, in order; empty if nobody knows.

        A stretch without a label within the window is "?".
        """
        labels = self.labels[max(0, last_sample + 1 - window) : last_sample + 1]
        names = (
            "?" if n == UNKNOWN else self.activities[n] for n in dict.fromkeys(labels.tolist())
        )
        return () if (labels == UNKNOWN).all() else tuple(names)


def of_run(desk: Desk) -> Movement:
    """The unseen subjects' windows, one after the other."""
    counts = desk.counts.reshape(-1, desk.counts.shape[-1])
    labels = np.repeat(desk.labels, desk.counts.shape[1])
    return Movement(counts, labels, desk.bundle.classes)


def of_csv(
    file: Path,
    client: Client,
    *,
    bundle: Bundle | None = None,
    full_scale: Mapping[str, float] | None = None,
) -> Movement:
    """A user's recording as the band's sensor would deliver it.

    Args:
        file: in the format that ``tinyhar data info csv`` describes.
        client: the band, which names its rate and its channels.
        bundle: what the band runs: it knows what a count is worth.
        full_scale: without a bundle, what the largest count stands for, in SI units by kind; a
            kind that is left out is assumed to have the usual one (``counts.FULL_SCALE``).

    Raises DataError for a file that is none, or that lacks a channel of the band's.
    """
    from tinyhar.counts import FULL_SCALE, lsb_of, to_counts
    from tinyhar.recordings import csv
    from tinyhar.recordings.source import Folder
    from tinyhar.windows import resample

    if not file.is_file() or file.suffix != ".csv":
        raise DataError(f"{file}: there is no such .csv file")
    (recording,) = csv.read(Folder(file.parent, glob.escape(file.name)))
    recording = resample(recording, client.identity.rate_mhz / 1000)
    wanted = client.names(What.CHANNEL_NAME)
    named = {channel.name: index for index, channel in enumerate(recording.channels)}
    missing = [name for name in wanted if name not in named]
    if missing:
        raise DataError(
            f"{file}: the band wants {', '.join(missing)}, the recording has {', '.join(named)}; "
            "its comment lines `# position:` and its columns name the channels"
        )
    order = [named[name] for name in wanted]
    channels = [recording.channels[index] for index in order]
    if bundle is None:
        full = {**FULL_SCALE, **(full_scale or {})}
        lsb, scale = lsb_of(channels, full), _in_words(full, {c.kind for c in channels}, full_scale)
    else:
        lsb, scale = bundle.lsb, "a count is worth what the run's bundle says"
    counts = to_counts(recording.signal[:, order], lsb)
    return Movement(counts, recording.labels, recording.activities, scale)


def ranges(acc: float | None, gyro: float | None) -> dict[str, float]:
    """Full scales in SI units by kind, of those that are given, in g and deg/s."""
    given = {"acc": acc, "gyro": gyro}
    return {kind: value * UNITS[kind][0] for kind, value in given.items() if value is not None}


def _in_words(full: Mapping[str, float], kinds: set[str], given: Mapping[str, float] | None) -> str:
    parts = []
    for kind in sorted(kinds):
        one, unit = UNITS.get(kind, (1.0, "in SI units"))
        assumed = "" if given and kind in given else " (assumed)"
        parts.append(f"{kind} ±{full[kind] / one:g} {unit}{assumed}")
    told = f"full scale: {', '.join(parts)}"
    return f"{told}; the band's own is in its run (--run RUN)" if "(assumed)" in told else told
