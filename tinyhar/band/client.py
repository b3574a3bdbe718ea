"""A band as an object: ask it who it is, give it windows or a stream, get its answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, Self

import numpy as np

from tinyhar.band import messages as m
from tinyhar.band.codes import PROTOCOL_VERSION, ErrorCode, MessageType, What
from tinyhar.band.errors import BandRefused, BandRestarted, MessageError, OtherProtocol, SilentBand
from tinyhar.band.exchange import Exchange
from tinyhar.band.frames import Frame
from tinyhar.band.link import BAUD, Link, SerialLink
from tinyhar.band.live_messages import Live, Samples

PATIENCE: Final[dict[str, Any]] = {"timeout": 5.0, "tries": 12}
"""With what a slow band may take long over: its golden windows, a traced inference. A minute in
all; a lost request is found out sooner, and a busy band answers a repeat without more work."""

_GREETINGS: Final = (0.3, 0.3, 0.7, 2.0)
"""Seconds to wait for the first answer, again and again: some boards restart when a port opens."""


class Client:
    """One band on one line. Methods raise BandError only, each with a remedy in its line."""

    def __init__(self, link: Link, **options: Any) -> None:
        """Greets the band; SilentBand or OtherProtocol when it is none of ours."""
        self.exchange = Exchange(link, **options)
        self.exchange.on_event = self._on_event
        self.predictions: deque[m.Prediction] = deque()
        self.samples: deque[Samples] = deque()
        self.missed = 0
        self._next_window = 0
        self._boot_id: int | None = None
        self.identity = self._greet()

    # -- who it is ---------------------------------------------------------------------------

    def _greet(self) -> m.Identity:
        *early, last = _GREETINGS
        for seconds in early:
            with suppress(SilentBand):
                return self.identify(timeout=seconds, tries=1)
        return self.identify(timeout=last, tries=1)

    def identify(self, **patience: Any) -> m.Identity:
        """Who the band is now; BandRestarted when it has started anew since the last time."""
        try:
            identity = self.exchange.request(m.Identify(PROTOCOL_VERSION), **patience)
        except BandRefused as refusal:
            if refusal.code == ErrorCode.PROTOCOL:
                raise OtherProtocol(PROTOCOL_VERSION, refusal.text) from None
            raise
        self._check_same_start(identity, "the session")
        self._boot_id, self.identity = identity.boot_id, identity
        return identity

    def _check_same_start(self, identity: m.Identity, during: str) -> None:
        if self._boot_id not in (None, identity.boot_id):
            self._boot_id = None
            raise BandRestarted(identity.reason, during)

    def names(self, what: What) -> tuple[str, ...]:
        """The classes' or channels' names, in order."""
        n = self.identity.classes if what is What.CLASS_NAME else self.identity.channels
        answers = self.exchange.many(m.Describe(what, index) for index in range(n))
        return tuple(answer.text for answer in answers)

    def require_model(self) -> None:
        """BandRefused, with the band's own reason, when it has no model to run."""
        if not self.identity.classes:
            self.selftest()
            raise SilentBand(
                f"{self.exchange.link.name}: the band knows no classes; flash a bundle"
            )

    # -- windows -----------------------------------------------------------------------------

    def infer(self, counts: m.Counts) -> m.InferResult:
        """The band's answer to one window, counts int16 [time, channel]."""
        return next(self.infer_many(counts[np.newaxis]))

    def infer_many(self, counts: m.Counts) -> Iterator[m.InferResult]:
        """Answers to windows, counts int16 [n, time, channel], in order, as they come in.

        Windows that fit one frame are sent several at once: each stands for itself, so a lost one
        is simply sent again. A longer one goes in pieces, one after the other.
        """
        self.require_model()
        self._check_shape(counts)
        room = (self.identity.max_body - 2) // (2 * self.identity.channels)
        if room >= self.identity.window:
            requests = (m.Infer(0, m.pack_counts(window)) for window in counts)
            for answer in self.exchange.many(requests):
                yield self._result(answer)
        else:
            for window in counts:
                yield self._infer_in_pieces(window, room, self.exchange.tries)

    def _infer_in_pieces(self, window: m.Counts, room: int, tries: int) -> m.InferResult:
        if room < 1:
            raise MessageError(f"the band takes {self.identity.max_body} bytes: not one sample")
        starts = range(0, len(window), room)
        pieces = [m.Infer(at, m.pack_counts(window[at : at + room])) for at in starts]
        try:
            answers = [self.exchange.request(piece) for piece in pieces]
        except BandRefused as refusal:
            self._explain(refusal)
            if refusal.code != ErrorCode.OUT_OF_ORDER or tries <= 1:
                raise
            return self._infer_in_pieces(window, room, tries - 1)
        return self._result(answers[-1])

    def _explain(self, refusal: BandRefused) -> None:
        """A band that finds pieces out of order may have restarted: BandRestarted says so."""
        if refusal.code == ErrorCode.OUT_OF_ORDER:
            self.identify()

    def _check_shape(self, counts: m.Counts) -> None:
        want = (self.identity.window, self.identity.channels)
        if counts.dtype != np.int16 or counts.shape[1:] != want:
            got = f"{counts.dtype} [{', '.join(map(str, counts.shape[1:]))}]"
            raise MessageError(f"the band takes windows of int16 {list(want)}, not {got}")

    def _result(self, answer: m.InferResponse) -> m.InferResult:
        result = answer.result
        if result is None or len(result.logits) != self.identity.classes:
            raise MessageError(f"the band answered a whole window with {answer}")
        return result

    def trace(self) -> tuple[int, ...]:
        """CRC-32 of the last window's int8 input and of every layer's output."""
        return self.exchange.request(m.Trace(), **PATIENCE).crcs

    def trace_channels(self, layer: int, channels: int) -> tuple[int, ...]:
        """CRC-32 of each channel of one of them: 0 is the input, 1 the first layer's output."""
        request = m.TraceChannels(layer, channels)
        return self.exchange.request(request, **PATIENCE).crcs

    # -- streams -----------------------------------------------------------------------------

    def stream(self, counts: m.Counts, first_sample: int) -> int:
        """Give samples int16 [k, channel]; the number of the sample that the band wants next.

        ``first_sample`` 0 starts a new stream. The predictions that they complete are in
        ``predictions`` afterwards; ``missed`` counts those that the line lost.
        """
        self.require_model()
        if first_sample == 0:
            self._next_window = self.missed = 0
            self.predictions.clear()
        room = max(1, (self.identity.max_body - 4) // (2 * self.identity.channels))
        wanted = first_sample
        for at in range(0, len(counts), room):
            piece = m.Stream(first_sample + at, m.pack_counts(counts[at : at + room]))
            try:
                wanted = self.exchange.request(piece).next_sample
            except BandRefused as refusal:
                self._explain(refusal)
                raise
        return wanted

    def live(self, on: bool) -> None:
        """Have the band tell what its own sensor measures, from sample 0, or no longer.

        Samples and predictions then come in whenever the line is listened to. BandRefused where
        there is no sensor.
        """
        self.exchange.live = None
        self.exchange.request(Live(int(on)))
        self._next_window = self.missed = 0
        self.predictions.clear()
        self.samples.clear()
        if on:
            self.exchange.live = self.exchange.last_seq

    def has_sensor(self) -> bool:
        """Whether the band has a sensor of its own."""
        try:
            self.live(False)
        except BandRefused as refusal:
            if refusal.code in (ErrorCode.UNSUPPORTED, ErrorCode.UNKNOWN_REQUEST):
                return False
            raise
        return True

    def take_predictions(self) -> list[m.Prediction]:
        """The predictions since the last call."""
        taken = list(self.predictions)
        self.predictions.clear()
        return taken

    # -- upkeep ------------------------------------------------------------------------------

    def selftest(self) -> m.SelfTestResult:
        """The golden windows that the bundle carries, run on the band."""
        return self.exchange.request(m.SelfTest(), **PATIENCE)

    def statistics(self, *, clear: bool = False) -> m.Statistics:
        """What the band counted."""
        return self.exchange.request(m.Stats(int(clear)))

    def settings(self, change: m.SettingsInForce | None = None) -> m.SettingsInForce:
        """The settings in force, after a change where one is given."""
        if change is None:
            return self.exchange.request(m.GetSettings())
        change_to = (change.stride, change.smooth_length, change.smooth_hold)
        return self.exchange.request(m.SetSettings(*change_to))

    def reset(self, seconds: float = 10.0) -> m.Identity:
        """Restart the band and greet it again; SilentBand when it does not come back."""
        before, self._boot_id = self.identity.boot_id, None
        self.exchange.request(m.Reset())
        end = self.exchange.link.now() + seconds
        while self.exchange.link.now() < end:
            try:
                identity = self.identify(timeout=0.5, tries=1)
            except SilentBand:
                continue
            if identity.boot_id != before:
                return identity
            self._boot_id = None
            self.exchange.listen(0.05)
        raise SilentBand(f"{self.exchange.link.name} did not come back {seconds:g} s after RESET")

    def close(self) -> None:
        """Let go of the line."""
        self.exchange.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_event(self, frame: Frame) -> None:
        if frame.type == MessageType.PREDICTION:
            self._on_prediction(m.Prediction.decode(frame.body))
        elif frame.type == MessageType.SAMPLES:
            self.samples.append(Samples.decode(frame.body))
        elif frame.type == MessageType.BOOT:
            self._check_same_start(m.Identity.decode(frame.body), self.exchange.waiting_for)

    def _on_prediction(self, prediction: m.Prediction) -> None:
        """A band repeats the events of an answer that it repeats; each counts once."""
        if prediction.window_index >= self._next_window:
            self.missed += prediction.window_index - self._next_window
            self._next_window = prediction.window_index + 1
            self.predictions.append(prediction)


def connect(url: str, baud: int = BAUD, **options: Any) -> Client:
    """The band at a port or URL, greeted."""
    link = SerialLink(url, baud)
    try:
        return Client(link, **options)
    except BaseException:
        link.close()
        raise
