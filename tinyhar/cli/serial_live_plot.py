"""Plots and bars of letters: braille dots for signals, eighths of a block for shares."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

BRAILLE: Final = 0x2800
_DOTS: Final = np.array([[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]])
"""Unicode's bits of a braille letter: [column, row from the top]."""

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_LADDER: Final = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


def curve(
    values: npt.NDArray[np.float64], end: int, per_dot: float, columns: int, rows: int, full: float
) -> list[str]:
    """A signal as ``rows`` lines of ``columns`` letters, 2 x 4 dots each, the newest at the right.

    Args:
        values: float64 [time]; those of the last samples, fewer where there were no more.
        end: the number of samples ever; dots cover the same samples as long as they are seen, so
            that a curve moves and does not flicker.
        per_dot: samples a column of dots.
        columns, rows: size in letters.
        full: what reaches the top; its negative is at the bottom.
    """
    dots = 2 * columns
    last = int((end - 1) // per_dot)
    edges = np.arange(last - dots + 1, last + 2) * per_dot
    first = end - len(values)
    starts = np.floor(edges[:-1]).astype(int) - first
    stops = np.maximum(starts + 1, np.floor(edges[1:]).astype(int) - first)
    shown = (starts >= 0) & (starts < len(values))
    on = np.zeros((dots, 4 * rows), bool)
    if shown.any():
        low, high = _levels(values, starts[shown], stops[shown], 4 * rows, full)
        level = np.arange(4 * rows)
        on[shown] = (level >= low[:, None]) & (level <= high[:, None])
    bits = on.reshape(columns, 2, rows, 4) * _DOTS[:, None, :]
    letters = BRAILLE + bits.sum(axis=(1, 3)).T
    return ["".join(map(chr, row)) for row in letters.tolist()]


def _levels(
    values: npt.NDArray[np.float64],
    starts: npt.NDArray[np.intp],
    stops: npt.NDArray[np.intp],
    levels: int,
    full: float,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The lowest and highest dot row, from the top, of each bin; neighbours touch."""
    scaled = (1 - np.clip(values / full, -1, 1)) / 2 * (levels - 1)
    level = np.append(np.rint(scaled).astype(int), 0)
    pairs = np.stack([starts, np.minimum(stops, len(values))], axis=1).ravel()
    low = np.minimum.reduceat(level, pairs)[::2]
    high = np.maximum.reduceat(level, pairs)[::2]
    middle = level[starts]
    before = np.concatenate([middle[:1], level[np.minimum(stops, len(values)) - 1][:-1]])
    return np.minimum(low, before), np.maximum(high, before)


def bar(share: float, columns: int) -> str:
    """A share 0..1 as a bar of eighths, padded to ``columns``."""
    eighths = round(min(max(share, 0.0), 1.0) * columns * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(columns)


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 5, 7, 10, 15, ... at or above a value above 0."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-6)))
    return next((float(s * power) for s in _LADDER if s * power >= value), float(10 * power))
