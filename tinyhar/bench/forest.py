"""The old way: simple features of a window, and a random forest on them.

What a reader of the field would try first: moments, quantiles, crossings and the spectrum of every
channel and of every sensor's magnitude (Bao and Intille 2004; the time and frequency features of
UCI HAR, Anguita et al. 2013), then Breiman's random forest (2001) as scikit-learn has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.recordings import Channel

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

TREES: Final = 300

FEATURES: Final = (
    *("mean", "std", "min", "max", "median", "iqr", "energy", "crossings", "change"),
    *("dominant_hz", "dominant_share", "spectral_entropy"),
)
"""Of each signal: what `features` gives, in its order."""


def features(
    windows: NDArray[np.float32], channels: Sequence[Channel], rate: float
) -> tuple[NDArray[np.float64], list[str]]:
    """Windows [n, time, channel] in the channels' units, at `rate` Hz, as features [n, f].

    The second value names the columns: "waist_acc_x.mean", "waist_acc_magnitude.mean", ...
    """
    signals, names = _signals(np.asarray(windows, np.float64), channels)
    columns = np.stack([*_of_time(signals), *_of_frequency(signals, rate)], axis=-1)
    titles = [f"{name}.{feature}" for name in names for feature in FEATURES]
    return columns.reshape(len(windows), -1), titles


def train(x: NDArray[np.float64], y: NDArray[np.int64], *, seed: int) -> RandomForestClassifier:
    """A forest on features [n, f] and classes [n]; rare classes weigh as much as frequent ones."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        TREES, min_samples_leaf=2, class_weight="balanced_subsample", random_state=seed, n_jobs=1
    )
    return forest.fit(x, y)


def nodes(forest: RandomForestClassifier) -> int:
    """Decisions and leaves of all trees: what a device would store."""
    return sum(int(tree.tree_.node_count) for tree in forest.estimators_)


def _signals(
    x: NDArray[np.float64], channels: Sequence[Channel]
) -> tuple[NDArray[np.float64], list[str]]:
    """Every channel, and the magnitude of every sensor with several axes: [n, signal, time]."""
    sensors: dict[str, list[int]] = {}
    for index, channel in enumerate(channels):
        sensors.setdefault(f"{channel.position}_{channel.kind}", []).append(index)
    several = {name: axes for name, axes in sensors.items() if len(axes) > 1}
    magnitudes = [np.linalg.norm(x[:, :, axes], axis=2) for axes in several.values()]
    signals = np.stack([*np.moveaxis(x, 2, 0), *magnitudes], axis=1)
    return signals, [*(c.name for c in channels), *(f"{name}_magnitude" for name in several)]


def _of_time(s: NDArray[np.float64]) -> list[NDArray[Any]]:
    """Of signals [n, signal, time]: one [n, signal] each."""
    low, median, high = np.quantile(s, (0.25, 0.5, 0.75), axis=2)
    mean = s.mean(axis=2)
    above = s > median[..., np.newaxis]
    return [
        *(mean, s.std(axis=2), s.min(axis=2), s.max(axis=2), median, high - low),
        ((s - mean[..., np.newaxis]) ** 2).mean(axis=2),
        (above[..., 1:] != above[..., :-1]).mean(axis=2),
        np.abs(np.diff(s, axis=2)).mean(axis=2),
    ]


def _of_frequency(s: NDArray[np.float64], rate: float) -> list[NDArray[Any]]:
    """The strongest frequency in Hz, its share of the power, and the power's entropy, 0 to 1."""
    centred = s - s.mean(axis=2, keepdims=True)
    power = np.abs(np.fft.rfft(centred, axis=2))[..., 1:] ** 2
    total = power.sum(axis=2, keepdims=True)
    share = np.divide(power, total, out=np.zeros_like(power), where=total > 0)
    hertz = np.fft.rfftfreq(s.shape[2], d=1 / rate)[1:]
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    entropy = -(share * logs).sum(axis=2) / np.log(max(2, share.shape[2]))
    return [hertz[share.argmax(axis=2)], share.max(axis=2), entropy]
