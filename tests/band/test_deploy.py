"""Bundles over the line into the real firmware, as a process of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.band.deploy_cases import bundle_of, other_head, other_network, renamed, wired
from tests.band.throttled import Line, throttled
from tinyhar.band import deploy_messages as dm
from tinyhar.band import emulate
from tinyhar.band.client import Client, connect
from tinyhar.band.codes import ErrorCode, SlotState
from tinyhar.band.deploy import deploy, rollback, slots
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.deploy_plan import Piece, Plan
from tinyhar.band.deploy_refused import NotDeployed
from tinyhar.band.desk import read_desk
from tinyhar.band.emulate import Emulated
from tinyhar.band.errors import BandRefused
from tinyhar.convert.bundle import pack
from tinyhar.errors import BandError


@pytest.fixture
def band(run: Path, tmp_path: Path) -> Iterator[Emulated]:
    image = emulate.image_of(run, "host")
    with emulate.start("host", image, tcp=True, flash=tmp_path / "flash") as band:
        yield band


@pytest.fixture(scope="module")
def other(bare_run: Path, reference_models: Path) -> BundleFile:
    return other_network(bare_run, reference_models)


def check_runs(client: Client, file: BundleFile) -> None:
    assert client.identify().bundle_id == file.bundle_id
    result = client.selftest()
    assert (result.run, result.failed) == (4, 0)


def test_another_network_is_sent_tried_and_runs_at_once_and_after_a_restart(
    band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    with connect(band.url) as client:
        heard: list[tuple[int, int]] = []
        done = deploy(client, other, whole=True, progress=lambda *now: heard.append(now))
        assert (done.how, done.sent_bytes, done.slot, done.golden) == (
            "full",
            len(other.data),
            0,
            4,
        )
        assert heard[-1] == (len(other.data), len(other.data))
        assert sorted(heard) == heard
        check_runs(client, other)
        client.reset()
        check_runs(client, other)
        assert [SlotState(slot.state) for slot in slots(client)] == [
            SlotState.READY, SlotState.EMPTY, SlotState.BUILT_IN,
        ]  # fmt: skip
        assert deploy(client, other).how == "running already"
        assert rollback(client).slot == 2
        check_runs(client, of_bytes((bare_run / "bundle.thb").read_bytes()))


def test_where_the_network_is_the_same_only_what_differs_travels(
    band: Emulated, bare_run: Path
) -> None:
    with connect(band.url) as client:
        for file, most in (
            (renamed(bare_run, "tooth brushing"), 1000),
            (renamed(bare_run, "a much longer name, that moves all that is behind it"), 1100),
            (other_head(bare_run), 1800),
        ):
            done = deploy(client, file)
            assert done.how == "partial"
            assert done.sent_bytes == done.partial_bytes < most < done.full_bytes / 8
            assert done.sent_bytes + done.copied_bytes == len(file.data)
            check_runs(client, file)
            client.reset()
            check_runs(client, file)


def test_a_block_that_only_looks_the_same_is_found_out_and_all_is_sent(
    band: Emulated, bare_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = renamed(bare_run, "jumping")
    with connect(band.url) as client:
        wrong = Plan((Piece(0, 1024, source=1024), Piece(1024, len(file.data) - 1024)))
        monkeypatch.setattr("tinyhar.band.deploy.partial", lambda *_: wrong)
        done = deploy(client, file)
        assert (done.how, done.sent_bytes) == ("full", len(file.data))
        check_runs(client, file)


def test_the_old_model_answers_while_a_new_one_comes(
    band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """In the same conversation: windows and samples between the chunks."""
    desk = read_desk(bare_run)
    with connect(band.url) as client:
        windows = iter(zip(desk.counts, desk.logits, strict=True))
        asked = 0
        client.exchange.request(other.begin())
        for at in range(0, len(other.data), 1024):
            client.exchange.request(dm.Chunk(at, other.data[at : at + 1024]))
            counts, logits = next(windows)
            assert client.infer(counts).logits == logits.tobytes()
            asked += 1
        client.stream(desk.counts[0], 0)
        assert client.take_predictions()[0].logits == desk.logits[0].tobytes()
        assert asked > 20
        client.exchange.request(dm.Commit())
        check_runs(client, other)


def test_a_cable_that_is_pulled_again_and_again_only_costs_time(
    band: Emulated, other: BundleFile
) -> None:
    line = Line(rate=1e6, latency=0.0, cut_after=9000)
    tries = 0
    with throttled(band.url, line) as url:
        resumed = []
        while True:
            line.to_band = 0
            tries += 1
            try:
                with connect(url) as client:
                    done = deploy(client, other, whole=True)
                    break
            except BandError:
                with connect(band.url) as watcher:
                    resumed.append(slots(watcher)[0].received)
        assert done.resumed_bytes == resumed[-1]
    assert resumed == sorted(resumed)
    assert 3 <= tries <= 8
    with connect(band.url) as client:
        check_runs(client, other)


def test_a_restart_in_between_costs_a_page(band: Emulated, other: BundleFile) -> None:
    with connect(band.url) as client:
        client.exchange.request(other.begin())
        for at in range(0, 10240, 1024):
            client.exchange.request(dm.Chunk(at, other.data[at : at + 1024]))
        client.reset()
        assert deploy(client, other, whole=True).resumed_bytes == 8192
        check_runs(client, other)


def test_a_lossy_line_only_costs_time(band: Emulated, other: BundleFile) -> None:
    dropped = 0

    def keep(piece: bytes) -> bytes:
        nonlocal dropped
        dropped += len(piece) == 64
        return b"" if len(piece) == 64 and dropped % 197 == 0 else piece

    with throttled(band.url, Line(rate=1e6, latency=0.001, keep=keep)) as url, wired(url) as client:
        client.exchange.timeout, client.exchange.tries = 0.1, 20
        done = deploy(client, other, whole=True)
        assert client.exchange.retries >= 2
        assert done.sent_bytes == len(other.data)
        check_runs(client, other)


@pytest.mark.parametrize(
    ("latency", "chunk"),
    [
        (0.002, 2048),
        (0.016, 240),
        pytest.param(0.016, 2048, marks=pytest.mark.slow),
    ],
)
def test_a_full_deployment_takes_most_of_a_serial_line(
    band: Emulated,
    other: BundleFile,
    latency: float,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first question to the last answer. 16 ms is what a USB serial chip may wait, 240
    bytes the chunk of a band that has memory for the smallest frames only.
    """
    monkeypatch.setattr("tinyhar.band.deploy.MOST_CHUNK", chunk)
    with throttled(band.url, Line(latency=latency)) as url, wired(url) as client:
        done = deploy(client, other, whole=True)
    assert done.line_share is not None
    print(f"{done.full_bytes} bytes, {done.seconds:.2f} s, {done.line_share:.1%} of 115,200 baud")
    assert 0.7 < done.line_share < 1.0


