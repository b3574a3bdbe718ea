"""What happens to a band in use and not in a laboratory: turned, displaced, late, lossy, noisy.

Each disturbance is a function of windows float32 [n, time, channel] in SI units (or of a recording)
that gives the same, disturbed; the sensor's counts are made from them afterwards, so that a
disturbed signal clips where a real one would. SMLDist (arXiv 2107.07331) claims robustness under
sensor displacement; how each disturbance is made precise here is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinyhar.errors import DataError
from tinyhar.recordings import Channel, Recording
from tinyhar.windows import LARGEST_RATIO, resample

LARGEST_DRIFT: Final = 50
"""Per cent."""

Windows = NDArray[np.float32]


def about(axis: ArrayLike, degrees: float) -> NDArray[np.float64]:
    """The rotation [3, 3] by `degrees` about `axis` [3] (Rodrigues' formula)."""
    direction = np.asarray(axis, np.float64)
    length = float(np.linalg.norm(direction))
    if direction.shape != (3,) or not length > 0:
        raise DataError(f"axis {axis!r}: expected three numbers that are not all zero")
    x, y, z = direction / length
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    turn: NDArray[np.float64] = (
        np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    )
    return turn


def random_axes(count: int, seed: int) -> NDArray[np.float64]:
    """Axes [count, 3], uniform on the sphere; the same seed gives the same ones."""
    axes = np.random.default_rng(seed).normal(size=(count, 3))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def rotated(x: Windows, channels: Sequence[Channel], turn: NDArray[np.float64]) -> Windows:
    """All sensors turned by `turn` [3, 3]: what a band that sits turned would deliver.

    Accelerometer and gyroscope of one position sit in one case and turn together; here all
    positions turn alike.

    Raises:
        DataError: a sensor without all three axes: it cannot be turned.
    """
    result = x.copy()
    for sensor, axes in _sensors(channels).items():
        if sorted(axes) != ["x", "y", "z"]:
            raise DataError(
                f"{sensor}: has the axes {', '.join(axes)}; only sensors with x, y and z can turn"
            )
        columns = [axes[axis] for axis in "xyz"]
        result[..., columns] = x[..., columns] @ turn.T
    return result


def _sensors(channels: Sequence[Channel]) -> dict[str, dict[str, int]]:
    """Column of each axis of each sensor."""
    found: dict[str, dict[str, int]] = {}
    for column, channel in enumerate(channels):
        found.setdefault(f"{channel.position}_{channel.kind}", {})[channel.axis] = column
    return found


def drifted(recording: Recording, percent: float) -> Recording:
    """What a band delivers whose clock is `percent` too fast, while all believe its nominal rate.

    Too fast a clock takes more samples of the same movement: it seems slower.

    Raises:
        DataError: a drift beyond LARGEST_DRIFT, or one whose ratio the resampling cannot take.
    """
    ratio = Fraction(1 + percent / 100).limit_denominator(1000)
    if abs(percent) > LARGEST_DRIFT or max(ratio.numerator, ratio.denominator) > LARGEST_RATIO:
        raise DataError(
            f"drift of {percent:g} %: expected a whole number, or one like 2.5, within "
            f"+-{LARGEST_DRIFT}"
        )
    sampled = resample(recording, recording.rate * (1 + percent / 100))
    return replace(sampled, rate=recording.rate)


def losses(
    windows: int, time: int, share: float, *, run: float | None, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which samples are lost, bool [windows, time]: on average `share` of all.

    Args:
        windows: how many windows, each drawn by itself.
        time: samples in a window.
        share: of the samples that are lost, 0 to below 1.
        run: mean length of a burst in samples; None: every sample is lost by its own chance.
        rng: of the draw.

    Bursts follow Gilbert's two states (Bell System Technical Journal 1960): as long as the line is
    bad every sample is lost. Independent losses are the case run = 1 / (1 - share).

    Raises:
        DataError: a share or a run that cannot be.
    """
    if not 0 <= share < 1:
        raise DataError(f"share of lost samples {share}: expected 0 to below 1")
    length = 1 / (1 - share) if run is None else run
    recover = 1 / length if length >= 1 else 0.0
    fail = share * recover / (1 - share)
    if not 0 < recover <= 1 or fail > 1:
        raise DataError(f"bursts of {run:g} samples cannot be {share:.0%} of all samples")
    chance = rng.random((windows, time))
    lost = np.empty((windows, time), np.bool_)
    lost[:, 0] = chance[:, 0] < share
    for t in range(1, time):
        lost[:, t] = chance[:, t] < np.where(lost[:, t - 1], 1 - recover, fail)
    return lost


def held(x: Windows, lost: NDArray[np.bool_]) -> Windows:
    """Windows [n, time, channel] in which the last sample that arrived stands for lost ones.

    Before a window's first sample that arrived, that one stands: what the band held then is not in
    the window (ours). A window that lost everything keeps its first sample.
    """
    if lost.shape != x.shape[:2]:
        raise DataError(f"losses {list(lost.shape)} do not fit windows {list(x.shape)}")
    last = np.maximum.accumulate(np.where(lost, -1, np.arange(x.shape[1])), axis=1)
    first = (~lost).argmax(axis=1)
    index = np.where(last < 0, first[:, None], last)
    return np.take_along_axis(x, index[..., None], axis=1)


def noisy(
    x: Windows,
    channels: Sequence[Channel],
    *,
    acc: float,
    gyro: float,
    rng: np.random.Generator,
) -> Windows:
    """White Gaussian noise added: `acc` m/s^2 and `gyro` rad/s of standard deviation."""
    deviation = {"acc": acc, "body_acc": acc, "gyro": gyro}
    sigma = np.array([deviation.get(channel.kind, 0.0) for channel in channels])
    return (x + sigma * rng.normal(size=x.shape)).astype(np.float32)
