"""A session that runs by itself in a thread, of which takes can be collected."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.session import Event, Joined, Lost, Moved, Session
from tinyhar.errors import DataError


@dataclass(frozen=True, eq=False)
class Take:
    """Samples int16 [time, channel] in one piece; ``broken`` says why there are not more.

    ``heard`` counts the band's own answers, by class, to the windows within the take.
    """

    counts: m.Counts
    lost: int = 0
    broken: str = ""
    heard: Counter[int] = field(default_factory=Counter)


class Feed:
    """Keeps a band busy, notices when it goes, and records when asked."""

    def __init__(
        self,
        session: Session,
        first: Joined,
        following: Iterator[Event],
        note: Callable[[str], None],
    ) -> None:
        """``note`` is told, from the thread, when the band goes and when it is back."""
        self.session, self.joined = session, first
        self._following, self._note = following, note
        self._collected: queue.SimpleQueue[Event | None] | None = None
        self._there = threading.Event()
        self._there.set()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """From now on the band is fed."""
        self._thread.start()

    def stop(self) -> None:
        """No longer; lets go of the port."""
        self.session.stop()
        self._thread.join(5)

    def wait_until_there(self, seconds: float) -> bool:
        """Whether the band answers, now or within the time; raises what ended the session."""
        self._there.wait(seconds)
        if self._failure:
            raise self._failure
        return self._there.is_set()

    def collect(self, samples: int, progress: Callable[[int], None] = lambda n: None) -> Take:
        """The next samples; fewer when the line breaks. ``progress`` hears how many there are."""
        events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        source = self.joined.source
        self._collected = events
        try:
            return self._gather(events, samples, progress)
        finally:
            self._collected = None
            source.hurry(False)

    def _gather(
        self,
        events: queue.SimpleQueue[Event | None],
        samples: int,
        progress: Callable[[int], None],
    ) -> Take:
        pieces: list[m.Counts] = []
        heard: Counter[int] = Counter()
        have = lost = 0
        start: int | None = None
        while have < samples:
            event = self._next(events)
            if not isinstance(event, Moved):
                why = event.why if isinstance(event, Lost) else "the line was lost"
                return self._take(pieces, samples, lost, why, heard)
            if start is None:  # this piece may have begun before anybody asked
                start = event.at + len(event.piece.counts)
                continue
            pieces.append(event.piece.counts)
            have += len(event.piece.counts)
            lost += event.piece.lost
            for said in event.predictions:
                first = said.last_sample + event.offset + 1 - self.joined.sensing.identity.window
                heard[said.smoothed] += int(start <= first)
            progress(min(have, samples))
        return self._take(pieces, samples, lost, "", heard)

    def _take(
        self, pieces: list[m.Counts], samples: int, lost: int, why: str, heard: Counter[int]
    ) -> Take:
        nothing = np.zeros((0, len(self.joined.sensing.channels)), np.int16)
        return Take(np.concatenate([nothing, *pieces])[:samples], lost, why, +heard)

    def _next(self, events: queue.SimpleQueue[Event | None]) -> Event | None:
        """The next event; waits in small steps, so that Ctrl-C is heard."""
        while True:
            if self._failure:
                raise self._failure
            try:
                return events.get(timeout=0.2)
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            for event in self._following:
                self._hear(event)
        except BaseException as error:  # whatever it is, who waits must hear of it
            self._failure = error
            self._there.set()

    def _hear(self, event: Event) -> None:
        collected = self._collected
        if isinstance(event, Lost):
            self._there.clear()
            self._note(f"lost: {event.why}; looking for it")
        elif isinstance(event, Joined):
            before, self.joined = self.joined.sensing.identity, event
            if event.sensing.identity.bundle_id != before.bundle_id:
                raise DataError(
                    "another model runs on the band that came back; begin again, in another folder"
                )
            if event.away:
                self._note(f"the band is back after {event.away:.1f} s")
            self._there.set()
        if collected is not None:
            collected.put(event)