# ---- what must be refused ----


def misfits(run: Path) -> list[tuple[BundleFile, ErrorCode, str]]:
    bundle = bundle_of(run)
    tflm = of_bytes(pack(replace(bundle, engine="tflm")), "a.thb")
    arena = of_bytes(pack(replace(bundle, arena_bytes=1 << 24)), "b.thb")
    rate = of_bytes(pack(replace(bundle, rate=25.0)), "c.thb")
    names = ("wrist_acc_x", *bundle.channels[1:])
    channels = of_bytes(pack(replace(bundle, channels=names)), "d.thb")
    scale = of_bytes(pack(replace(bundle, lsb=bundle.lsb * 2)), "e.thb")
    wrong = bundle.golden_logits.copy()
    wrong[2, 0] ^= 1
    golden = of_bytes(pack(replace(bundle, golden_logits=wrong)), "f.thb")
    none = replace(bundle, golden_logits=wrong[:0], golden_counts=bundle.golden_counts[:0])
    noise = of_bytes(pack(replace(bundle, model=bytes(len(bundle.model)))), "h.thb")
    return [
        (tflm, ErrorCode.OTHER_ENGINE, "a.thb: is for engine tflm, and the band's .* compiled"),
        (arena, ErrorCode.NO_ROOM, "b.thb: needs 16,777,216 bytes of working memory"),
        (rate, ErrorCode.OTHER_SENSORS, "c.thb: wants 25 Hz"),
        (channels, ErrorCode.OTHER_SENSORS, "d.thb: wants wrist_acc_x, waist_acc_y"),
        (scale, ErrorCode.OTHER_SENSORS, "e.thb: wants waist_acc_x"),
        (golden, ErrorCode.TRIAL_FAILED, "f.thb: failed its trial .*golden window"),
        (of_bytes(pack(none), "g.thb"), ErrorCode.TRIAL_FAILED, "g.thb: .*no golden windows"),
        (noise, ErrorCode.TRIAL_FAILED, "h.thb: failed its trial .*the model"),
    ]


