"""Bundles that a band must not take, and two tools that want it at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.band.deploy_cases import bundle_of, check_runs, renamed
from tests.band.throttled import Line, throttled
from tinyhar.band import deploy_messages as dm
from tinyhar.band import emulate
from tinyhar.band.client import connect
from tinyhar.band.codes import ErrorCode, SlotState
from tinyhar.band.deploy import deploy, slots
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.deploy_refused import NotDeployed
from tinyhar.band.emulate import Emulated
from tinyhar.band.errors import BandRefused
from tinyhar.convert.bundle import pack
from tinyhar.errors import BandError


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
    deploy_band: Emulated, bare_run: Path
) -> None:
    old = of_bytes((bare_run / "bundle.thb").read_bytes())
    with connect(deploy_band.url) as client:
        for file, code, said in misfits(bare_run):
            with pytest.raises(NotDeployed, match=said) as refused:
                deploy(client, file)
            assert refused.value.code == code
            assert str(refused.value).count("\n") == 0
            check_runs(client, old)
            assert SlotState.READY not in [slot.state for slot in slots(client)]


def test_other_sensors_can_be_allowed(deploy_band: Emulated, bare_run: Path) -> None:
    bundle = bundle_of(bare_run)
    file = of_bytes(pack(replace(bundle, channels=("wrist_acc_x", *bundle.channels[1:]))))
    with connect(deploy_band.url) as client:
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
    deploy_band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """As if frames had no check: what came is judged as a whole."""
    with connect(deploy_band.url) as client:
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
    deploy_band: Emulated, bare_run: Path, other: BundleFile
) -> None:
    """A socket serves one client at a time: the second one waits, or says that nobody answers."""
    outcomes: list[str] = []

    def second() -> None:
        try:
            with connect(deploy_band.url) as client:
                outcomes.append(deploy(client, renamed(bare_run, "jumping")).how)
        except BandError as error:
            outcomes.append(str(error))

    with throttled(deploy_band.url, Line(rate=20_000)) as url, connect(url) as client:
        thread = threading.Thread(target=second)
        thread.start()
        deploy(client, other, whole=True)
        check_runs(client, other)
    thread.join(30)
    assert outcomes[0] in ("full", "partial") or "another program hold" in outcomes[0]
