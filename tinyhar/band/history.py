"""What a view of a band remembers: the last seconds of its signals, the last minute of its answers.

No terminal in here: events of a session go in, numbers to be shown come out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyhar.band.clock import Clock
from tinyhar.band.messages import Prediction
from tinyhar.band.sensing import Sensing
from tinyhar.band.session import Event, Health, Joined, Lost, Moved

SIGNAL_SECONDS: Final = 8.0
"""Of signals that are kept."""

ANSWER_SECONDS: Final = 60.0
"""Of answers that are kept."""

SPEED_SECONDS: Final = 10.0
"""Over which windows a second are counted."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the band said at a time: the steadied class, this window's own, and all shares.

    ``seconds`` since the session's start, of the window's last sample.
    """

    seconds: float
    shown: int
    alone: int
    confidence: float
    ms: float
    shares: npt.NDArray[np.float64]


@dataclass(eq=False)
class History:
    """Grows by events. ``signal`` is float64 [time, channel] in SI units, the newest last."""

    sensing: Sensing
    clock: Clock = field(init=False)
    answers: deque[Answer] = field(default_factory=deque)
    health: Health = field(default_factory=Health)
    lost: str = ""
    really: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.clock = Clock.of(self.sensing.identity)
        self._pieces: deque[npt.NDArray[np.float64]] = deque()
        self._kept = 0

    @property
    def signal(self) -> npt.NDArray[np.float64]:
        """The last seconds; fewer at first."""
        if not self._pieces:
            return np.zeros((0, len(self.sensing.channels)))
        if len(self._pieces) > 1:
            joined = np.concatenate(self._pieces)
            self._pieces = deque([joined[-self._room :]])
            self._kept = len(self._pieces[0])
        return self._pieces[0]

    @property
    def _room(self) -> int:
        return round(SIGNAL_SECONDS * self.sensing.rate)

    @property
    def latest(self) -> Answer | None:
        """The newest answer."""
        return self.answers[-1] if self.answers else None

    @property
    def windows_per_second(self) -> float:
        """Lately, by the samples' own time; 0 until there are two."""
        recent = [a.seconds for a in self.answers if a.seconds >= self.seconds - SPEED_SECONDS]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0

    def take(self, event: Event) -> None:
        """Something happened; a band that comes back with another model starts a new history."""
        if isinstance(event, Joined):
            self._join(event)
        elif isinstance(event, Lost):
            self.lost = event.why
        else:
            self._move(event)

    def clear(self) -> None:
        """Forget the answers."""
        self.answers.clear()

    def _join(self, event: Joined) -> None:
        self.lost = ""
        if event.sensing is not self.sensing:
            self.sensing = event.sensing
            self.clock = Clock.of(event.sensing.identity)
            self.answers.clear()
            self._pieces.clear()
            self._kept = 0

    def _move(self, event: Moved) -> None:
        self.lost, self.health, self.really = "", event.health, event.piece.really
        self.seconds = (event.at + len(event.piece.counts)) / self.sensing.rate
        self._pieces.append(event.piece.counts * self.sensing.lsb)
        self._kept += len(event.piece.counts)
        if self._kept > 2 * self._room:
            _ = self.signal
        for prediction in event.predictions:
            self.answers.append(self._answer(prediction, event.offset))
        while self.answers and self.answers[0].seconds < self.seconds - ANSWER_SECONDS:
            self.answers.popleft()

    def _answer(self, said: Prediction, offset: int) -> Answer:
        return Answer(
            (offset + said.last_sample + 1) / self.sensing.rate,
            said.smoothed,
            said.class_index,
            said.confidence / 255,
            said.ticks * self.clock.ms_per_tick,
            self.sensing.shares(said.logits),
        )


def runs(answers: deque[Answer]) -> list[tuple[int, float, float]]:
    """Stretches of one shown class: (class, from, to) in seconds, the last until its answer."""
    found: list[tuple[int, float, float]] = []
    for answer in answers:
        if found and found[-1][0] == answer.shown:
            found[-1] = (answer.shown, found[-1][1], answer.seconds)
        else:
            start = found[-1][2] if found else answer.seconds
            found.append((answer.shown, start, answer.seconds))
    return found
