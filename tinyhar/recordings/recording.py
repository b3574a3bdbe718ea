"""What somebody wore and what it measured: one stretch of one person's movement."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.words import counted

STANDARD_GRAVITY: Final = 9.80665
"""One g in m/s^2."""

UNLABELLED: Final = -1
"""The label of a sample whose activity nobody named."""

UNITS: Final = {"acc": "m/s^2", "body_acc": "m/s^2", "gyro": "rad/s", "mag": "uT"}
"""The unit that every reader gives a kind in, whatever the files hold."""


@dataclass(frozen=True, order=True)
class Channel:
    """One axis of one sensor at one place on the body."""

    position: str
    kind: str
    axis: str
    unit: str

    @property
    def name(self) -> str:
        """For example ``wrist_acc_x``."""
        return f"{self.position}_{self.kind}_{self.axis}"


def triaxial(
    position: str, *kinds: str, units: dict[str, str] | None = None
) -> tuple[Channel, ...]:
    """Channels x, y, z of each kind in turn, in the project's units unless ``units`` says other."""
    known = UNITS | (units or {})
    return tuple(Channel(position, kind, axis, known[kind]) for kind in kinds for axis in "xyz")


@dataclass(frozen=True, eq=False)
class Recording:
    """A stretch of movement without gaps, sampled evenly, of one person.

    Args:
        subject: who wore the sensors; the unit by which data is split.
        rate: samples a second, Hz.
        channels: what each column of ``signal`` is.
        signal: float32 [time, channel] in the channels' units; acceleration includes gravity.
        labels: int16 [time], index into ``activities``, -1 where nobody named the activity.
        activities: the names that labels point to, the same tuple for a whole data set.
        source: the file it came from, for messages.
        notes: what the reader had to repair, one sentence each.
        scenario: how the sensors came to sit as they do, where a data set tells ("ideal").
        session: recordings of the same subject and session were made at the same time, by
            different devices; "" where nobody tells. Together they are joined by ``align``.
        start: seconds on the session's common clock at the first sample.

    Raises:
        DataError: shapes do not fit together, a label points nowhere, or a value is not finite.
    """

    subject: str
    rate: float
    channels: tuple[Channel, ...]
    signal: NDArray[np.float32]
    labels: NDArray[np.int16]
    activities: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = field(default=())
    scenario: str = ""
    session: str = ""
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or self.signal.shape[1] != len(self.channels):
            raise DataError(
                f"{self.source}: a signal of shape {self.signal.shape} does not have the "
                f"[time, {len(self.channels)}] that its channels ask for"
            )
        if self.labels.shape != (len(self.signal),):
            raise DataError(
                f"{self.source}: {len(self.labels)} labels for {len(self.signal)} samples"
            )
        if not self.rate > 0:
            raise DataError(f"{self.source}: a rate of {self.rate} Hz is not positive")
        if not np.isfinite(self.start):
            raise DataError(f"{self.source}: a start at {self.start} s is no time")
        if len(self.labels) and not -1 <= self.labels.min() <= self.labels.max() < len(
            self.activities
        ):
            raise DataError(
                f"{self.source}: labels reach {self.labels.min()}..{self.labels.max()}, but there "
                f"are {len(self.activities)} activities"
            )
        require_finite(self.signal, self.rate, [c.name for c in self.channels], self.source)

    def __len__(self) -> int:
        return len(self.signal)

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.signal) / self.rate

    @property
    def positions(self) -> tuple[str, ...]:
        """Where on the body its sensors were, in channel order."""
        return tuple(dict.fromkeys(channel.position for channel in self.channels))

    def select(
        self,
        positions: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        axes: Sequence[str] | None = None,
    ) -> Recording:
        """Keep the channels at these positions, of these kinds, along these axes; None keeps all.

        Channels keep their order. Raises DataError that names what is missing and what there is.
        """
        keep = list(range(len(self.channels)))
        for attribute, wanted in (("position", positions), ("kind", kinds), ("axis", axes)):
            if wanted is None:
                continue
            there = list(dict.fromkeys(getattr(channel, attribute) for channel in self.channels))
            for value in wanted:
                if value not in there:
                    raise DataError(
                        f"{self.source}: no channel with {attribute} {value!r}; "
                        f"there is {', '.join(there)}"
                    )
            keep = [i for i in keep if getattr(self.channels[i], attribute) in wanted]
        if not keep:
            raise DataError(f"{self.source}: no channel has all of the wanted properties at once")
        return replace(
            self,
            channels=tuple(self.channels[i] for i in keep),
            signal=np.ascontiguousarray(self.signal[:, keep]),
        )


def require_finite(
    signal: NDArray[np.float32], rate: float, names: Sequence[str], source: str
) -> None:
    """Raise DataError for the first stretch of NaN or infinity: channel, second and length."""
    if np.isfinite(signal.sum(dtype=np.float64)):  # one pass; a sum hides no NaN
        return
    bad = ~np.isfinite(signal)
    if not bad.any():
        return
    column = int(np.flatnonzero(bad.any(axis=0))[0])
    rows = np.flatnonzero(bad[:, column])
    first = int(rows[0])
    breaks = np.flatnonzero(np.diff(rows) > 1)
    length = int(breaks[0]) + 1 if len(breaks) else len(rows)
    everywhere = int(bad.any(axis=1).sum())
    more = f" ({counted(everywhere, 'such sample')} in all)" if everywhere > length else ""
    raise DataError(
        f"{source}: {names[column]} is not a number for {counted(length, 'sample')} from "
        f"{first / rate:.2f} s on{more}; cut the recording there or fill the gap"
    )


def digest(recordings: Iterable[Recording]) -> str:
    """A sha256 over everything that training sees: subjects, rates, channels, samples, labels.

    When a recording was made is no part of it: a training does not see that.
    """
    whole = hashlib.sha256()
    for recording in recordings:
        names = [channel.name + channel.unit for channel in recording.channels]
        head = (recording.subject, recording.rate, names, recording.activities)
        whole.update(repr(head).encode())
        whole.update(np.ascontiguousarray(recording.signal).data)
        whole.update(np.ascontiguousarray(recording.labels).data)
    return whole.hexdigest()
