"""Smartphone in the pocket and smartwatch on the wrist at once, while sitting, rising, walking.

Matey-Sanz, Casteleyn, Granell, Data in Brief 2023. ``DATA/sNN/sNN_EE_{sp,sw}.csv``: acc (m/s^2),
gyro (rad/s), a timestamp (ms) and a label a sample. Phone and watch are separate recordings.

The timestamps say when a sample was delivered, not when it was taken: they come in bursts, yet stay
within a few hundredths of a second of a straight line whose slope is the same in every file
(104.3 Hz for the watch, 102.4 Hz for the phone), with nothing lost. So the line is taken for the
sensor's clock (ours; it leaves half as much noise above 15 Hz in the phone's gyroscope as the raw
timestamps do), and the samples are put on the nominal 100 Hz grid. Where a file departs from its
line by more than LARGEST_JITTER, its own timestamps are used.

Phone and watch stamp by one clock, so an execution is a session and ``align`` joins the two: in the
published files of subjects 1 to 18 they overlap by 97 % and more of their time in 19 of 20
executions, and their labels agree on 99.6 % of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.grid import onto_grid
from tinyhar.recordings.recording import UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import named

RATE: Final = 100.0
LARGEST_JITTER: Final = 0.25
"""Seconds."""
POSITIONS: Final = {"sp": "pocket", "sw": "wrist"}
ACTIVITIES: Final = ("SEATED", "STANDING_UP", "WALKING", "TURNING", "SITTING_DOWN")
COLUMNS: Final = ("x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro", "timestamp")


def read(source: Source) -> list[Recording]:
    """Two recordings an execution: the phone's and the watch's."""
    pattern = r"s\d\d/s(\d\d)_(\d\d)_(sp|sw)\.csv"
    found = members(source, pattern, "sNN/sNN_EE_sp.csv or _sw.csv")
    return [_execution(source, name, *match.groups()) for name, match in found]


def _execution(source: Source, name: str, subject: str, execution: str, device: str) -> Recording:
    origin = f"{source.path}:{name}"
    table = named(source.read(name), origin, COLUMNS, text=["label"])
    labels = _labels(table["label"].tolist(), origin)
    values = table[list(COLUMNS)].to_numpy()
    times, notes = sensor_clock(values[:, 6] / 1000, origin)
    signal, labels = onto_grid(times, values[:, :6], labels, RATE)
    return Recording(
        subject=str(int(subject)),
        rate=RATE,
        channels=triaxial(POSITIONS[device], "acc", "gyro"),
        signal=signal,
        labels=labels,
        activities=ACTIVITIES,
        source=origin,
        notes=notes,
        session=execution,
        start=float(values[0, 6] / 1000 + times[0]),
    )


def _labels(names: list[str], origin: str) -> NDArray[np.int16]:
    unknown = set(names) - set(ACTIVITIES) - {""}
    if unknown:
        raise DataError(
            f"{origin}: unknown label {', '.join(sorted(unknown))}; "
            f"there is {', '.join(ACTIVITIES)}"
        )
    index = {name: i for i, name in enumerate(ACTIVITIES)}
    return np.array([index.get(name, UNLABELLED) for name in names], np.int16)


def sensor_clock(
    stamps: NDArray[np.float64], origin: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Times [t] (s, increasing) from delivery times, and a note where they were used as given.

    They count from the first delivery.
    """
    if len(stamps) < 2 or not np.isfinite(stamps).all() or (np.diff(stamps) < 0).any():
        raise DataError(f"{origin}: timestamps are missing or run backwards")
    stamps = stamps - stamps[0]
    index = np.arange(len(stamps), dtype=np.float64)
    slope, start = np.polyfit(index, stamps, 1)
    line = start + slope * index
    if slope > 0 and np.abs(stamps - line).max() <= LARGEST_JITTER:
        return line, ()
    spread = np.maximum.accumulate(stamps + index * 1e-6)  # equal stamps must differ to interpolate
    return spread, (f"timestamps leave a straight line by over {LARGEST_JITTER} s: used as given",)
