"""Daily and Sports Activities: eight people, five sensor units, nineteen activities.

Altun, Barshan, Tuncel, Pattern Recognition 2010; UCI 256. ``data/aNN/pM/sKK.txt`` holds 5 s at
25 Hz: 125 rows of 45 columns, for torso, right arm, left arm, right leg, left leg each acc xyz
(m/s^2), gyro xyz (rad/s), mag xyz (normalised to the earth's field). Segments follow each other
without a gap, so that one person's activity is one recording again.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from tinyhar.errors import DataError
from tinyhar.recordings.recording import Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import numbers

RATE: Final = 25.0
SEGMENT: Final = 125
POSITIONS: Final = ("torso", "right_wrist", "left_wrist", "right_leg", "left_leg")
CHANNELS: Final = tuple(
    channel
    for position in POSITIONS
    for channel in triaxial(position, "acc", "gyro", "mag", units={"mag": "1"})
)
ACTIVITIES: Final = (
    "sitting",
    "standing",
    "lying_on_back",
    "lying_on_right_side",
    "ascending_stairs",
    "descending_stairs",
    "standing_in_elevator",
    "moving_in_elevator",
    "walking_in_parking_lot",
    "walking_on_treadmill_flat",
    "walking_on_treadmill_inclined",
    "running_on_treadmill",
    "exercising_on_stepper",
    "exercising_on_cross_trainer",
    "cycling_horizontal",
    "cycling_vertical",
    "rowing",
    "jumping",
    "playing_basketball",
)


def read(source: Source) -> list[Recording]:
    """One recording a person and activity; a missing segment splits it in two."""
    groups: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    pattern = r"a(\d\d)/p(\d)/s(\d\d)\.txt"
    for name, match in members(source, pattern, "aNN/pM/sKK.txt"):
        groups[int(match[2]), int(match[1])][int(match[3])] = name
    return [
        _stretch(source, person, activity, names)
        for (person, activity), segments in sorted(groups.items())
        for names in _consecutive(segments)
    ]


def _consecutive(segments: dict[int, str]) -> list[list[str]]:
    stretches: list[list[str]] = []
    previous = -1
    for number, name in sorted(segments.items()):
        if number != previous + 1:
            stretches.append([])
        stretches[-1].append(name)
        previous = number
    return stretches


def _stretch(source: Source, person: int, activity: int, names: list[str]) -> Recording:
    origin = f"{source.path}:{names[0]}"
    if not 1 <= activity <= len(ACTIVITIES):
        raise DataError(f"{origin}: there is no activity {activity}, only 1..{len(ACTIVITIES)}")
    texts = [source.read(name).rstrip() for name in names]
    for name, text in zip(names, texts, strict=True):
        rows = text.count(b"\n") + 1
        if rows != SEGMENT:
            raise DataError(f"{source.path}:{name}: {rows} rows instead of {SEGMENT}")
    # One parse a recording: thirty small files would cost thirty start-ups of the parser.
    signal = numbers(b"\n".join(texts), origin, columns=len(CHANNELS), separator=",")
    return Recording(
        subject=str(person),
        rate=RATE,
        channels=CHANNELS,
        signal=signal,
        labels=np.full(len(signal), activity - 1, np.int16),
        activities=ACTIVITIES,
        source=origin,
    )
