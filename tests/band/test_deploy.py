"""Bundles over the line into the real firmware, as a process of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.band.deploy_cases import check_runs, other_head, renamed, wired
from tests.band.throttled import Line, throttled
from tinyhar.band import deploy_messages as dm
from tinyhar.band.client import connect
from tinyhar.band.codes import SlotState
from tinyhar.band.deploy import deploy, rollback, slots
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.deploy_plan import Piece, Plan
from tinyhar.band.desk import read_desk
from tinyhar.band.emulate import Emulated
from tinyhar.errors import BandError


def test_another_network_is_sent_tried_and_runs_at_once_and_after_a_restart(
    deploy_band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    with connect(deploy_band.url) as client:
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
    deploy_band: Emulated, bare_run: Path
) -> None:
    with connect(deploy_band.url) as client:
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
    deploy_band: Emulated, bare_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = renamed(bare_run, "jumping")
    with connect(deploy_band.url) as client:
        wrong = Plan((Piece(0, 1024, source=1024), Piece(1024, len(file.data) - 1024)))
        monkeypatch.setattr("tinyhar.band.deploy.partial", lambda *_: wrong)
        done = deploy(client, file)
        assert (done.how, done.sent_bytes) == ("full", len(file.data))
        check_runs(client, file)


def test_the_old_model_answers_while_a_new_one_comes(
    deploy_band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """In the same conversation: windows and samples between the chunks."""
    desk = read_desk(bare_run)
    with connect(deploy_band.url) as client:
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
    deploy_band: Emulated, other: BundleFile
) -> None:
    line = Line(rate=1e6, latency=0.0, cut_after=9000)
    tries = 0
    with throttled(deploy_band.url, line) as url:
        resumed = []
        while True:
            line.to_band = 0
            tries += 1
            try:
                with connect(url) as client:
                    done = deploy(client, other, whole=True)
                    break
            except BandError:
                with connect(deploy_band.url) as watcher:
                    resumed.append(slots(watcher)[0].received)
        assert done.resumed_bytes == resumed[-1]
    assert resumed == sorted(resumed)
    assert 3 <= tries <= 8
    with connect(deploy_band.url) as client:
        check_runs(client, other)


def test_a_restart_in_between_costs_a_page(deploy_band: Emulated, other: BundleFile) -> None:
    with connect(deploy_band.url) as client:
        client.exchange.request(other.begin())
        for at in range(0, 10240, 1024):
            client.exchange.request(dm.Chunk(at, other.data[at : at + 1024]))
        client.reset()
        assert deploy(client, other, whole=True).resumed_bytes == 8192
        check_runs(client, other)


def test_a_lossy_line_only_costs_time(deploy_band: Emulated, other: BundleFile) -> None:
    dropped = 0

    def keep(piece: bytes) -> bytes:
        nonlocal dropped
        dropped += len(piece) == 64
        return b"" if len(piece) == 64 and dropped % 197 == 0 else piece

    with (
        throttled(deploy_band.url, Line(rate=1e6, latency=0.001, keep=keep)) as url,
        wired(url) as client,
    ):
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
    deploy_band: Emulated,
    other: BundleFile,
    latency: float,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first question to the last answer. 16 ms is what a USB serial chip may wait, 240
    bytes the chunk of a band that has memory for the smallest frames only.
    """
    monkeypatch.setattr("tinyhar.band.deploy.MOST_CHUNK", chunk)
    with throttled(deploy_band.url, Line(latency=latency)) as url, wired(url) as client:
        done = deploy(client, other, whole=True)
    assert done.line_share is not None
    print(f"{done.full_bytes} bytes, {done.seconds:.2f} s, {done.line_share:.1%} of 115,200 baud")
    assert 0.7 < done.line_share < 1.0
