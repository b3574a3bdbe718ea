"""REALDISP: seventeen people, nine units, thirty-three exercises, and sensors that sit elsewhere.

Banos, Damas, Pomares, Rojas, Toth, Amft, "A benchmark dataset to evaluate sensor displacement in
activity recognition", UbiComp 2012 (doi 10.1145/2370216.2370437); UCI 305. Three scenarios: ideal
(an expert places every unit), self (the wearer places some) and mutualK (the expert displaces K = 4
to 7 units on purpose; subjects 2, 5 and 15 only). Files do not tell which units are displaced.

``subjectN_ideal.log``, ``subjectN_self.log`` and ``subjectN_mutualK.log``: 50 Hz, tab separated, no
header, 120 columns, by tables 3 to 5 of the "dataset manual.pdf" that comes with the set (and as
public readers have it that quote the manual):

    1, 2    time: seconds, microseconds
    3-119   nine units of 13: acc xyz (m/s^2), gyro xyz (rad/s), mag xyz (normalised to the earth's
            field), quaternion 1-4 (not taken); in the order of POSITIONS
    120     activity 1 to 33 as in NAMES, 0 for none: unlabelled

The manual numbers the units S1 = left calf to S9 = right upper arm in another table: that is no
order of columns, though some public readers take it for one. The manual gives no units: they are
those of the Xsens MTx, and gravity's length confirms m/s^2.

Ours, after faults that readers of the whole set report: subject6_self, subject13_self and
subject15_mutual4 are published with zeros for all sensors, and are left out; most files' clock
jumps back once, and recordings are split there; a row of subject15_mutual7 is incomplete, and holes
of up to LONGEST_HOLE are bridged by straight lines. Nearly three quarters of all rows are pauses
between exercises: only PAUSE before and after each is kept.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.grid import fill_short_holes, stretches
from tinyhar.recordings.recording import UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Source, members
from tinyhar.recordings.tables import numbers
from tinyhar.recordings.words import counted

RATE: Final = 50.0
COLUMNS: Final = 120
LONGEST_HOLE: Final = 10
"""Samples: 0.2 s."""
LARGEST_STEP: Final = 0.1
"""Seconds between two rows of one recording."""
PAUSE: Final = 250
"""Samples without a label, 5 s, that are kept before and after each exercise."""
SHORTEST: Final = 50
"""Samples: pieces of under a second are dropped."""
TOO_MANY: Final = 0.01
"""Share of incomplete rows from which on the file is another one than it seems."""

POSITIONS: Final = (
    "right_lower_arm",
    "right_upper_arm",
    "back",
    "left_upper_arm",
    "left_lower_arm",
    "right_calf",
    "right_thigh",
    "left_thigh",
    "left_calf",
)
CHANNELS: Final = tuple(
    channel
    for position in POSITIONS
    for channel in triaxial(position, "acc", "gyro", "mag", units={"mag": "1"})
)
TAKEN: Final = tuple(2 + 13 * unit + i for unit in range(len(POSITIONS)) for i in range(9))

NAMES: Final = (
    "walking",
    "jogging",
    "running",
    "jump_up",
    "jump_front_and_back",
    "jump_sideways",
    "jump_legs_and_arms_open_closed",
    "jump_rope",
    "trunk_twist_arms_outstretched",
    "trunk_twist_elbows_bent",
    "waist_bends_forward",
    "waist_rotation",
    "waist_bends_to_opposite_foot",
    "reach_heels_backwards",
    "lateral_bend",
    "lateral_bend_arm_up",
    "repetitive_forward_stretching",
    "upper_trunk_and_lower_body_opposite_twist",
    "lateral_elevation_of_arms",
    "frontal_elevation_of_arms",
    "frontal_hand_claps",
    "frontal_crossing_of_arms",
    "shoulders_high_amplitude_rotation",
    "shoulders_low_amplitude_rotation",
    "arms_inner_rotation",
    "knees_to_the_breast",
    "heels_to_the_backside",
    "knees_bending_crouching",
    "knees_bending_forward",
    "rotation_on_the_knees",
    "rowing",
    "elliptical_bike",
    "cycling",
)
"""Of activities 1 to 33; the label is the id less one."""


def read(source: Source, scenario: str | None = None) -> list[Recording]:
    """Recordings by subject and scenario, several a file; ``scenario`` is their file's.

    Args:
        source: the archive or its extracted folder.
        scenario: "ideal", "self" or "mutual" reads only those files; None reads all.

    Raises:
        DataError: no file of that scenario, a file that is cut off or not in this format.
    """
    pattern = r"subject(\d+)_(ideal|self|mutual\d)\.log"
    found = members(source, pattern, "subjectN_ideal.log, _self.log or _mutualK.log")
    found.sort(key=lambda item: (int(item[1][1]), item[1][2]))
    chosen = [(n, m) for n, m in found if scenario is None or m[2].startswith(scenario)]
    if not chosen:
        there = sorted({match[2] for _, match in found})
        raise DataError(
            f"{source.path}: holds no subjectN_{scenario}.log; there is {', '.join(there)}"
        )
    recordings: list[Recording] = []
    empty = []
    for name, match in chosen:
        pieces = _file(source, name, match[1], match[2])
        recordings += pieces
        if not pieces:
            empty.append(name.rsplit("/", 1)[-1])
    if not recordings:
        raise DataError(f"{source.path}: no movement in {', '.join(empty)}")
    if empty:
        note = f"left out for want of any labelled movement: {', '.join(empty)}"
        recordings[0] = replace(recordings[0], notes=(note, *recordings[0].notes))
    return recordings


def _file(source: Source, name: str, subject: str, scenario: str) -> list[Recording]:
    origin = f"{source.path}:{name}"
    content = source.read(name)
    separator = "\t" if b"\t" in content[:4096] else " "
    table = numbers(content, origin, columns=COLUMNS, separator=separator)
    del content
    broken = np.asarray(np.isnan(table).any(axis=1))
    _check_complete(broken, origin)
    labels = _labels(table[:, -1], origin)
    signal = np.ascontiguousarray(table[:, TAKEN])
    if not signal[~broken].any():
        return []
    jump = _jumps(table[:, 0].astype(np.float64) + table[:, 1] * 1e-6, origin)
    signal[broken] = np.nan
    near = _near(labels != UNLABELLED, PAUSE)
    pieces = []
    for begin, end in pairwise([0, *jump.tolist(), len(table)]):
        _, lost = fill_short_holes(signal[begin:end], LONGEST_HOLE)
        keep = near[begin:end] & ~lost
        pieces += [(begin + b, begin + e) for b, e in stretches(keep, SHORTEST)]
    note = (
        f"subject {subject}, {scenario}: {counted(int(broken.sum()), 'incomplete row')}"
        f"{', the last one cut off' * bool(broken[-1])}"
    )
    return [
        Recording(
            subject=str(int(subject)),
            rate=RATE,
            channels=CHANNELS,
            signal=signal[b:e].copy(),  # or the pauses would stay in memory too
            labels=labels[b:e].copy(),
            activities=NAMES,
            source=f"{origin}:{b / RATE:.2f} s",
            notes=(note,) if number == 0 and broken.any() else (),
            scenario=scenario,
        )
        for number, (b, e) in enumerate(pieces)
    ]


def _check_complete(broken: NDArray[np.bool_], origin: str) -> None:
    if broken.mean() > TOO_MANY:
        first = int(np.flatnonzero(broken)[0]) + 1
        raise DataError(
            f"{origin}: {int(broken.sum())} of {counted(len(broken), 'row')} have fewer than "
            f"{COLUMNS} numbers (the first is line {first}); is it the official file, and whole?"
        )


def _labels(ids: NDArray[np.float32], origin: str) -> NDArray[np.int16]:
    ids = np.where(np.isnan(ids), 0, ids)
    unknown = ids[(ids != np.rint(ids)) | (ids < 0) | (ids > len(NAMES))]
    if len(unknown):
        raise DataError(
            f"{origin}: no activity has id {unknown[0]:g}, they go from 0 to {len(NAMES)}; "
            f"is column {COLUMNS} the activity?"
        )
    return ids.astype(np.int16) - np.int16(1)


def _jumps(clock: NDArray[np.float64], origin: str) -> NDArray[np.int_]:
    """Indices [k] of the rows before which the clock, in s, steps back or ahead."""
    step = np.diff(clock)
    known = step[np.isfinite(step)]
    usual = float(np.median(known)) if len(known) else 1 / RATE
    if not 0.8 < usual * RATE < 1.25:
        raise DataError(
            f"{origin}: columns 1 and 2 step by {usual:g} s instead of {1 / RATE:g} s; are they "
            "seconds and microseconds?"
        )
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((step <= 0) | (step > LARGEST_STEP)) + 1


def _near(labelled: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """Rows [t] that are labelled or at most ``margin`` rows away from one that is."""
    from scipy.ndimage import maximum_filter1d

    spread = maximum_filter1d(labelled.astype(np.uint8), 2 * margin + 1, mode="constant")
    return np.asarray(spread > 0)
