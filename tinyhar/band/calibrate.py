"""Guides a person through recording a few seconds of each of their classes.

What is asked and told goes through a ``Voice``, so that a terminal, a test and a notebook can be
guided alike. Each take is looked at at once; whatever is wrong with it is said, and it can be
recorded again. No take is thrown away: those that are not kept lie beside the others, marked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from tinyhar.band.calibration_plan import Plan, check_number, class_names
from tinyhar.band.distinct import Labelled, confusions
from tinyhar.band.feed import Feed, Take
from tinyhar.band.quality import Finding, check, rests
from tinyhar.band.takes import Entry, Takes
from tinyhar.errors import DataError

TRIES: Final = 3
"""How often a take is recorded when nobody is there to be asked."""

WAIT_SECONDS: Final = 60.0
"""For a band that went away, when nobody is there to be asked."""


class Voice(Protocol):
    """How the person is talked to."""

    attended: bool
    """Somebody is there to answer."""

    def say(self, text: str, tone: str = "") -> None:
        """Tell something; tone "good", "bad" or "dim"."""

    def ask(self, question: str, default: str = "") -> str:
        """A line of text; only where somebody is there. EOFError when they leave."""

    def count_down(self, label: str) -> None:
        """3, 2, 1."""

    def progress(self, label: str, samples: int) -> AbstractContextManager[Callable[[int], None]]:
        """Shows how much of a take there is."""


class Guide:
    """One person's way through a calibration."""

    def __init__(self, feed: Feed, takes: Takes, voice: Voice, plan: Plan) -> None:
        self.feed, self.takes, self.voice, self.plan = feed, takes, voice, plan
        self.sensing = takes.sensing

    def run(self) -> bool:
        """Record what is missing; whether all classes that were asked for have a kept take."""
        self._tell_what_is_there()
        wanted = self.plan.classes or self._ask_names()
        if self._acts:
            for name in wanted:
                self._act(name)  # complains before anything is recorded
        for name in wanted:
            name = self._known_spelling(name)
            if self.takes.kept(name) and not self.plan.again and self.plan.classes:
                self.voice.say(f"{name}: there already", "dim")
            else:
                self._class(name)
        return all(self.takes.kept(self._known_spelling(name)) for name in wanted)

    def _tell_what_is_there(self) -> None:
        if not self.takes.entries:
            return
        parts = [f"{name} {self.takes.seconds(name):g} s" for name in self.takes.classes]
        aside = sum(not e.kept for e in self.takes.entries)
        told = f"{self.takes.folder} goes on: {', '.join(parts) or 'nothing kept yet'}"
        self.voice.say(told + (f"; {aside} rejected" if aside else ""), "dim")

    def _known_spelling(self, name: str) -> str:
        """A class that is there already keeps the letters it was first written in."""
        known = {n.casefold(): n for n in self.takes.classes}
        return known.get(name.casefold(), name)

    def _ask_names(self) -> tuple[str, ...]:
        """One list until it is good; with enough recorded, nothing is an answer, too."""
        enough = len(self.takes.classes) > 1
        hint = "Enter: enough" if enough else "two or more, with commas"
        while True:
            text = self.voice.ask(f"classes to record ({hint})")
            try:
                names = class_names(text)
                if not names and enough:
                    return ()
                check_number(names, self.takes.classes)
                return names
            except DataError as error:
                self.voice.say(str(error), "bad")

    # -- one class ---------------------------------------------------------------------------

    def _class(self, name: str) -> None:
        self._choose_movement(name)
        for attempt in range(1, 1000):
            self._wait_for_band()
            take = self._record(name)
            findings = self._look_at(name, take)
            grave = [f for f in findings if f.grave]
            for finding in findings:
                self.voice.say(f"  {finding.words}", "bad" if finding.grave else "dim")
            what_next = self._what_next(bool(grave), attempt)
            if len(take.counts) > 1:
                entry = self._keep(name, take, findings, kept=what_next == "keep")
                self._tell(entry, good=not grave)
            if what_next != "again":
                return

    @property
    def _acts(self) -> bool:
        return self.plan.act or not self.voice.attended

    def _act(self, name: str) -> None:
        """Plays the movement of the same name, where a source plays; DataError if it has none."""
        source = self.feed.joined.source
        if source.activities:
            source.perform(self._same(name) or name)

    def _same(self, name: str) -> str | None:
        there = self.feed.joined.source.activities
        return next((each for each in there if each.casefold() == name.casefold()), None)

    def _choose_movement(self, name: str) -> None:
        """Which movement a source plays for a class; a person needs no telling."""
        source = self.feed.joined.source
        if self._acts or not source.activities:
            self._act(name)
            return
        there = ", ".join(source.activities)
        while True:
            try:
                question = f"{name}: which movement to play ({there})"
                source.perform(self.voice.ask(question, self._same(name) or ""))
                return
            except DataError as error:
                self.voice.say(str(error), "bad")

    def _wait_for_band(self) -> None:
        while not self.feed.wait_until_there(WAIT_SECONDS):
            if not self.voice.attended:
                raise DataError(
                    f"the band was away for {WAIT_SECONDS:g} s; what is recorded is kept in "
                    f"{self.takes.folder}, and the same command goes on"
                )

    def _record(self, name: str) -> Take:
        self.voice.count_down(name)
        if self.plan.hurry:
            self.feed.joined.source.hurry(True)
        samples = self._samples
        with self.voice.progress(name, samples) as progress:
            return self.feed.collect(samples, progress)

    @property
    def _samples(self) -> int:
        return round(self.plan.seconds * self.sensing.rate)

    def _look_at(self, name: str, take: Take) -> list[Finding]:
        if take.broken:
            told = f"the line broke after {len(take.counts) / self.sensing.rate:.1f} s"
            return [Finding("broken", told)]
        resting = self._resting(name)
        wanted, lost = self._samples, take.lost
        found = check(take.counts, self.sensing, wanted=wanted, lost=lost, resting=resting)
        unclear = [f for f in found if f.kind == "still"]
        if unclear and resting is None and self.voice.attended and self._says_it_rests(name):
            found = [f for f in found if f not in unclear]
        if any(f.grave for f in found):
            return found
        return found + self._confusion(name, take)

    def _resting(self, name: str) -> bool | None:
        """As was said, else as the name tells."""
        if name.casefold() in {each.casefold() for each in self.plan.resting}:
            return True
        return self.takes.resting.get(name, rests(name))

    def _says_it_rests(self, name: str) -> bool:
        answer = self.voice.ask(f"hardly any movement: is {name} done at rest? (y/n)", "n")
        resting = answer.casefold().startswith("y")
        self.takes.resting[name] = resting
        return resting

    def _confusion(self, name: str, take: Take) -> list[Finding]:
        mine = Labelled(name, take.counts * self.sensing.lsb)
        takes = [*self.takes.signals(), mine]
        found = confusions(takes, name, self.sensing.kinds, self.sensing.rate)
        return [
            Finding("confused", f"looks like {each.other}: {each.share:.0%} of it is confused")
            for each in found[:1]
        ]

    def _what_next(self, grave: bool, attempt: int) -> str:
        """keep, again or skip."""
        if not grave:
            return "keep"
        if not self.voice.attended:
            return "again" if attempt < TRIES else "skip"
        answer = self.voice.ask("again, keep it all the same, or skip the class? (a/k/s)", "a")
        return {"k": "keep", "s": "skip"}.get(answer.casefold()[:1], "again")

    def _keep(self, name: str, take: Take, findings: Sequence[Finding], *, kept: bool) -> Entry:
        """Write it down; a full disk is told, and tried again once there is room."""
        heard = {self.sensing.classes[c]: n for c, n in sorted(take.heard.items())}
        while True:
            try:
                return self.takes.add(
                    name, take.counts, findings, kept=kept, lost=take.lost, heard=heard
                )
            except DataError as error:
                if not self.voice.attended:
                    raise
                self.voice.say(str(error), "bad")
                self.voice.ask("Enter tries again; the take is still in memory")

    def _tell(self, entry: Entry, *, good: bool) -> None:
        verdict = "kept" if entry.kept else "rejected"
        most = max(entry.heard, key=lambda name: entry.heard[name], default="")
        heard = f"; so far the band takes it for {most}" if most and entry.kept else ""
        tone = "good" if good and entry.kept else "dim"
        self.voice.say(f"  {verdict}: {entry.seconds:g} s in {entry.file}{heard}", tone)
