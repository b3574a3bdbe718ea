"""Predictions as lines for other programs: text to read, or a JSON document each."""

from __future__ import annotations

import json
import sys
from typing import Any

from tinyhar.band.history import Answer, History
from tinyhar.band.session import Event, Joined, Lost, Moved


class Plain:
    """Prints to stdout, a line a prediction, flushed; notes on the line go to stderr."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def begin(self, first: Joined) -> None:
        """Who is there."""
        scale = "; scales are assumed, name the run" if first.sensing.assumed else ""
        self._note(
            f"{first.url}: {first.sensing.identity.board}, wears {first.source.words}{scale}"
        )

    def take(self, event: Event, history: History) -> None:
        """An event that the history has taken in already."""
        if isinstance(event, Lost):
            self._note(f"lost: {event.why}; looking for it")
        elif isinstance(event, Joined):
            self._note(f"back after {event.away:.1f} s: {event.url}")
        elif isinstance(event, Moved) and event.predictions:
            for answer in list(history.answers)[-len(event.predictions) :]:
                self._line(answer, history)

    def _line(self, answer: Answer, history: History) -> None:
        facts = as_facts(answer, history)
        text = json.dumps(facts) if self.as_json else in_words(facts)
        print(text, flush=True)

    def _note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def as_facts(answer: Answer, history: History) -> dict[str, Any]:
    """An answer for machines; ``seconds`` of movement since the start, of the window's end."""
    classes = history.sensing.classes
    return {
        "seconds": round(answer.seconds, 3),
        "class": classes[answer.shown],
        "confidence": round(answer.confidence, 3),
        "window_class": classes[answer.alone],
        "share": round(float(answer.shares[answer.alone]), 3),
        "shares": [round(share, 4) for share in answer.shares.tolist()],
        "really": history.really or None,
        "latency_ms": round(answer.ms, 4),
    }


def in_words(facts: dict[str, Any]) -> str:
    """The same for people, in columns that ``cut`` and ``awk`` can take apart by tabs."""
    return (
        f"{facts['seconds']:.2f}\t{facts['class']}\t{facts['confidence']:.2f}\t"
        f"{facts['window_class']}\t{facts['share']:.2f}\t{facts['latency_ms']:.3f}"
    )
