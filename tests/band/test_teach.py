"""Teaching a real band: the host's firmware and the emulated Cortex-M4, over their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.band.test_tool import plain, tool
from tinyhar.band import emulate
from tinyhar.band.client import Client, connect
from tinyhar.band.codes import What
from tinyhar.band.desk import read_desk
from tinyhar.band.emulate import Emulated
from tinyhar.band.lessons import lessons
from tinyhar.band.movement import Movement
from tinyhar.band.source import Piece, Replay
from tinyhar.band.teach import forget, teach
from tinyhar.band.validate import validate
from tinyhar.errors import BandError, DataError


def played(client: Client, seed: int) -> Replay:
    """Noise about a posture, as fast as the line goes."""
    random = np.random.default_rng(seed)
    counts = random.normal(0, 900, (800, client.identity.channels)).cumsum(axis=0) / 8
    movement = Movement(counts.astype(np.int16), np.zeros(800, np.int64), ("this",))
    source = Replay(movement, client.identity.rate_mhz / 1000, "noise")
    source.hurry(True)
    return source


def check_taught(client: Client, run: Path) -> None:
    """New and re-learned classes, byte for byte as the desk computes them."""
    names = client.names(What.CLASS_NAME)
    known = teach(client, played(client, 1), "juggling", 10.0)
    assert (known.classes, known.taught) == (len(names) + 1, 1)
    teach(client, played(client, 2), names[3], 6.0)
    taught = lessons(client)
    assert [one.name for one in taught] == ["juggling", names[3]]
    assert taught[0].seconds == pytest.approx(10.0, abs=0.3)
    desk = read_desk(run).sample(40).after(taught)
    assert desk.logits.shape == (40, len(names) + 1)
    report = validate(client, desk.counts, desk.logits, desk.labels, bundle_id=desk.bundle_id)
    assert report.good, report.mismatches[0]


def test_a_host_band_learns_and_remembers(deploy_band: Emulated, run: Path) -> None:
    with connect(deploy_band.url) as client:
        own = client.names(What.CLASS_NAME)
        check_taught(client, run)
        client.reset()
        assert client.names(What.CLASS_NAME) == (*own, "juggling")
        forget(client, "juggling")
        assert [one.name for one in lessons(client)] == [own[3]]
        forget(client, None)
        desk = read_desk(run).sample(20)
        assert validate(client, desk.counts, desk.logits, desk.labels).good


def test_an_emulated_cortex_m4_learns_the_same(qemu_run: Path) -> None:
    image = emulate.image_of(qemu_run, "mps2_an386")
    with emulate.start("mps2_an386", image) as band, connect(band.url) as client:
        check_taught(client, qemu_run)
        client.reset()
        assert len(lessons(client)) == 2


def test_what_cannot_be_taught_is_said_before(deploy_band: Emulated) -> None:
    with connect(deploy_band.url) as client:
        source = played(client, 1)
        name = client.names(What.CLASS_NAME)[0]
        for wrong, seconds, words in (
            ("x" * 33, 10.0, "1 to 32 bytes"),
            (name.upper(), 10.0, "write both alike"),
            ("hop", 1.0, "windows are 2.56 s long"),
        ):
            with pytest.raises(DataError, match=words):
                teach(client, source, wrong, seconds)
        with pytest.raises(DataError, match="was not taught 'hop'; it was taught nothing"):
            forget(client, "hop")
        assert lessons(client) == ()


class Unplugged(Replay):
    """A source that fails in the middle."""

    def step(self, client: Client, first: int) -> Piece:
        if first > 300:
            raise BandError("the cable came off")
        return super().step(client, first)


def test_a_failure_while_showing_leaves_the_band_as_it_was(deploy_band: Emulated) -> None:
    with connect(deploy_band.url) as client:
        source = played(client, 1)
        source.__class__ = Unplugged
        with pytest.raises(BandError, match="cable"):
            teach(client, source, "hop", 20.0)
        assert lessons(client) == ()
        assert client.settings().stride == 64


@pytest.fixture
def recording(tmp_path: Path, run: Path) -> Iterator[Path]:
    """A .csv of the run's own movement, without labels."""
    desk = read_desk(run)
    counts = np.concatenate(list(desk.counts[:8, :64]))
    rows = counts * desk.bundle.lsb
    head = "# position: waist\n# rate: 50\ntime_s,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z\n"
    lines = (f"{i / 50:.2f}," + ",".join(f"{v:.6g}" for v in row) for i, row in enumerate(rows))
    file = tmp_path / "hop.csv"
    file.write_text(head + "\n".join(lines) + "\n")
    yield file


def test_the_tool_teaches_tells_and_forgets(
    deploy_band: Emulated, run: Path, recording: Path
) -> None:
    at = ("--port", deploy_band.url)
    shown = ("--csv", recording, "--run", run, "--speed", "full", "--seconds", 8)
    status, known = plain("teach", "hop", *at, *shown)
    assert (status, known["classes"], known["taught"]) == (0, 7, 1)
    said = tool("info", *at)[1]
    assert re.search(r"taught +hop \d\.\d s", said), said
    assert tool("validate", "--run", run, *at, "--limit", 30)[0] == 0
    status, told, _ = tool("forget", "hop", *at)
    assert status == 0 and "0 of the band's 6 classes" in told
    assert tool("forget", *at)[0] == 2
