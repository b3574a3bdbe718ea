"""Movement that is none of the classes: a score of the logits, and a threshold from data.

A softmax always names a class. Here a window is refused ("none of these") when a score of its
logits falls below a threshold: the largest logit, its margin over the second, or the energy
log sum exp (Liu et al. 2020, "Energy-based Out-of-distribution Detection"). The threshold is the
score under which a wanted share of known movement falls.

What is caught must be estimated without movement of no class: each class in turn is taken out of
the logits, as if nobody had taught it, and its windows should then be refused ("masked", ours; the
features have seen the class, so the estimate is a kind one).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError

Floats = NDArray[np.floating]


def largest(logits: Floats) -> NDArray[np.float64]:
    """The largest logit of each row [n, classes]."""
    return np.asarray(logits, np.float64).max(axis=1)


def margin(logits: Floats) -> NDArray[np.float64]:
    """How far the largest logit leads the second."""
    two = np.sort(np.asarray(logits, np.float64), axis=1)[:, -2:]
    lead: NDArray[np.float64] = two[:, 1] - two[:, 0]
    return lead


def energy(logits: Floats) -> NDArray[np.float64]:
    """Log of the sum of the logits' exponentials."""
    values = np.asarray(logits, np.float64)
    top = values.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(values - top).sum(axis=1)) + top[:, 0])


SCORES: Final[Mapping[str, Callable[[Floats], NDArray[np.float64]]]] = {
    "largest": largest,
    "margin": margin,
    "energy": energy,
}
"""High where the model knows the movement."""
CHOSEN: Final = "largest"
"""Of the three, energy separates best by a hair (area under the ROC 0.92 against 0.90 on classes
that base models of `dsads-wrist` never saw; the margin knows nothing, 0.53), but a band has the
largest logit at no cost and would need exponentials for the energy."""
FALSE_REJECTS: Final = 0.05
"""Share of known movement that may be refused."""


@dataclass(frozen=True)
class Rejection:
    """A threshold, and what it did to windows that it was not set from.

    Attributes:
        score: its name in SCORES.
        threshold: windows whose score is below are refused.
        wanted: share of known movement that was to be refused.
        false_rejects: share of judged known movement that was, NaN where nothing was judged.
        caught: of each class taken out of the logits, the share of its judged windows refused.
    """

    score: str
    threshold: float
    wanted: float
    false_rejects: float = float("nan")
    caught: Mapping[str, float] = field(default_factory=dict)

    @property
    def catch_rate(self) -> float:
        """Mean over the classes; NaN where nothing was judged."""
        return float(np.mean(list(self.caught.values()))) if self.caught else float("nan")

    def refuses(self, logits: Floats) -> NDArray[np.bool_]:
        """Which rows [n, classes] are none of the classes."""
        return SCORES[self.score](logits) < self.threshold


def set_threshold(
    known: Floats, *, score: str = CHOSEN, false_rejects: float = FALSE_REJECTS
) -> Rejection:
    """A threshold under which that share of known windows' logits [n, classes] falls.

    Raises:
        DataError: no such score, no windows, or a share outside 0 to 1.
    """
    if score not in SCORES:
        raise DataError(f"rejection by '{score}': there is {', '.join(SCORES)}")
    if not len(known):
        raise DataError("rejection: no known windows to set a threshold from")
    if not 0 < false_rejects < 1:
        raise DataError(f"rejection: a share of {false_rejects} of known movement: 0 to 1")
    threshold = float(np.quantile(SCORES[score](known), false_rejects))
    return Rejection(score, threshold, false_rejects)


def judged(
    rejection: Rejection, logits: Floats, y: NDArray[np.int64], names: Sequence[str]
) -> Rejection:
    """The same threshold with what it does to other windows: logits [n, classes], y int64 [n]."""
    if not len(y):
        return rejection
    caught = {}
    if logits.shape[1] > 2:
        for number in np.unique(y):
            without = np.delete(logits[y == number], number, axis=1)
            caught[names[int(number)]] = float(rejection.refuses(without).mean())
    return Rejection(
        rejection.score,
        rejection.threshold,
        rejection.wanted,
        float(rejection.refuses(logits).mean()),
        caught,
    )


def separation(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> float:
    """Chance that a known window's score is above an unknown one's (area under the ROC)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([known, unknown]))
    n, m = len(known), len(unknown)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))
