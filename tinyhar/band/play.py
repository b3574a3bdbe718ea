"""Play a recording to a band as if its own sensor delivered it, and hear what it makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tinyhar.band import messages as m
from tinyhar.band.client import Client

PIECE_SECONDS: Final = 0.1
"""Of movement in one request, at real time."""


@dataclass(frozen=True)
class Played:
    """What came of a recording; ``missed`` predictions were lost on the line."""

    samples: int
    predictions: int
    missed: int
    seconds: float

    @property
    def samples_per_second(self) -> float:
        """Speed over the line."""
        return self.samples / self.seconds


def play(
    client: Client,
    counts: m.Counts,
    on_prediction: Callable[[m.Prediction], None],
    *,
    real_time: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Played:
    """Stream counts int16 [time, channel], at the band's rate or as fast as the line goes.

    Raises BandError when the band falls silent, restarts or refuses.
    """
    client.require_model()
    rate = client.identity.rate_mhz / 1000
    piece = max(1, round(rate * PIECE_SECONDS)) if real_time else client.identity.window
    predictions = 0
    start = client.exchange.link.now()
    for at in range(0, len(counts), piece):
        ahead = at / rate - (client.exchange.link.now() - start)
        if real_time and ahead > 0:
            sleep(ahead)
        client.stream(counts[at : at + piece], at)
        for prediction in client.take_predictions():
            predictions += 1
            on_prediction(prediction)
    seconds = max(client.exchange.link.now() - start, 1e-9)
    windows = max(0, (len(counts) - client.identity.window) // client.settings().stride + 1)
    return Played(len(counts), predictions, windows - predictions, seconds)
