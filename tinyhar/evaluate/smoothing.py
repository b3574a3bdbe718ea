"""Answers that do not flicker, in the band's own integers (firmware/src/smoothing.c).

The logits of the last windows are summed and the largest sum leads, the first one among equals. The
shown class changes only after another has led a number of windows in a row. Confidence is the share
of the summed windows whose own class is the shown one.

    >>> smoother = Smoother(Smoothing(length=3, hold=2), classes=2)
    >>> [smoother.push([1, 0]).shown, smoother.push([0, 9]).shown, smoother.push([0, 9]).shown]
    [0, 0, 1]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.bundle import Smoothing


class Smoothed(NamedTuple):
    """What the band shows after a window: the class, and 0..255 for how sure."""

    shown: int
    confidence: int


class Smoother:
    """A stream's answers, steadied; one object a stream."""

    def __init__(self, settings: Smoothing, classes: int) -> None:
        self._hold = settings.hold
        self._logits: deque[NDArray[np.int64]] = deque(maxlen=settings.length)
        self._classes = classes
        self._shown: int | None = None
        self._challenger = 0
        self._led = 0

    def push(self, logits: Sequence[int] | NDArray[np.int8]) -> Smoothed:
        """The next window's logits, int8 [class]; ValueError for another number of classes."""
        row = np.asarray(logits, np.int64)
        if row.shape != (self._classes,):
            raise ValueError(f"logits have shape {row.shape}, not ({self._classes},)")
        self._logits.append(row)
        lead = int(np.sum(self._logits, axis=0).argmax())
        self._shown = lead if self._shown is None else self._challenge(self._shown, lead)
        agree = sum(int(window.argmax()) == self._shown for window in self._logits)
        return Smoothed(self._shown, agree * 255 // len(self._logits))

    def _challenge(self, shown: int, lead: int) -> int:
        """The class to show now that `lead` leads."""
        if lead == shown:
            self._led = 0
            return shown
        self._led = self._led + 1 if self._led and lead == self._challenger else 1
        self._challenger = lead
        if self._led < self._hold:
            return shown
        self._led = 0
        return lead


def smooth(logits: NDArray[np.int8], settings: Smoothing) -> NDArray[np.int64]:
    """The class shown after each window of one stream, int64 [n], from logits int8 [n, class]."""
    smoother = Smoother(settings, logits.shape[1])
    return np.array([smoother.push(row).shown for row in logits], np.int64)
