"""Can a class be told from those recorded before? A quick look that needs no model.

Each stretch of two seconds becomes a few features; with it left out, the classes' means are taken,
and the stretch goes to the nearest (Euclidean, in units of the spread within classes). A class many
of whose stretches go to another, or that draws many of another's, is confused with it. Nothing
fancy: what this cannot tell apart, a few seconds of teaching may still, but what it can is easy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STRETCH_SECONDS: Final = 2.0
"""Half of each stretch is in the next."""

CONFUSED: Final = 0.4
"""Share of strayed stretches from which on two classes count as confused. (ours)"""

_FLOORS: Final = {"acc": (0.5, 0.05), "gyro": (0.1, 0.02)}
"""By kind, SI units: a change of posture that means nothing, and a sensor's noise. (ours)"""

_LOG_FLOOR: Final = 0.2
"""A change of liveliness that means nothing, as a logarithm. (ours)"""


@dataclass(frozen=True, eq=False)
class Labelled:
    """A take: its class and its signal float64 [time, channel] in SI units."""

    name: str
    signal: Array


@dataclass(frozen=True)
class Confusion:
    """``share`` of the stretches of a class, or of ``other``, goes to the wrong one of the two."""

    other: str
    share: float


def confusions(
    takes: Sequence[Labelled], name: str, kinds: Sequence[str], rate: float
) -> list[Confusion]:
    """With which classes one of them is confused, the worst first; empty if it stands out.

    ``kinds`` are the channels' kinds. Takes without a whole stretch do not count.
    """
    features, labels, takes_of = _stretches(takes, kinds, rate)
    names = list(dict.fromkeys(labels))
    if name not in names or len(names) < 2:
        return []
    guesses = _left_out(features, np.array([names.index(n) for n in labels]), takes_of, kinds)
    truth = np.array([names.index(n) for n in labels])
    mine = names.index(name)
    found = []
    for other in range(len(names)):
        if other != mine:
            away = float((guesses[truth == mine] == other).mean())
            back = float((guesses[truth == other] == mine).mean())
            found.append(Confusion(names[other], max(away, back)))
    return sorted((c for c in found if c.share >= CONFUSED), key=lambda c: -c.share)


def _stretches(
    takes: Sequence[Labelled], kinds: Sequence[str], rate: float
) -> tuple[Array, list[str], npt.NDArray[np.intp]]:
    """Features [n, feature], each one's class, and its take's number and place there [n, 2]."""
    length = max(4, round(STRETCH_SECONDS * rate))
    rows, labels, places = [], [], []
    for number, take in enumerate(takes):
        for place, start in enumerate(range(0, len(take.signal) - length + 1, length // 2)):
            rows.append(features_of(take.signal[start : start + length], kinds))
            labels.append(take.name)
            places.append((number, place))
    shape = (0, 3 * len(kinds))
    return np.array(rows) if rows else np.zeros(shape), labels, np.array(places, np.intp)


def features_of(signal: Array, kinds: Sequence[str]) -> Array:
    """Of [time, channel]: means, and logarithms of deviations and of the steps from sample to
    sample; float64 [3 * channel]."""
    noise = np.array([_FLOORS.get(kind, (0.5, 0.05))[1] for kind in kinds])
    deviation = np.log(signal.std(axis=0) + noise)
    steps = np.log(np.abs(np.diff(signal, axis=0)).mean(axis=0) + noise)
    return np.concatenate([signal.mean(axis=0), deviation, steps])


def _left_out(
    features: Array,
    truth: npt.NDArray[np.intp],
    places: npt.NDArray[np.intp],
    kinds: Sequence[str],
) -> npt.NDArray[np.intp]:
    """The nearest class of each stretch, without those that share samples with it."""
    classes = int(truth.max()) + 1
    guesses = np.zeros(len(features), np.intp)
    for i, (take, place) in enumerate(places.tolist()):
        shared = (places[:, 0] == take) & (np.abs(places[:, 1] - place) <= 1)
        guesses[i] = _nearest(features[i], features[~shared], truth[~shared], classes, kinds)
    return guesses


def _nearest(
    one: Array,
    features: Array,
    truth: npt.NDArray[np.intp],
    classes: int,
    kinds: Sequence[str],
) -> int:
    """A class of which nothing is left is never the nearest."""
    there = [c for c in range(classes) if (truth == c).any()]
    means = np.array([features[truth == c].mean(axis=0) for c in there])
    within = features - means[np.searchsorted(there, truth)]
    posture = np.array([_FLOORS.get(kind, (0.5, 0.05))[0] for kind in kinds])
    floor = np.concatenate([posture, np.full(2 * len(kinds), _LOG_FLOOR)])
    spread = (within**2).mean(axis=0) + floor**2
    return there[int((((one - means) ** 2) / spread).sum(axis=1).argmin())]
