"""A watched band: what the session tells, and how it finds a band again that went away."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.band.live_parts import Wired, movement
from tests.band.simulated import SimulatedBand, logits_of
from tinyhar.band import emulate
from tinyhar.band.client import Client
from tinyhar.band.codes import ResetReason
from tinyhar.band.errors import LinkError, OtherModel, StreamBegan
from tinyhar.band.sensing import sensing_of
from tinyhar.band.session import Finder, Joined, Lost, Moved, Session
from tinyhar.band.source import Piece, Replay
from tinyhar.band.worn import Wish, source_of
from tinyhar.errors import BandError


def moved(events: list) -> list[Moved]:
    return [event for event in events if isinstance(event, Moved)]


def test_it_joins_then_moves_without_a_gap() -> None:
    wired = Wired()
    events = wired.take(101)
    assert isinstance(events[0], Joined)
    assert events[0].sensing.classes == ("sit", "walk", "run")
    pieces = moved(events)
    assert len(pieces) == 100
    at = 0
    for event in pieces:
        assert event.at == at
        at += len(event.piece.counts)
    joined = np.concatenate([event.piece.counts for event in pieces])
    assert np.array_equal(joined, wired.played.counts[: len(joined)])


def test_predictions_are_those_of_the_movement() -> None:
    wired = Wired()
    said = [p for event in moved(wired.take(60)) for p in event.predictions]
    assert len(said) > 10
    for prediction in said:
        window = wired.played.counts[prediction.last_sample - 15 : prediction.last_sample + 1]
        assert prediction.logits == logits_of(window[np.newaxis]).tobytes()


def test_a_stream_that_the_band_begins_anew_is_joined_anew_and_loses_no_time() -> None:
    """Its button was pressed: samples count from 0 again, and there may be another class."""
    wired, steps = Wired(), 0

    class Pressed(Replay):
        def step(self, client: Client, first: int) -> Piece:
            nonlocal steps
            steps += 1
            if steps == 20:
                raise StreamBegan("anew")
            return super().step(client, first)

    wired.prepare = lambda client: (  # type: ignore[method-assign]
        sensing_of(client),
        Pressed(wired.played, 50.0, "a test", sleep=wired.sleep),
    )
    wired.session._prepare = wired.prepare
    events = wired.take(60)
    assert [i for i, event in enumerate(events) if isinstance(event, Joined)] == [0, 20]
    assert not [event for event in events if isinstance(event, Lost)]
    after = [event for event in moved(events[21:]) if event.predictions]
    assert after, "predictions come on"
    assert events[21].at == sum(len(event.piece.counts) for event in moved(events[:20]))


def test_it_keeps_the_bands_time() -> None:
    wired = Wired()
    events = moved(wired.take(101))
    samples = sum(len(event.piece.counts) for event in events)
    assert wired.asleep == pytest.approx(samples / 50, abs=0.2)


def test_a_short_recording_goes_round() -> None:
    wired = Wired(movement(seconds=1))
    events = moved(wired.take(40))
    joined = np.concatenate([event.piece.counts for event in events])
    assert np.array_equal(joined[50:100], joined[:50])


def test_silence_is_a_lost_line_within_two_seconds() -> None:
    wired = Wired()
    events = wired.session.events()
    for _ in range(20):
        next(events)
    wired.band.deaf = True
    start = wired.band.now()
    while not isinstance(event := next(events), Lost):
        pass
    assert wired.band.now() - start < 2.0
    assert "no answer to STREAM" in event.why


def test_it_goes_on_where_it_was_when_the_band_is_back() -> None:
    wired = Wired()
    events = wired.session.events()
    seen = [next(events) for _ in range(20)]
    wired.band.cut_after = wired.band.frames_in
    assert isinstance(next(events), Lost)
    wired.bands.append(SimulatedBand())
    back = next(events)
    assert isinstance(back, Joined)
    assert back.away >= 0
    assert back.source is wired.sources[0], "the recording began anew"
    seen += [next(events) for _ in range(20)]
    pieces = moved(seen)
    joined = np.concatenate([event.piece.counts for event in pieces])
    assert np.array_equal(joined, wired.played.counts[: len(joined)])
    assert pieces[-1].health.losses == 1
    last = pieces[-1]
    assert last.offset == sum(len(event.piece.counts) for event in pieces[:19])


def test_a_restart_of_the_band_is_a_loss_that_names_its_reason() -> None:
    wired = Wired()
    events = wired.session.events()
    for _ in range(10):
        next(events)
    wired.band.restart(ResetReason.WATCHDOG)
    lost = next(event for event in events if not isinstance(event, Moved))
    assert isinstance(lost, Lost)
    assert "watchdog" in lost.why
    wired.band.cut_after = None
    assert isinstance(next(events), Joined)
    assert isinstance(next(events), Moved)


def test_another_model_is_asked_for_anew() -> None:
    wired = Wired()
    events = wired.session.events()
    for _ in range(5):
        next(events)
    wired.band.cut_after = wired.band.frames_in
    next(events)
    other = SimulatedBand()
    other.bundle_id = bytes(32)
    wired.bands.append(other)
    assert isinstance(next(events), Joined)
    assert len(wired.sources) == 2


def test_a_source_that_does_not_fit_the_new_model_ends_it() -> None:
    wired = Wired()
    events = wired.session.events()
    next(events)
    wired.band.cut_after = wired.band.frames_in
    next(events)
    other = SimulatedBand()
    other.bundle_id = bytes(32)
    wired.bands.append(other)

    def refuse(client: object) -> None:
        raise OtherModel("the band runs another model")

    wired.session._prepare = refuse  # type: ignore[assignment]
    with pytest.raises(OtherModel):
        next(events)


def test_no_band_at_first_is_an_error() -> None:
    def nobody(*_: object, **__: object) -> None:
        raise LinkError("nothing there")

    session = Session(lambda: "nowhere", lambda client: None, join=nobody)  # type: ignore
    with pytest.raises(BandError, match="nothing there"):
        next(session.events())


def test_it_can_be_stopped_while_the_band_is_away() -> None:
    wired = Wired()
    events = wired.session.events()
    next(events)
    wired.band.cut_after = wired.band.frames_in
    assert isinstance(next(events), Lost)
    threading.Timer(0.1, wired.session.stop).start()
    wired.session._sleep = time.sleep
    assert list(events) == []


# -- real lines ------------------------------------------------------------------------------


def watched(url: str, run: Path) -> Session:
    def prepare(client):  # type: ignore[no-untyped-def]
        sensing = sensing_of(client, run)
        return sensing, source_of(Wish(run=run), client, sensing)

    return Session(Finder(url), prepare)


def until(events: Iterator, kind: type) -> tuple[object, float]:
    """The next event of a kind, and how long it took."""
    start = time.monotonic()
    event = next(each for each in events if isinstance(each, kind))
    return event, time.monotonic() - start


@contextmanager
def band_at(image: Path, port: int) -> Iterator[tuple[subprocess.Popen, int]]:
    process = subprocess.Popen([str(image), "--tcp", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.kill()
        process.wait()


def test_a_killed_band_is_noticed_and_found_again_on_its_port(run: Path) -> None:
    image = emulate.image_of(run, "host")
    with band_at(image, 0) as (process, port):
        session = watched(f"socket://127.0.0.1:{port}", run)
        events = session.events()
        for _ in range(10):
            next(events)
        process.kill()
        process.wait()
        _, noticed = until(events, Lost)
    assert noticed < 2.0
    with band_at(image, port):
        back, found = until(events, Joined)
        assert found < 4.0
        until(events, Moved)
        session.stop()
    assert back.sensing.classes[0] == "walking"  # type: ignore[attr-defined]
    print(f"noticed after {noticed:.2f} s, back {found:.2f} s after the start")


class Cable:
    """A socket between desk and band that can be cut without a word: bytes go nowhere."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cut = False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                desk, _ = self.server.accept()
                band = socket.create_connection(("127.0.0.1", self.port))
                for a, b in ((desk, band), (band, desk)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, a: socket.socket, b: socket.socket) -> None:
        with suppress(OSError):
            while data := a.recv(4096):
                if not self.cut:
                    b.sendall(data)
        for end in (a, b):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_a_cable_that_falls_silent_is_noticed_and_taken_up_again(run: Path) -> None:
    with band_at(emulate.image_of(run, "host"), 0) as (_, port):
        cable = Cable(port)
        session = watched(cable.url, run)
        events = session.events()
        for _ in range(10):
            next(events)
        cable.cut = True
        lost, noticed = until(events, Lost)
        assert noticed < 3.0, "two seconds on an idle machine"
        assert "no answer" in lost.why  # type: ignore[attr-defined]
        cable.cut = False
        _, found = until(events, Joined)
        assert found < 6.0
        until(events, Moved)
        session.stop()
        cable.server.close()
    print(f"noticed after {noticed:.2f} s, back after {found:.2f} s")


def test_a_band_without_a_named_port_is_found_at_its_new_one(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    image = emulate.image_of(run, "host")
    with emulate.start("host", image) as band:
        session = watched(None, run)  # type: ignore[arg-type]
        events = session.events()
        first = next(events)
        next(events)
    until(events, Lost)
    with emulate.start("host", image, tcp=True) as band:
        back, _ = until(events, Joined)
        assert back.url == band.url != first.url  # type: ignore[union-attr, attr-defined]
        session.stop()
