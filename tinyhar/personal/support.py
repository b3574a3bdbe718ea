"""What a calibration can teach, said before anything is trained.

A class is as good as its recording: too short, too still where others move, or the same movement
as another class. Separability is judged by nearest means, each class's taken from the first half of
what is learned from and asked about the second, in the base student's own features and each
channel's mean and deviation (posture, which a student that was trained on turned wrists ignores).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_WINDOWS: Final = 3
"""Windows without overlap from which on a class is taken to be shown. (ours)"""
TOLD_APART: Final = 0.5
"""Share of a class's later windows that must be nearest to its own earlier ones. (ours)"""
CLIPPED: Final = 0.05
"""Share of samples at the sensor's limit from which on a recording is called clipped. (ours)"""


@dataclass(frozen=True)
class Doubt:
    """A class that the data does not support well, and why: a sentence for the user."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def too_few(seconds: dict[str, float], window_seconds: float) -> list[Doubt]:
    """Classes with less to learn from than FEWEST_WINDOWS windows side by side."""
    return [
        Doubt(
            name,
            f"{length:.1f} s to learn from are {int(length / window_seconds + 1e-9)} windows of "
            f"{window_seconds:g} s; record {FEWEST_WINDOWS * window_seconds:g} s or more",
        )
        for name, length in seconds.items()
        if length + 1e-9 < FEWEST_WINDOWS * window_seconds
    ]


def clipped(names: Sequence[str], y: NDArray[np.int64], counts: NDArray[np.int16]) -> list[Doubt]:
    """Classes whose windows counts [n, time, channel] stand at the sensor's limit too often."""
    at_limit = (np.abs(counts.astype(np.int32)) >= 32767).any(axis=2).mean(axis=1)
    doubts = []
    for number, name in enumerate(names):
        of_class = at_limit[y == number]
        if len(of_class) and of_class.mean() > CLIPPED:
            doubts.append(
                Doubt(name, f"the sensor is at its limit for {of_class.mean():.0%} of the time")
            )
    return doubts


def alike(
    names: Sequence[str], features: NDArray[np.floating], y: NDArray[np.int64]
) -> list[Doubt]:
    """Classes whose later windows look like another class.

    Args:
        names: of the classes.
        features: float [n, d], see `described`, of the windows to learn from, in the order of
            time, and of other people's windows of classes that were not recorded.
        y: int64 [n].
    """
    early = np.zeros(len(y), bool)
    for number in range(len(names)):
        index = np.flatnonzero(y == number)
        early[index[: len(index) // 2]] = True
    there = [number for number in range(len(names)) if (early & (y == number)).any()]
    if len(there) < 2:
        return []
    scaled = whitened(features, y)
    means = np.stack([scaled[early & (y == number)].mean(axis=0) for number in there])
    doubts = []
    for number in there:
        late = scaled[~early & (y == number)]
        distances = ((late[:, None] - means[None]) ** 2).sum(axis=2)
        nearest = np.array(there)[distances.argmin(axis=1)]
        own = float((nearest == number).mean())
        if own < TOLD_APART:
            others = nearest[nearest != number]
            other = int(np.bincount(others).argmax())
            doubts.append(
                Doubt(
                    names[number],
                    f"looks like '{names[other]}': {(nearest == other).mean():.0%} of its later "
                    f"windows are nearer to that than to its own earlier ones ({own:.0%})",
                )
            )
    return doubts


def described(features: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Features [n, d] of windows x [n, 1, time, channel], with each channel's mean and deviation.

    Every column is scaled to deviation 1.
    """
    columns = np.concatenate([features, x[:, 0].mean(axis=1), x[:, 0].std(axis=1)], axis=1)
    spread = columns.std(axis=0)
    scaled: NDArray[np.float64] = columns / np.where(spread > 1e-9, spread, 1.0)
    return scaled


def whitened(
    features: NDArray[np.floating], y: NDArray[np.int64], shrink: float = 0.3
) -> NDArray[np.float64]:
    """Features [n, d] in which the windows of a class scatter alike in all directions.

    The pooled covariance within classes, shrunk towards its diagonal's mean (linear discriminant
    analysis with a regularised covariance, Friedman 1989).
    """
    values = np.asarray(features, np.float64)
    centred = np.concatenate([values[y == k] - values[y == k].mean(axis=0) for k in np.unique(y)])
    within = centred.T @ centred / max(1, len(centred) - 1)
    size = within.shape[0]
    blend = (1 - shrink) * within + shrink * np.trace(within) / size * np.eye(size)
    blend += 1e-6 * np.eye(size)
    strengths, directions = np.linalg.eigh(blend)
    scaled: NDArray[np.float64] = values @ (directions / np.sqrt(strengths))
    return scaled