def test_what_cannot_run_is_refused_by_name_and_the_old_model_runs_on(
    band: Emulated, bare_run: Path
) -> None:
    old = of_bytes((bare_run / "bundle.thb").read_bytes())
    with connect(band.url) as client:
        for file, code, said in misfits(bare_run):
            with pytest.raises(NotDeployed, match=said) as refused:
                deploy(client, file)
            assert refused.value.code == code
            assert str(refused.value).count("\n") == 0
            check_runs(client, old)
            assert SlotState.READY not in [slot.state for slot in slots(client)]


def test_other_sensors_can_be_allowed(band: Emulated, bare_run: Path) -> None:
    bundle = bundle_of(bare_run)
    file = of_bytes(pack(replace(bundle, channels=("wrist_acc_x", *bundle.channels[1:]))))
    with connect(band.url) as client:
        deploy(client, file, any_sensors=True)
        check_runs(client, file)


def test_a_bundle_larger_than_a_slot_is_refused(
    run: Path, tmp_path: Path, other: BundleFile
) -> None:
    image = emulate.image_of(run, "host")
    small = tmp_path / "small"
    small.write_bytes(b"\xff" * 2 * 16384)
    script = tmp_path / "band"
    script.write_text(f'#!/bin/sh\nexec {image} "$@" --flash-shape 32768,4096,4\n')
    script.chmod(0o755)
    with (
        emulate.start("host", script, tcp=True, flash=small) as band,
        connect(band.url) as client,
        pytest.raises(NotDeployed, match=r"needs [0-9,]+ bytes of flash, more than this band has"),
    ):
        deploy(client, other)


def test_every_flipped_bit_on_the_way_past_the_crc_is_found(
    band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """As if frames had no check: what came is judged as a whole."""
    with connect(band.url) as client:
        for at in range(0, len(other.data), 997):
            damaged = bytearray(other.data)
            damaged[at] ^= 1 << at % 8
            client.exchange.request(other.begin())
            for start in range(0, len(damaged), 2048):
                client.exchange.request(dm.Chunk(start, bytes(damaged[start : start + 2048])))
            with pytest.raises(BandRefused) as refused:
                client.exchange.request(dm.Commit())
            assert refused.value.code == ErrorCode.DAMAGED
        check_runs(client, of_bytes((bare_run / "bundle.thb").read_bytes()))


def test_two_deployments_at_once_are_one_after_the_other(
    band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """A socket serves one client at a time: the second one waits, or says that nobody answers."""
    outcomes: list[str] = []

    def second() -> None:
        try:
            with connect(band.url) as client:
                outcomes.append(deploy(client, renamed(bare_run, "jumping")).how)
        except BandError as error:
            outcomes.append(str(error))

    with throttled(band.url, Line(rate=20_000)) as url, connect(url) as client:
        thread = threading.Thread(target=second)
        thread.start()
        deploy(client, other, whole=True)
        check_runs(client, other)
    thread.join(30)
    assert outcomes[0] in ("full", "partial") or "another program hold" in outcomes[0]
