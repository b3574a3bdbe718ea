"""Somebody who asks a band for everything it can do, and knows every right answer beforehand.

Each thing asked ends in the answer that a faultless line gives, or in a BandError; anything else
fails the test that runs it.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

import numpy as np

from tests.band.faulty_link import FaultyLink
from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.codes import ErrorCode, What
from tinyhar.band.deploy import deploy, rollback, slots
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.deploy_refused import NotDeployed
from tinyhar.band.errors import LinkError
from tinyhar.errors import BandError

LONGEST: Final = 300.0
"""Seconds on the line's clock that any one thing may take."""

LONGEST_REAL: Final = 60.0
"""The same on the wall's."""

Seen = tuple[int, int, int, int, int, list[int]]
"""Of a prediction: index, last sample, class, smoothed class, confidence, logits."""


class Truth(Protocol):
    """What a band must answer."""

    window: int
    channels: int
    has_settings: bool
    golden: int

    def logits(self, counts: m.Counts) -> list[int]: ...
    def trace(self, counts: m.Counts) -> tuple[int, ...]: ...
    def predictions(self, counts: m.Counts, settings: m.SettingsInForce) -> list[Seen]: ...
    def settings(self) -> m.SettingsInForce: ...
    def names(self, bundle_id: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]: ...


@dataclass
class Known:
    """What the band should be running; None where an error left it open."""

    running: bytes
    previous: bytes | None
    settings: m.SettingsInForce | None


