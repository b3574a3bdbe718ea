"""Movement of another position that trains as if it were the band's: the other wrist's.

The left side of a body moves as the right one's mirror image, and a sensor there may sit turned
besides. So what it measured goes through the orthogonal matrix, mirror included, that brings each
activity's mean acceleration closest to where the band's own sensor has it (Schönemann, "A
generalized solution of the orthogonal Procrustes problem", Psychometrika 1966; that a wrist learns
from the other one is ours). Training people alone tell the matrix, and only their windows are
borrowed: who tests is judged by the band's own position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.windows import Windows

KINDS = ("acc", "gyro")
"""Of sensors that can be borrowed; the first tells how they lie."""


def borrowed(own: Windows, other: Windows, people: Sequence[str]) -> Windows:
    """Windows of these people at another position, through the band's own channels.

    Args:
        own: windows [n, time, channel] of one position, in SI units.
        other: the same windows through the same kinds of sensors at another position.
        people: the training subjects.

    Raises:
        DataError: sensors that cannot be turned.
    """
    kinds = [channel.kind for channel in own.channels]
    if kinds != [kind for kind in KINDS if kind in kinds for _ in "xyz"] or KINDS[0] not in kinds:
        raise DataError(
            f"data.borrow: needs all axes of an accelerometer, and takes those of a gyroscope; the "
            f"band has {', '.join(channel.name for channel in own.channels)}"
        )
    chosen = np.flatnonzero(np.isin(own.subject, people))
    mine, theirs = own.take(chosen), other.take(chosen)
    turn = fitting_turn(_class_means(theirs), _class_means(mine))
    sensors = np.split(theirs.x, len(kinds) // 3, axis=2)
    turned = [
        sensor @ (turn if kind == "acc" else np.linalg.det(turn) * turn)
        for kind, sensor in zip(kinds[::3], sensors, strict=True)
    ]
    return replace(mine, x=np.concatenate(turned, axis=2).astype(np.float32))


def fitting_turn(there: NDArray[np.floating], here: NDArray[np.floating]) -> NDArray[np.float64]:
    """Q [3, 3], a rotation or mirror, that makes |there Q - here| least; both are [n, 3]."""
    left, _, right = np.linalg.svd(there.T.astype(np.float64) @ here)
    return np.asarray(left @ right, np.float64)


def _class_means(windows: Windows) -> NDArray[np.float64]:
    """Mean acceleration of each class that is there: [class, 3]."""
    acc = [i for i, channel in enumerate(windows.channels) if channel.kind == "acc"]
    means = windows.x[:, :, acc].mean(axis=1, dtype=np.float64)
    return np.array([means[windows.y == label].mean(axis=0) for label in np.unique(windows.y)])
