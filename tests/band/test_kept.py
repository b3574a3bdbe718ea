"""A band whose model keeps what overlapping windows share answers a stream with the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.band.deploy_cases import bundle_of
from tinyhar.band.build import build_firmware
from tinyhar.band.client import Client, connect
from tinyhar.band.deploy import deploy
from tinyhar.band.deploy_file import of_bytes
from tinyhar.band.desk import read_desk, read_model
from tinyhar.band.emulate import Emulated, start
from tinyhar.band.messages import SettingsInForce
from tinyhar.convert import integer
from tinyhar.convert.bundle import pack
from tinyhar.convert.compiled import compile_model
from tinyhar.errors import ToolError

HOP = 16


def keeping(run: Path) -> bytes:
    """The run's bundle with a stride of 16 samples and a model that keeps all it can."""
    compiled = compile_model(read_model(run)[0], hop=HOP, extra_ram=1 << 20)
    assert compiled.kept > 1
    changed = replace(
        bundle_of(run), model=compiled.payload, arena_bytes=compiled.arena_bytes, stride=HOP
    )
    return pack(changed)


def expected(run: Path, counts: np.ndarray, stride: int = HOP) -> list[bytes]:
    desk, (_, graph) = read_desk(run), read_model(run)
    starts = range(0, len(counts) - 128 + 1, stride)
    x = np.stack([desk.bundle.count_map.apply(counts[i : i + 128]) for i in starts])
    return [row.tobytes() for row in integer.run(graph, x[:, np.newaxis])]


def check_streams(client: Client, run: Path) -> None:
    desk = read_desk(run)
    counts = np.concatenate(list(desk.counts[:4]))
    client.stream(counts, 0)
    assert [one.logits for one in client.take_predictions()] == expected(run, counts)
    # What runs in between must not be taken for the window before.
    client.stream(counts[:200], 0)
    client.infer(desk.counts[7])
    client.stream(counts[200:300], 200)
    assert client.selftest().failed == 0
    client.stream(counts[300:400], 300)
    assert [one.logits for one in client.take_predictions()] == expected(run, counts[:400])
    for stride in (3, 24, 200):
        client.settings(SettingsInForce(stride, 1, 1))
        client.stream(counts, 0)
        assert [one.logits for one in client.take_predictions()] == expected(run, counts, stride)


def test_on_the_host(deploy_band: Emulated, run: Path) -> None:
    with connect(deploy_band.url) as client:
        deploy(client, of_bytes(keeping(run), "kept"))
        check_streams(client, run)


def test_on_an_emulated_cortex_m4_it_takes_fewer_instructions(
    qemu_run: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept.thb"
    file.write_bytes(keeping(qemu_run))
    try:
        image = build_firmware(file, "mps2_an386", tmp_path).image
    except ToolError as error:
        pytest.skip(str(error))
    counts = np.concatenate(list(read_desk(qemu_run).counts[:3]))
    with start("mps2_an386", image) as band, connect(band.url) as client:
        check_streams(client, qemu_run)
        client.settings(SettingsInForce(HOP, 1, 1))
        client.stream(counts, 0)
        first, *others = [one.ticks for one in client.take_predictions()]
    assert max(others) < 0.7 * first
