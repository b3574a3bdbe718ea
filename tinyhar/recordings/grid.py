"""Unevenly timed samples to an even grid, and holes in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def onto_grid(
    times: Floats, values: Floats, labels: NDArray[np.int16], rate: float
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Values [t, c] and labels [t] at times (s, increasing) to every 1/rate s from the first on.

    Values by linear interpolation, labels from the nearest sample.
    """
    start = times[0]
    grid = start + np.arange(int((times[-1] - start) * rate + 1e-6) + 1) / rate
    columns = [np.interp(grid, times, values[:, i]) for i in range(values.shape[1])]
    after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
    nearest = np.where(
        grid - times[after - 1] <= times[np.minimum(after, len(times) - 1)] - grid, after - 1, after
    )
    nearest = np.minimum(nearest, len(times) - 1)
    return np.stack(columns, axis=1).astype(np.float32), labels[nearest]


def fill_short_holes(values: NDArray[np.float32], longest: int) -> tuple[int, NDArray[np.bool_]]:
    """Fill NaN stretches of at most ``longest`` rows by straight lines, in place.

    A stretch is bridged only from measured sample to measured sample: one at either end stays.
    Returns how many values were filled and which rows [t] still hold a NaN.
    """
    filled = 0
    rows = np.arange(len(values))
    for column in values.T:
        missing = np.isnan(column)
        if not missing.any() or missing.all():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
        short = np.zeros(len(values), bool)
        for begin, end in edges.reshape(-1, 2):
            if end - begin <= longest and begin > 0 and end < len(values):
                short[begin:end] = True
        column[short] = np.interp(rows[short], rows[~missing], column[~missing])
        filled += int(short.sum())
    return filled, np.asarray(np.isnan(values).any(axis=1))


def stretches(keep: NDArray[np.bool_], at_least: int) -> list[tuple[int, int]]:
    """Begin and end of every run of True that is long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]])))
    return [(int(b), int(e)) for b, e in edges.reshape(-1, 2) if e - b >= at_least]
