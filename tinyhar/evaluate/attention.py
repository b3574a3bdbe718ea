"""Where a model with attention looks: its maps, averaged over the windows of each class.

Self-attention HAR (arXiv 2003.09018) shows sensor attention aggregated per class and sensor; the
same for time is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyhar.errors import DataError

MOST_STEPS: Final = 64
"""Steps of time that a picture shows: longer windows are averaged down to at most so many."""

Map = NDArray[np.float64]


@dataclass(frozen=True)
class ClassAttention:
    """Mean attention of each class, over the windows of `people` ("unseen", "validation").

    Attributes:
        sensor: float64 [class, channel], a row sums to one; None if the model weighs no channels.
        temporal: float64 [class, step], a row sums to one; None if it weighs no time.
        windows: how many windows each class had; a class without any has a row of NaN.
        people: whose windows.
    """

    sensor: Map | None
    temporal: Map | None
    windows: tuple[int, ...]
    people: str = "unseen"

    def __post_init__(self) -> None:
        for name, found in (("sensor", self.sensor), ("temporal", self.temporal)):
            if found is not None and (found.ndim != 2 or len(found) != len(self.windows)):
                raise DataError(
                    f"{name} attention {list(found.shape)}: expected a row for each of "
                    f"{len(self.windows)} classes"
                )


def by_class(
    labels: ArrayLike,
    *,
    classes: int,
    sensor: NDArray[np.float32] | None = None,
    temporal: NDArray[np.float32] | None = None,
    people: str = "unseen",
) -> ClassAttention:
    """Average maps over the windows of each class.

    Args:
        labels: class of each window, int [n].
        classes: how many classes there are.
        sensor: [n, time, channel], every time's row sums to one (averaged over time as well).
        temporal: [n, step], a row sums to one.
        people: whose windows they are.
    """
    y = np.asarray(labels)
    flat = None if sensor is None else np.asarray(sensor, np.float64).mean(axis=1)
    return ClassAttention(
        sensor=None if flat is None else _mean_rows(flat, y, classes),
        temporal=None if temporal is None else _mean_rows(temporal, y, classes),
        windows=tuple(np.bincount(y, minlength=classes).tolist()),
        people=people,
    )


def _mean_rows(values: NDArray[np.floating], y: NDArray[np.int64], classes: int) -> Map:
    if len(values) != len(y):
        raise DataError(f"{len(values)} attention maps for {len(y)} windows")
    found = np.full((classes, values.shape[1]), np.nan)
    for k in np.unique(y):
        found[k] = values[y == k].mean(axis=0, dtype=np.float64)
    return found


def steps(temporal: Map) -> Map:
    """At most MOST_STEPS columns [class, step], each how many times the even share it gets.

    1 everywhere is attention that prefers no time.
    """
    even = temporal * temporal.shape[1]
    parts = np.array_split(even, min(MOST_STEPS, even.shape[1]), axis=1)
    return np.stack([part.mean(axis=1) for part in parts], axis=1)


def shades(values: Map) -> Map:
    """Values as 0..1 from the smallest to the largest of the map, for colours; NaN stays."""
    if np.isnan(values).all():
        return values
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (values - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.5)
