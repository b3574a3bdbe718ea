"""Hears a band's predictions while a movement is played, and holds them to what was really done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tinyhar.band.clock import Clock, Latency
from tinyhar.band.codes import What
from tinyhar.cli.serial_views import logits

if TYPE_CHECKING:
    from tinyhar.band.client import Client
    from tinyhar.band.messages import Prediction
    from tinyhar.band.movement import Movement
    from tinyhar.band.play import Played


@dataclass(frozen=True)
class Score:
    """Of the windows in which one of the band's activities was done: how many it named rightly.

    ``shown`` counts the smoothed answers, ``alone`` each window's own; ``latency_ms`` is None where
    nothing was heard.
    """

    windows: int
    shown: int
    alone: int
    latency_ms: Latency | None
    instructions_per_window: int | None


class View(Protocol):
    """Shows a stream while it runs."""

    def begin(self, scale: str, names: Sequence[str]) -> None:
        """What a count was taken for, where that was not recorded; the band's classes."""

    def line(self, heard: dict[str, Any]) -> None:
        """A prediction."""


class Listener:
    """Keeps every prediction with names, seconds and the truth, and shows it as it comes."""

    def __init__(self, client: Client, movement: Movement, view: View) -> None:
        self.identity = client.identity
        self.names = client.names(What.CLASS_NAME)
        self.movement = movement
        self.view = view
        self.clock = Clock.of(client.identity)
        self.heard: list[dict[str, Any]] = []
        self.ticks: list[int] = []
        view.begin(movement.scale, self.names)

    def hear(self, one: Prediction) -> None:
        """A prediction came."""
        really = self.movement.done(one.last_sample, self.identity.window)
        truth = self._class_of(really)
        shown, alone = self.names[one.smoothed], self.names[one.class_index]
        line = {
            "window": one.window_index,
            "seconds": round((one.last_sample + 1) * 1000 / max(1, self.identity.rate_mhz), 3),
            "class": alone,
            "smoothed": shown,
            "confidence": round(one.confidence / 255, 3),
            "really": list(really),
            "right": shown == truth if truth else None,
            "class_right": alone == truth if truth else None,
            "latency_ms": one.ticks * self.clock.ms_per_tick,
            "logits": logits(one.logits),
        }
        self.heard.append(line)
        self.ticks.append(one.ticks)
        self.view.line(line)

    def _class_of(self, really: tuple[str, ...]) -> str:
        """The band's class that was done all the while; empty where there is none such."""
        if len(set(really)) != 1:
            return ""
        return next((name for name in self.names if name.casefold() == really[0].casefold()), "")

    def score(self) -> Score:
        """How the band has done so far."""
        judged = [line for line in self.heard if line["right"] is not None]
        ticks = np.array(self.ticks, np.int64)
        return Score(
            windows=len(judged),
            shown=sum(line["right"] for line in judged),
            alone=sum(line["class_right"] for line in judged),
            latency_ms=self.clock.latency(ticks) if len(ticks) else None,
            instructions_per_window=(
                self.clock.instructions(float(ticks.mean())) if len(ticks) else None
            ),
        )

    def as_json(self, played: Played) -> dict[str, Any]:
        """Everything, for a machine to read."""
        return asdict(played) | {
            "samples_per_second": played.samples_per_second,
            "scale": self.movement.scale,
            "score": asdict(self.score()),
            "heard": self.heard,
        }