class User:
    """One session after another on one line."""

    def __init__(
        self, link: FaultyLink, truth: Truth, seed: int, files: Sequence[BundleFile] = ()
    ) -> None:
        self.link, self.truth, self.files = link, truth, files
        self.random = Random(seed)
        random.seed(seed)  # the number that a client's first request has
        self.numbers = np.random.default_rng(seed)
        self.done: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.longest = 0.0
        self.client = self._greet()
        self.known = Known(self.client.identity.bundle_id, None, None)
        self._bundles = {self.known.running} | {file.bundle_id for file in files}

    # -- one thing after another -------------------------------------------------------------

    def run(self, frames: int) -> None:
        """Until so many frames went over the line."""
        while self.link.frames.total() < frames:
            self.step()

    def step(self) -> None:
        things: list[tuple[int, Callable[[], None]]] = [
            (6, self.identify), (3, self.names), (12, self.infer), (8, self.infer_many),
            (6, self.trace), (12, self.stream), (4, self.selftest), (6, self.statistics),
            (4, self.read_settings), (3, self.change_settings), (1, self.reset),
        ]  # fmt: skip
        if self.files:
            things += [(2, self.deploy), (1, self.rollback), (2, self.slots)]
        weights, calls = zip(*things, strict=True)
        self._one(self.random.choices(calls, weights)[0])

    def _one(self, thing: Callable[[], None]) -> None:
        name = thing.__name__
        before, real = self.link.now(), time.monotonic()
        try:
            thing()
            self.done[name] += 1
        except BandError as error:
            self.errors[f"{name}: {type(error).__name__}"] += 1
            self._recover(error)
        self.longest = max(self.longest, self.link.now() - before)
        assert self.link.now() - before < LONGEST, name
        assert time.monotonic() - real < LONGEST_REAL, name

    def _greet(self) -> Client:
        patience: dict[str, Any] = self.random.choice(({}, {"timeout": 0.2, "tries": 8}))
        for _ in range(30):
            try:
                return Client(self.link, **patience)
            except LinkError:
                self.link.plug_in()
            except BandError as error:
                self.errors[f"greet: {type(error).__name__}"] += 1
        raise AssertionError("the band cannot be greeted")

    def _recover(self, error: BandError) -> None:
        """As a user would: plug in again, or go on; and find out what the band runs."""
        if isinstance(error, LinkError):
            self.link.plug_in()
        if isinstance(error, LinkError) or self.random.random() < 0.3:
            self._note_troubles()
            self.client = self._greet()

    def _note_troubles(self) -> None:
        exchange = self.client.exchange
        self.facts["retries"] += exchange.retries
        self.facts["strays"] += exchange.strays
        self.facts["damaged at desk"] += exchange.decoder.bad

    def windows(self, n: int) -> m.Counts:
        shape = (n, self.truth.window, self.truth.channels)
        return self.numbers.integers(-(2**15), 2**15, shape, dtype=np.int16)

    # -- what is asked -----------------------------------------------------------------------

    def identify(self) -> None:
        identity = self.client.identify()
        assert identity.bundle_id == self.known.running
        assert (identity.window, identity.channels) == (self.truth.window, self.truth.channels)

    def names(self) -> None:
        classes, channels = self.truth.names(self.known.running)
        assert self.client.names(What.CLASS_NAME) == classes
        assert self.client.names(What.CHANNEL_NAME) == channels

    def infer(self) -> None:
        (counts,) = self.windows(1)
        self._check(self.client.infer(counts), counts)

    def infer_many(self) -> None:
        counts = self.windows(self.random.randrange(2, 30))
        results = list(self.client.infer_many(counts))
        assert len(results) == len(counts)
        for result, window in zip(results, counts, strict=True):
            self._check(result, window)

    def _check(self, result: m.InferResult, counts: m.Counts) -> None:
        logits = np.frombuffer(result.logits, np.int8)
        assert logits.tolist() == self.truth.logits(counts)
        assert result.class_index == int(logits.argmax())

    def trace(self) -> None:
        (counts,) = self.windows(1)
        self.client.infer(counts)
        assert self.client.trace() == self.truth.trace(counts)

    def stream(self) -> None:
        if self.known.settings is None:
            self.read_settings()
        settings = self.known.settings
        assert settings is not None
        counts = self.windows(self.random.randrange(1, 9)).reshape(-1, self.truth.channels)
        right = self.truth.predictions(counts, settings)
        at, seen = 0, []
        while at < len(counts):
            end = min(len(counts), at + self.random.randrange(1, 40))
            assert self.client.stream(counts[at:end], at) == end
            seen += self.client.take_predictions()
            at = end
        got = [_seen(prediction) for prediction in seen]
        assert got == [one for one in right if one in got], "a prediction that is none"
        self.facts["predictions"] += len(right)
        self.facts["lost predictions"] += len(right) - len(got)

    def selftest(self) -> None:
        result = self.client.selftest()
        assert (result.run, result.failed) == (self.truth.golden, 0)

    def statistics(self) -> None:
        """The counters go up, and never count what was not sent."""
        told = self.client.statistics()
        good, bad = self.link.end.counted
        assert 0 < told.frames_ok <= good
        assert told.frames_bad <= bad

    def read_settings(self) -> None:
        in_force = self.client.settings()
        known = self.known.settings
        assert known is None or in_force == known
        self.known.settings = in_force

    def change_settings(self) -> None:
        if not self.truth.has_settings:
            return
        change = m.SettingsInForce(
            self.random.randrange(1, 20), self.random.randrange(1, 6), self.random.randrange(1, 4)
        )
        self.known.settings = None
        assert self.client.settings(change) == change
        self.known.settings = change

    def reset(self) -> None:
        self.known.settings = None
        self.client.reset()

    # -- models ------------------------------------------------------------------------------

    def deploy(self) -> None:
        file = self.random.choice(self.files)
        whole = self.random.random() < 0.5
        before, self.known.settings = self.known, None
        for _ in range(8):
            try:
                done = deploy(self.client, file, whole=whole)
                break
            except BandError as error:
                self.errors[f"deploy: {type(error).__name__}"] += 1
                self._recover(error)
                self._find_out()
        else:
            raise AssertionError("eight deployments in a row failed")
        assert self.client.identity.bundle_id == file.bundle_id
        self.facts["resumed"] += done.resumed_bytes > 0
        self.facts[f"deployed {done.how}"] += 1
        if done.how != "running already":
            self.known = Known(file.bundle_id, before.running, None)
        self.selftest()

    def _find_out(self) -> None:
        """What runs after an error: the old bundle or the new one, and never another."""
        while True:
            try:
                running = self.client.identify().bundle_id
                break
            except BandError as error:
                self._recover(error)
        assert running in self._bundles
        if running != self.known.running:
            self.known = Known(running, self.known.running, None)

    def rollback(self) -> None:
        before, self.known.settings = self.known, None
        try:
            rollback(self.client)
        except NotDeployed as error:
            assert error.code == ErrorCode.NOTHING_THERE
            self.facts["nothing to go back to"] += 1
            return
        except BandError:
            self._find_out()
            self.known.previous = None
            raise
        running = self.client.identity.bundle_id
        assert running in self._bundles - {before.running}
        assert before.previous in (None, running)
        self.known = Known(running, before.running, None)
        self.facts["rolled back"] += 1
        self.selftest()

    def slots(self) -> None:
        told = slots(self.client)
        assert [slot.index for slot in told] == [0, 1, 2]
        (active,) = [slot for slot in told if slot.active]
        assert active.bundle_id == self.known.running


def _seen(p: m.Prediction) -> Seen:
    logits = np.frombuffer(p.logits, np.int8).tolist()
    return (p.window_index, p.last_sample, p.class_index, p.smoothed, p.confidence, logits)
