"""The client against a simulated band: right answers, clear errors, whatever the line does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from tests.band.simulated import Faults, SimulatedBand, logits_of
from tinyhar.band import messages as m
from tinyhar.band.bench import bench
from tinyhar.band.client import Client
from tinyhar.band.codes import ResetReason, What
from tinyhar.band.errors import (
    BandRefused,
    BandRestarted,
    LinkError,
    MessageError,
    OtherProtocol,
    SilentBand,
)
from tinyhar.band.play import play


def windows(n: int, band: SimulatedBand, seed: int = 0) -> m.Counts:
    random = np.random.default_rng(seed)
    shape = (n, band.window, band.channels)
    return random.integers(-(2**15), 2**15, shape).astype(np.int16)


def logits(results: list[m.InferResult]) -> np.ndarray:
    return np.frombuffer(b"".join(r.logits for r in results), np.int8).reshape(len(results), -1)


def faults(seed: int, **chances: float) -> Faults:
    return Faults(**chances, random=Random(seed))


def test_it_knows_who_answers() -> None:
    client = Client(SimulatedBand())
    assert client.identity.board == "simulated"
    assert client.names(What.CLASS_NAME) == ("sit", "walk", "run")
    assert client.names(What.CHANNEL_NAME) == ("wrist_acc_x", "wrist_acc_y", "wrist_acc_z")


def test_windows_come_back_in_order() -> None:
    band = SimulatedBand()
    counts = windows(300, band)
    got = logits(list(Client(band).infer_many(counts)))
    assert np.array_equal(got, logits_of(counts))


def test_several_windows_are_under_way_at_once() -> None:
    band = SimulatedBand(to_desk=faults(1, delay=1.0))
    client = Client(band, timeout=5.0)
    start = band.now()
    list(client.infer_many(windows(80, band)))
    assert band.now() - start < 80 * 1.5 / 2, "as slow as one at a time"


def test_a_window_longer_than_a_frame_goes_in_pieces() -> None:
    band = SimulatedBand(max_body=40)
    counts = windows(5, band)
    got = logits(list(Client(band).infer_many(counts)))
    assert np.array_equal(got, logits_of(counts))


@pytest.mark.parametrize("max_body", [4096, 40])
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_costs_time_but_never_a_wrong_answer(max_body: int, seed: int) -> None:
    bad = {"drop": 0.05, "flip": 0.05, "duplicate": 0.1}
    band = SimulatedBand(max_body=max_body, to_band=faults(seed, **bad),
                         to_desk=faults(seed + 100, **bad))  # fmt: skip
    client = Client(band, tries=12)
    counts = windows(400, band, seed)
    got = logits(list(client.infer_many(counts)))
    assert np.array_equal(got, logits_of(counts))
    assert client.exchange.retries > 20


@pytest.mark.parametrize("max_body", [4096, 40])
@pytest.mark.parametrize("seed", range(4))
def test_late_and_overtaken_frames_never_answer_for_another(max_body: int, seed: int) -> None:
    bad = {"drop": 0.03, "delay": 0.1, "duplicate": 0.1}
    band = SimulatedBand(
        max_body=max_body, to_band=faults(seed, **bad), to_desk=faults(seed + 100, **bad)
    )
    counts = windows(400, band, seed)
    got = logits(list(Client(band, tries=12).infer_many(counts)))
    assert np.array_equal(got, logits_of(counts))


def test_a_lost_answer_is_repeated_without_the_work() -> None:
    band = SimulatedBand()
    client = Client(band)
    band.to_desk.drop, worked = 1.0, band.worked
    with pytest.raises(SilentBand):
        client.infer(windows(1, band)[0])
    assert band.worked == worked + 1


def test_nothing_answers() -> None:
    band = SimulatedBand()
    band.deaf = True
    with pytest.raises(SilentBand, match="no answer to IDENTIFY from simulated"):
        Client(band)
    assert band.now() < 5


def test_noise_is_told_from_silence() -> None:
    band = SimulatedBand(to_desk=faults(1, flip=1.0))
    with pytest.raises(SilentBand, match="baud"):
        Client(band)


def test_chatter_without_answers_does_not_hang() -> None:
    band = SimulatedBand()
    client = Client(band)
    band.deaf = True
    read = band.read

    def chatter(timeout: float) -> bytes:
        read(0.01)
        return b"hello "

    band.read = chatter  # type: ignore[method-assign]
    with pytest.raises(SilentBand):
        client.statistics()


def test_a_restart_while_waiting_is_noticed_with_its_reason() -> None:
    band = SimulatedBand()
    client = Client(band)
    band.restart_after = band.frames_in + 20
    with pytest.raises(BandRestarted, match=r"while INFER was under way \(reason: watchdog\)"):
        list(client.infer_many(windows(50, band)))
    assert client.identify().reset_reason == ResetReason.WATCHDOG


def test_a_restart_whose_event_is_lost_shows_at_the_next_greeting() -> None:
    band = SimulatedBand()
    client = Client(band)
    band.to_desk.drop = 1.0
    band.restart(ResetReason.FAULT)
    band.to_desk.drop = 0.0
    with pytest.raises(BandRestarted, match="fault"):
        client.identify()


def test_reset_comes_back_as_another_start() -> None:
    band = SimulatedBand(to_desk=faults(3, drop=0.3))
    client = Client(band, tries=9)
    before = client.identity.boot_id
    assert client.reset().boot_id != before
    assert client.identity.reason == "requested"


def test_another_protocol_is_named() -> None:
    band = SimulatedBand()
    band.protocol = 2
    with pytest.raises(OtherProtocol, match="ours is version 1"):
        Client(band)


def test_another_protocol_in_the_answer_is_named() -> None:
    band = SimulatedBand()
    band.protocol = 9
    band._on_01 = lambda body: band.identity()  # type: ignore[method-assign]
    with pytest.raises(OtherProtocol, match="its 9"):
        Client(band)


def test_a_refusal_says_what_and_why() -> None:
    band = SimulatedBand()
    client = Client(band)
    with pytest.raises(BandRefused, match="refused STREAM: out of order, simulated"):
        client.stream(windows(1, band)[0], 5)


def test_a_window_of_the_wrong_shape_never_leaves() -> None:
    band = SimulatedBand()
    client = Client(band)
    with pytest.raises(MessageError, match=r"int16 \[16, 3\], not int16 \[15, 3\]"):
        client.infer(windows(1, band)[0, 1:])


def test_a_cut_line_is_an_error_at_once() -> None:
    band = SimulatedBand()
    client = Client(band)
    band.cut_after = band.frames_in + 10
    with pytest.raises(LinkError, match="went away"):
        list(client.infer_many(windows(50, band)))


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_over_a_bad_line_is_the_same_stream(seed: int) -> None:
    bad = {"drop": 0.1, "flip": 0.1, "duplicate": 0.1}
    band = SimulatedBand(to_band=faults(seed, **bad), to_desk=faults(seed + 100, **bad))
    client = Client(band, tries=12)
    counts = windows(1, SimulatedBand(window=400))[0]
    for at in range(0, 400, 25):
        assert client.stream(counts[at : at + 25], at) == at + 25
    got = client.take_predictions()
    assert len(got) + client.missed == 49, "each window once, or known to be missed"
    for p in got:
        window = counts[np.newaxis, p.window_index * 8 : p.window_index * 8 + 16]
        assert p.logits == logits_of(window)[0].tobytes()
    assert client.missed < 20


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.infer(np.zeros((0, 0), np.int16)),
        lambda client: client.stream(np.zeros((5, 3), np.int16), 0),
        lambda client: play(client, np.zeros((5, 3), np.int16), print),
        lambda client: bench(client, seconds=0.1),
        lambda client: client.selftest(),
    ],
)
def test_a_band_without_a_model_says_so(ask: Callable[[Client], object]) -> None:
    band = SimulatedBand()
    band.has_model = False
    client = Client(band)
    with pytest.raises(BandRefused, match="no model"):
        ask(client)
    assert client.names(What.CLASS_NAME) == ()


@pytest.mark.parametrize("real_time", [True, False])
def test_play_keeps_time_and_counts_what_the_line_lost(real_time: bool) -> None:
    band = SimulatedBand()
    client = Client(band)
    counts = windows(1, SimulatedBand(window=400))[0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        band.read(seconds)

    heard: list[m.Prediction] = []
    played = play(client, counts, heard.append, real_time=real_time, sleep=sleep)
    assert (played.samples, played.predictions, played.missed) == (400, 49, 0)
    assert sum(slept) == pytest.approx(395 / 50 if real_time else 0)
    band.to_desk = faults(1, drop=0.4)
    client.exchange.tries = 30
    assert play(client, counts, heard.append, real_time=False).predictions < 49


def test_upkeep() -> None:
    client = Client(SimulatedBand())
    assert client.selftest().failed == 0
    assert client.statistics().ticks_mean == 25
    assert client.settings().stride == 8
    assert client.settings(m.SettingsInForce(4, 3, 1)) == m.SettingsInForce(4, 3, 1)


def test_one_conversation_at_a_time() -> None:
    band = SimulatedBand()
    client = Client(band)
    answers = client.infer_many(windows(50, band))
    next(answers)
    with pytest.raises(RuntimeError, match="still under way"):
        client.statistics()
    answers.close()  # type: ignore[attr-defined]
    assert client.statistics().ticks_mean == 25
