"""How a run tells what it is doing: an interface here, drawn at the edge (``tinyhar.cli``)."""

from __future__ import annotations

from typing import Protocol

from tinyhar.distill import EpochReport


class Progress(Protocol):
    """Somebody who watches a run."""

    def stage(self, name: str, title: str) -> None:
        """A stage begins."""

    def epoch(self, what: str, report: EpochReport) -> None:
        """A training finished an epoch."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def done(self, name: str, seconds: float | None) -> None:
        """A stage ended; without seconds, it had been done before."""


class Silence:
    """Nobody watches."""

    def stage(self, name: str, title: str) -> None:
        """Say nothing."""

    def epoch(self, what: str, report: EpochReport) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def done(self, name: str, seconds: float | None) -> None:
        """Say nothing."""
