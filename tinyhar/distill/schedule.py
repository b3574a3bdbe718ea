"""Learning rates over a training, as one function of the share that is done."""

from __future__ import annotations

import math
from typing import Literal

Schedule = Literal["one-cycle", "cosine", "constant"]


def rate_at(done: float, peak: float, schedule: Schedule, warmup: float) -> float:
    """The learning rate when the share `done` (0 to 1) of all steps is behind.

    "one-cycle": a linear rise from a tenth to the peak over the share `warmup`, then half a cosine
    to zero (Smith & Topin 2018, with a cosine for their second line). "cosine": half a cosine from
    the start (Loshchilov & Hutter 2017, no restarts). "constant": the peak.
    """
    if schedule == "constant":
        return peak
    if schedule == "one-cycle" and done < warmup:
        return peak * (0.1 + 0.9 * done / warmup)
    start = warmup if schedule == "one-cycle" else 0.0
    return peak * 0.5 * (1.0 + math.cos(math.pi * (done - start) / max(1e-9, 1.0 - start)))
