"""Equal bytes pass; anything else is counted, and its layer and channel named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.band.simulated import SimulatedBand, layers_of, logits_of
from tinyhar.band import messages as m
from tinyhar.band.bench import bench
from tinyhar.band.client import Client
from tinyhar.band.errors import BandRestarted, OtherModel
from tinyhar.band.locate import DeskLayer
from tinyhar.band.validate import MOST_TRACED, ValidationReport, validate
from tinyhar.errors import DataError

N = 40
NAMES = ("input", "hidden", "logits")


def desk_layers(counts: m.Counts) -> list[DeskLayer]:
    layers = layers_of(counts[np.newaxis])
    return [DeskLayer(name, layer[0]) for name, layer in zip(NAMES, layers, strict=True)]


def counts() -> m.Counts:
    random = np.random.default_rng(0)
    return random.integers(-(2**15), 2**15, (N, 16, 3)).astype(np.int16)


def ask(band: SimulatedBand, **options: object) -> ValidationReport:
    windows = counts()
    logits = logits_of(windows)
    labels = logits.argmax(axis=1).astype(np.int64)
    subjects = [f"s{i // 10}" for i in range(N)]
    return validate(
        Client(band), windows, logits, labels, subjects=subjects,
        desk_layers=desk_layers, **options,  # type: ignore[arg-type]
    )  # fmt: skip


def test_equal_bytes_are_full_agreement() -> None:
    report = ask(SimulatedBand(), bundle_id=bytes(range(32)))
    assert report.good
    assert (report.windows, report.equal, report.agreement) == (N, N, 1.0)
    assert report.macro_f1_device == report.macro_f1_desk == 1.0
    assert report.instructions_per_window == 25 * 40
    assert report.latency_ms.p50 == pytest.approx(1000 * 25 * 40 / 64_000_000)
    assert report.latency_ms.clock == "at 64 MHz, one instruction a cycle"
    assert report.mismatches == ()


def test_progress_reaches_the_end() -> None:
    seen: list[int] = []
    ask(SimulatedBand(), progress=seen.append)
    assert seen == list(range(1, N + 1))


@pytest.mark.parametrize(
    ("layer", "channel", "expected"),
    [(0, 1, "wrist_acc_y"), (1, 2, "2"), (2, 0, "0")],
)
def test_the_layer_and_the_channel_are_named(layer: int, channel: int, expected: str) -> None:
    band = SimulatedBand()
    band.broken_layer, band.broken_channel = layer, channel
    report = ask(band)
    assert not report.good
    assert report.equal == 0
    assert len(report.mismatches) == N
    first = report.mismatches[0]
    assert (first.window, first.subject) == (0, "s0")
    assert (first.layer, first.channel) == (NAMES[layer], expected)
    assert first.expected != first.got
    assert NAMES[layer] in str(first)
    assert report.mismatches[MOST_TRACED].layer == "", "only the first few are traced"


def test_a_band_that_cannot_tell_channels_still_names_the_layer() -> None:
    band = SimulatedBand()
    band.broken_layer = 1
    trace = band._on_04
    band._on_04 = lambda body: trace(body) if not body else trace(b"x")  # type: ignore[method-assign]
    assert ask(band).mismatches[0].layer == "hidden"
    assert ask(band).mismatches[0].channel == ""


def test_a_wrong_class_with_right_logits_is_a_mismatch() -> None:
    band = SimulatedBand()
    infer = band._on_03

    def wrong_class(body: bytes) -> m.InferResponse:
        result = infer(body).result
        assert result
        return m.InferResponse(1, m.InferResult(1, (result.class_index + 1) % 3, result.logits))

    band._on_03 = wrong_class  # type: ignore[method-assign]
    report = ask(band)
    assert report.equal == 0
    assert report.macro_f1_device < 0.5


def test_one_flipped_logit_is_found() -> None:
    band = SimulatedBand()
    windows = counts()
    logits = logits_of(windows)
    logits[7, 2] ^= 1
    report = validate(Client(band), windows, logits, np.zeros(N, np.int64))
    (mismatch,) = report.mismatches
    assert (mismatch.window, mismatch.logit) == (7, 2)
    assert report.agreement == (N - 1) / N


def test_another_model_is_refused_before_any_window_is_sent() -> None:
    band = SimulatedBand()
    with pytest.raises(OtherModel, match="another model \\(bundle 000102030405\\)"):
        ask(band, bundle_id=bytes(32))
    assert band.worked == 1


def test_a_restart_whose_event_is_lost_is_found_at_the_end() -> None:
    band = SimulatedBand()
    client = Client(band)
    windows = counts()

    def restart_silently(done: int) -> None:
        if done == N:
            band.boots += 1

    with pytest.raises(BandRestarted):
        validate(client, windows, logits_of(windows), np.zeros(N, np.int64),
                 progress=restart_silently)  # fmt: skip


@pytest.mark.parametrize("n", [0, N - 1])
def test_arrays_that_do_not_belong_together_are_refused(n: int) -> None:
    windows = counts()[:n]
    with pytest.raises(DataError, match="must be as many"):
        validate(Client(SimulatedBand()), windows, logits_of(counts()), np.zeros(n, np.int64))


def test_logits_of_another_model_are_refused() -> None:
    logits = np.zeros((N, 5), np.int8)
    with pytest.raises(OtherModel, match="3 classes"):
        validate(Client(SimulatedBand()), counts(), logits, np.zeros(N, np.int64))


def test_the_json_is_plain() -> None:
    band = SimulatedBand()
    band.broken_layer = 1
    plain = json.loads(json.dumps(ask(band).as_json()))
    assert plain["verdict"] == "different"
    assert plain["mismatches"][0]["layer"] == "hidden"
    assert plain["windows_per_second"] > 0


def test_bench_measures_on_the_links_clock() -> None:
    band = SimulatedBand()
    band.to_desk.delay = 1.0
    result = bench(Client(band, timeout=9.0), seconds=60.0)
    assert 1000 < result.round_trip_ms < 2000
    assert result.windows_per_second > result.round_trips_per_second
    assert result.bytes_per_second_out > result.bytes_per_second_in > 0
    assert result.instructions_per_window == 1000
