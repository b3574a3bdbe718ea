"""Which part of a calibration is learned from and which is kept to judge by: split by time.

Neighbouring windows overlap and movement resembles itself from second to second, so a split by
window would flatter. Each class's recordings are put end to end in the order that they were made:
the earlier part is learned from, the later one judges. Where the border falls inside a stretch of
movement, one window's length there goes to neither side: no sample is on both sides, and no
window of one side touches a window of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.recordings import UNLABELLED

LEAST: Final = 0.6
"""Share of what should be learned from that must be left of it, else nothing is held out. (ours)"""


@dataclass(frozen=True, order=True)
class Stretch:
    """Samples [begin, end) of a recording, in which one class was done without a break.

    Or a whole recording, `label` being a number that it shares with those of the same classes.
    """

    recording: int
    begin: int
    end: int
    label: int

    def __len__(self) -> int:
        return self.end - self.begin

    def starts(self, window: int, stride: int) -> range:
        """First samples of the windows that lie wholly inside."""
        return range(self.begin, self.end - window + 1, stride)


@dataclass(frozen=True)
class TimeSplit:
    """Stretches to learn from and, later in time, stretches to judge by."""

    learn: tuple[Stretch, ...]
    judge: tuple[Stretch, ...]


def stretches(labels: Sequence[NDArray[np.integer]]) -> tuple[Stretch, ...]:
    """Every run of one label in each recording's labels [time], unlabelled ones left out."""
    found = []
    for recording, values in enumerate(labels):
        edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
        for begin, end in pairwise(edges):
            if begin < end and values[begin] != UNLABELLED:
                found.append(Stretch(recording, begin, end, int(values[begin])))
    return tuple(found)


def whole(labels: Sequence[NDArray[np.integer]]) -> tuple[Stretch, ...]:
    """Every recording as one stretch: for windows that may reach over several classes.

    Recordings of the same classes have one number, so that each such kind is split by itself.
    """
    kinds = [frozenset(np.unique(values).tolist()) - {UNLABELLED} for values in labels]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    return tuple(
        Stretch(recording, 0, len(values), numbers[kind])
        for recording, (values, kind) in enumerate(zip(labels, kinds, strict=True))
        if kind
    )


def split_in_time(
    found: Iterable[Stretch],
    *,
    window: int,
    held_out: float = 0.3,
) -> TimeSplit:
    """Earlier stretches to learn from and later ones to judge by, for each class.

    A class that is too short for a window on both sides is learned from as a whole. Stretches
    shorter than a window are of no use to either side and fall away.

    Args:
        found: in the order that they were recorded.
        window: samples.
        held_out: share of each class's samples to judge by, 0 to 1; 0: none.
    """
    sides: tuple[list[Stretch], list[Stretch]] = ([], [])
    whole = sorted(one for one in found if len(one) >= window)
    for label in sorted({one.label for one in whole}):
        of_class = [one for one in whole if one.label == label]
        for side, parts in zip(sides, _sides(of_class, window, held_out), strict=True):
            side += parts
    return TimeSplit(*(tuple(sorted(side)) for side in sides))


def _sides(
    of_class: list[Stretch], window: int, held_out: float
) -> tuple[list[Stretch], list[Stretch]]:
    """One class's stretches to learn from and to judge by."""
    lengths = [len(one) for one in of_class]
    if not held_out:
        return of_class, []
    learn, judge = _parted(of_class, _border(lengths, window, held_out), window)
    left = sum(len(one) for one in learn)
    enough = left >= max(window, LEAST * (1 - held_out) * sum(lengths))
    return (learn, judge) if judge and enough else (of_class, [])


def _border(lengths: list[int], window: int, held_out: float) -> int:
    """How many samples of a class are learned from, counted over its stretches end to end."""
    total = sum(lengths)
    wanted = max(window, held_out * total)
    # Between two recordings nothing has to be thrown away.
    near = [
        end
        for end in np.cumsum(lengths)[:-1].tolist()
        if window <= total - end and abs(total - end - wanted) < wanted / 2
    ]
    if near:
        return int(min(near, key=lambda end: abs(total - end - wanted)))
    return total - round(wanted) - window


def _parted(
    of_class: list[Stretch], border: int, window: int
) -> tuple[list[Stretch], list[Stretch]]:
    """Stretches before and behind the border, the one that holds it cut in two."""
    before, behind = [], []
    at = 0
    for one in of_class:
        inside = border - at
        middle = one.begin + inside
        if inside >= len(one):
            before.append(one)
        elif inside <= 0:
            behind.append(one)
        else:
            if inside >= window:
                before.append(replace(one, end=middle))
            if one.end - middle >= 2 * window:
                behind.append(replace(one, begin=middle + window))
        at += len(one)
    return before, behind
