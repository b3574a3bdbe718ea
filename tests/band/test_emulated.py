"""The real firmware as a process and in QEMU, over a real pseudo-terminal and real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.band.simulated import Faults
from tinyhar.band import emulate, running
from tinyhar.band.client import Client, connect
from tinyhar.band.desk import Desk, read_desk, read_model
from tinyhar.band.discover import candidates
from tinyhar.band.emulate import Emulated
from tinyhar.band.errors import BandRestarted, LinkError, OtherModel
from tinyhar.band.link import SerialLink
from tinyhar.band.locate import DeskLayer, Place, locate
from tinyhar.band.messages import Counts
from tinyhar.band.play import play
from tinyhar.band.validate import ValidationReport, validate
from tinyhar.convert.bundle import pack, unpack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.errors import BandError, ToolError


@pytest.fixture(params=["pty", "tcp"])
def host(request: pytest.FixtureRequest, run: Path) -> Iterator[Emulated]:
    image = emulate.image_of(run, "host")
    with emulate.start("host", image, tcp=request.param == "tcp") as band:
        yield band


@pytest.fixture(scope="module")
def qemu(qemu_run: Path) -> Iterator[Emulated]:
    with emulate.start("mps2_an386", emulate.image_of(qemu_run, "mps2_an386")) as band:
        yield band


@pytest.fixture
def desk(bare_run: Path) -> Desk:
    return read_desk(bare_run)


def check(client: Client, desk: Desk) -> ValidationReport:
    return validate(
        client, desk.counts, desk.logits, desk.labels, subjects=desk.subjects,
        bundle_id=desk.bundle_id, desk_layers=desk.layers,
    )  # fmt: skip


def test_host_gives_the_desks_bytes_fast(host: Emulated, desk: Desk) -> None:
    with connect(host.url) as client:
        report = check(client, desk)
    assert report.good, report.mismatches[0]
    assert report.board == "host"
    assert report.windows_per_second > 200


def test_qemu_gives_the_desks_bytes_and_counts_instructions(qemu: Emulated, desk: Desk) -> None:
    with connect(qemu.url) as client:
        report = check(client, desk.sample(20))
        assert client.selftest().failed == 0
    assert report.good, report.mismatches[0]
    assert report.board == "mps2_an386"
    assert report.instructions_per_window is not None
    assert 100_000 < report.instructions_per_window <= (report.instructions_max or 0) < 2_000_000
    assert report.windows_per_second > 50  # byte by byte through a UART they are 30


def test_every_layer_is_the_desks(host: Emulated, desk: Desk) -> None:
    with connect(host.url) as client:
        client.infer(desk.counts[5])
        assert len(client.trace()) == client.identity.layers + 1
        assert locate(client, desk.counts[5], desk.layers) is None


def test_qemus_layers_are_the_desks(qemu: Emulated, desk: Desk) -> None:
    with connect(qemu.url) as client:
        assert locate(client, desk.counts[5], desk.layers) is None


@pytest.mark.parametrize("index", [0, 1, 4, -1])
def test_a_layer_that_differs_is_named_with_its_channel(run: Path, desk: Desk, index: int) -> None:
    channel = 3

    def wrong(counts: Counts) -> list[DeskLayer]:
        layers = desk.layers(counts)
        output = layers[index].output.copy()
        output[..., channel] += 1
        layers[index] = DeskLayer(layers[index].name, output)
        return layers

    with emulate.start("host", emulate.image_of(run, "host")) as band, connect(band.url) as client:
        place = locate(client, desk.counts[9], wrong)
    name = "waist_gyro_x" if index == 0 else str(channel)
    assert place == Place(desk.layers(desk.counts[9])[index].name, name)


def test_a_damaged_weight_shows_as_its_layer(run: Path, desk: Desk, tmp_path: Path) -> None:
    bundle = unpack((run / "bundle.thb").read_bytes())
    damaged = tmp_path / "damaged.thb"
    damaged.write_bytes(pack(replace(bundle, model=_with_a_wrong_weight(read_model(run)[0]))))
    image = emulate.image_of(run, "host")
    with emulate.start("host", image, bundle=damaged) as band, connect(band.url) as client:
        with pytest.raises(OtherModel, match="another model"):
            check(client, desk)
        report = validate(client, desk.counts, desk.logits, desk.labels, desk_layers=desk.layers)
        assert client.selftest().failed > 0
    assert not report.good
    assert "FULLY_CONNECTED" in report.mismatches[0].layer
    assert report.mismatches[0].channel == "2"


def _with_a_wrong_weight(tflite: bytes) -> bytes:
    """Of the last layer, in the row of output 2."""
    graph = read_graph(tflite)
    weights = graph.constant(graph.operators[-1], 1)
    assert weights is not None
    wrong = weights.copy()
    wrong[2] ^= 0x40
    assert tflite.count(weights.tobytes()) == 1
    return compile_model(tflite.replace(weights.tobytes(), wrong.tobytes())).payload


def test_a_played_recording_is_cut_as_the_desk_cuts_it(host: Emulated, desk: Desk) -> None:
    recording = desk.counts[:10].reshape(-1, desk.counts.shape[-1])
    heard: list = []
    with connect(host.url) as client:
        played = play(client, recording, heard.append, real_time=False)
    assert played.missed == 0
    assert [p.window_index for p in heard] == list(range(19))
    whole = {p.last_sample // 128: p.logits for p in heard if (p.last_sample + 1) % 128 == 0}
    assert whole == {i: desk.logits[i].tobytes() for i in range(10)}


def test_reset_comes_back(host: Emulated) -> None:
    with connect(host.url) as client:
        before = client.identity.boot_id
        assert client.reset().boot_id != before
        assert client.identity.reason == "requested"
        assert client.selftest().failed == 0


def test_a_crash_while_waiting_is_noticed_with_its_reason(host: Emulated, desk: Desk) -> None:
    with connect(host.url) as client:
        for number, _ in enumerate(answers := client.infer_many(desk.counts)):
            if number == 20:
                os.kill(host.process.pid, signal.SIGSEGV)
                break
        with pytest.raises(BandRestarted, match="fault"):
            list(answers)
        assert client.identify().reason == "fault"


def test_a_vanished_band_is_told_at_once(host: Emulated, desk: Desk) -> None:
    with connect(host.url) as client:
        host.stop()
        start = time.monotonic()
        with pytest.raises(BandError):
            list(client.infer_many(desk.counts))
        assert time.monotonic() - start < 4


class BadLine(SerialLink):
    """A real line that drops, damages and doubles frames, as soon as it is told to."""

    faults = Faults()

    def write(self, data: bytes) -> None:
        for piece in data.split(b"\0"):
            for _, frame in self.faults.on(piece + b"\0"):
                super().write(frame)

    def read(self, timeout: float) -> bytes:
        data = super().read(timeout)
        return b"".join(piece for _, piece in self.faults.on(data)) if data else data


@pytest.mark.parametrize(("max_body", "n"), [(4096, 150), (600, 40)])
def test_a_bad_line_to_the_real_firmware_gives_right_answers(
    run: Path, desk: Desk, max_body: int, n: int
) -> None:
    """Whole windows several at once, and windows in three pieces."""
    with emulate.start("host", emulate.image_of(run, "host")) as band:
        line = BadLine(band.url)
        client = Client(line, timeout=0.05, tries=100)
        line.faults = Faults(0.04, 0.04, 0.04, random=Random(5))
        client.identity = replace(client.identity, max_body=max_body)
        results = list(client.infer_many(desk.counts[:n]))
        got = np.frombuffer(b"".join(r.logits for r in results), np.int8).reshape(n, -1)
        assert np.array_equal(got, desk.logits[:n])
        assert client.exchange.retries > 2
        assert client.statistics().frames_bad > 0
        client.close()


# -- processes -----------------------------------------------------------------------------------


def test_a_running_band_is_found_and_a_stopped_one_is_not(run: Path) -> None:
    with emulate.start("host", emulate.image_of(run, "host")) as band:
        assert [c.url for c in candidates() if c.what == "emulated host"] == [band.url]
    assert band.process.poll() is not None
    assert band.process.pid not in [other.pid for other in running.running()]
    band.stop()  # again does nothing


def test_a_band_ends_with_whoever_started_it(run: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tinyhar.band import emulate;"
        "band = emulate.start('host', Path(sys.argv[1]));"
        "print(band.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, emulate.image_of(run, "host")], stdout=subprocess.PIPE
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _runs(pid)
    assert pid not in [other.pid for other in running.running()]


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_what_cannot_start_is_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="'moon' cannot be emulated; there is host, mps2_an386"):
        emulate.start("moon", tmp_path)
    with pytest.raises(ToolError, match="'moon' cannot be emulated"):
        emulate.image_of(run, "moon")
    with pytest.raises(ToolError, match="is missing"):
        emulate.image_of(tmp_path, "host")
    with pytest.raises(ToolError, match="is missing"):
        emulate.start("host", tmp_path / "none")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo no flash today >&2; exit 3",
            "tinyhar-band does not listen: status 3, no flash today",
        ),
        ("kill -9 $$", r"SIGKILL, without a word; .* `tinyhar run`"),
        ("echo hello", "does not listen"),
        ("exec sleep 60", "does not listen"),
    ],
)
def test_an_image_that_does_not_listen_is_told_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr(emulate, "START_SECONDS", 0.5)
    image = tmp_path / "tinyhar-band"
    image.write_text(f"#!/bin/sh\n{script}\n")
    image.chmod(0o755)
    with pytest.raises(BandError, match=said):
        emulate.start("host", image)
    image.chmod(0o644)
    with pytest.raises(ToolError, match="cannot be run"):
        emulate.start("host", image)


def test_without_qemu_the_package_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "image.elf").write_bytes(b"")
    with pytest.raises(ToolError, match="sudo apt install qemu-system-arm"):
        emulate.start("mps2_an386", tmp_path / "image.elf")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("board", ["host", "mps2_an386"])
def test_an_image_cut_short_is_named_before_it_runs(
    run: Path, qemu_run: Path, tmp_path: Path, board: str, share: float
) -> None:
    whole = emulate.image_of(run, board).read_bytes()
    image = tmp_path / "image"
    image.write_bytes(whole[: int(share * len(whole))])
    image.chmod(0o755)
    with pytest.raises(ToolError, match=rf"{image}.*(build the firmware|builds it) again"):
        emulate.start(board, image)


def test_an_image_that_never_answers_is_named_with_the_remedy(
    qemu_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulate, "START_SECONDS", 0.0)
    whole = emulate.image_of(qemu_run, "mps2_an386").read_bytes()
    image = tmp_path / "image.elf"
    image.write_bytes(whole.replace(emulate.CONSOLE_WORD, b"another ", 1))  # of the firmware's own
    image.write_bytes(image.read_bytes() + emulate.CONSOLE_WORD)
    with pytest.raises(BandError, match=rf"{image} does not answer in QEMU: .*builds it again"):
        emulate.start("mps2_an386", image)


def test_two_tools_on_one_pseudo_terminal(run: Path) -> None:
    busy = pytest.raises(LinkError, match="busy")
    with emulate.start("host", emulate.image_of(run, "host")) as band, connect(band.url), busy:
        connect(band.url)
