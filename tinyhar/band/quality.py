"""Is a take good enough to teach from? Told at once, while its maker still wears the band.

Thresholds are ours, set so that none of HAPT's, DSADS's or the synthetic movement's activities is
taken for what it is not (a table of both is in the tests).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.sensing import Sensing
from tinyhar.counts import COUNTS

STILL: Final = {"acc": 0.35, "gyro": 0.20}
"""A sensor that varies less than this within a second (all axes together, SI units) rests."""

LIVELY: Final = {"acc": 3.0, "gyro": 2.0}
"""One that varies more than this does not."""

CLIPPED: Final = 0.005
"""Share of samples at full scale from which on a take is spoilt."""

_RESTING: Final = ("rest", "sit", "stand", "lie", "lying", "lay", "sleep", "still", "idle", "seat")
_MOVING: Final = (
    *("walk", "run", "jog", "jump", "climb", "stair", "cycl", "row", "up", "down", "swim", "danc"),
    *("drink", "eat", "brush", "stir", "wash", "clap", "wav", "writ", "typ", "turn", "play"),
)


@dataclass(frozen=True)
class Finding:
    """Something about a take, in one sentence; a ``grave`` one speaks against keeping it."""

    kind: str
    words: str
    grave: bool = True


def rests(name: str) -> bool | None:
    """Whether a class of this name is done at rest; None where the name does not tell."""
    words = [word for word in re.split(r"[^a-z]+", name.casefold()) if word]
    if {"lying", "laying"} & {*words}:  # "lying down" is where one is, "standing up" a movement
        words = [word for word in words if word != "down"]
    if any(word.startswith(_MOVING) for word in words):
        return False
    return True if any(word.startswith(_RESTING) for word in words) else None


def check(
    counts: m.Counts, sensing: Sensing, *, wanted: int, lost: int = 0, resting: bool | None = None
) -> list[Finding]:
    """What is to be said about a take.

    Args:
        counts: int16 [time, channel].
        sensing: the band that it comes from.
        wanted: samples that it should have.
        lost: samples that never came.
        resting: whether the class is done at rest; None where nobody knows.
    """
    findings = [*_length(len(counts), wanted, lost, sensing.rate)]
    if len(counts) > 1:
        findings += [*_dead(counts, sensing), *_clipped(counts, sensing)]
        if not any(f.kind == "dead" for f in findings):
            findings += _movement(counts, sensing, resting)
    return findings


def _length(samples: int, wanted: int, lost: int, rate: float) -> list[Finding]:
    found = []
    if samples < wanted:
        told = f"only {samples / rate:.1f} of {wanted / rate:g} s were recorded"
        found.append(Finding("short", told))
    if lost:
        share = lost / (samples + lost)
        told = f"{lost} samples ({share:.1%}) were lost on the line"
        found.append(Finding("lost", told, grave=share > 0.01))
    return found


def _dead(counts: m.Counts, sensing: Sensing) -> list[Finding]:
    """A sensor that delivers one and the same value does not measure."""
    constant = (counts == counts[0]).all(axis=0)
    dead = [name for name, same in zip(sensing.channels, constant, strict=True) if same]
    if not dead:
        return []
    return [Finding("dead", f"{', '.join(dead)} never changed by a count: is the sensor awake?")]


def _clipped(counts: m.Counts, sensing: Sensing) -> list[Finding]:
    share = ((counts == COUNTS - 1) | (counts == -COUNTS)).mean(axis=0)
    worst = int(share.argmax())
    if not share[worst]:
        return []
    return [
        Finding(
            "clipped",
            f"{sensing.channels[worst]} is at full scale in {share[worst]:.1%} of the samples: "
            "move less hard, or give the sensor a larger range",
            grave=bool(share[worst] >= CLIPPED),
        )
    ]


def _movement(counts: m.Counts, sensing: Sensing, resting: bool | None) -> list[Finding]:
    liveliness = agitation(counts, sensing)
    still = all(liveliness[kind] < STILL[kind] for kind in liveliness if kind in STILL)
    lively = any(liveliness[kind] > LIVELY[kind] for kind in liveliness if kind in LIVELY)
    if still and not resting:
        return [Finding("still", "the sensor hardly moved: is the band worn, did it go on?")]
    if lively and resting:
        return [Finding("moving", "the sensor moved a lot, for something that is done at rest")]
    return []


def agitation(counts: m.Counts, sensing: Sensing) -> dict[str, float]:
    """How much each kind of sensor varies within a second, all axes together, in SI units.

    The median over the take's seconds of the root of the axes' summed variances.
    """
    signal: npt.NDArray[np.float64] = counts * sensing.lsb
    second = max(2, round(sensing.rate))
    whole = max(1, len(signal) // second)
    variances = np.array([part.var(axis=0) for part in np.array_split(signal, whole)])
    kinds = np.array(sensing.kinds)
    return {
        kind: float(np.median(np.sqrt(variances[:, kinds == kind].sum(axis=1))))
        for kind in dict.fromkeys(sensing.kinds)
    }
