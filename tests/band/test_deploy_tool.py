"""``band.py deploy``, ``rollback`` and ``info`` as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.band.deploy_cases import bundle_of, other_head, other_network, renamed
from tests.band.test_tool import TOOL, plain, tool
from tests.band.throttled import Line, throttled
from tinyhar.band import emulate
from tinyhar.band.client import connect
from tinyhar.band.deploy import slots
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.emulate import Emulated
from tinyhar.convert.bundle import pack


@pytest.fixture
def band(run: Path, tmp_path: Path) -> Iterator[Emulated]:
    with emulate.start("host", emulate.image_of(run, "host"), flash=tmp_path / "flash") as band:
        yield band


@pytest.fixture
def other(bare_run: Path, reference_models: Path, tmp_path: Path) -> BundleFile:
    file = other_network(bare_run, reference_models)
    (tmp_path / "bundle.thb").write_bytes(file.data)  # as in a run's folder
    return file


def test_a_runs_folder_is_deployed_and_rolled_back(
    band: Emulated, run: Path, tmp_path: Path, other: BundleFile
) -> None:
    status, out, err = tool("deploy", tmp_path, "--port", band.url)
    assert (status, err) == (0, "")
    assert f"full {len(other.data):,} bytes, partial " in out
    assert f"bundle {other.bundle_id.hex()[:12]} runs from slot 0, 4 golden windows right" in out
    assert "bytes/s" in out
    status, out, _ = tool("deploy", tmp_path / "bundle.thb", "--port", band.url)
    assert (status, "nothing to do" in out) == (0, True)
    status, out, _ = tool("rollback", "--port", band.url)
    assert status == 0
    assert "its firmware's own" in out
    assert tool("validate", "--run", run, "--port", band.url, "--limit", 20)[0] == 0
    status, out, _ = tool("rollback", "--port", band.url)
    assert "slot 0" in out


def test_a_partial_deployment_for_machines(band: Emulated, bare_run: Path, tmp_path: Path) -> None:
    (tmp_path / "new.thb").write_bytes(other_head(bare_run).data)
    status, done = plain("deploy", tmp_path / "new.thb", "--port", band.url)
    assert (status, done["how"]) == (0, "partial")
    assert done["sent_bytes"] == done["partial_bytes"] < done["full_bytes"] / 8
    status, info = plain("info", "--port", band.url)
    assert info["bundle_id"] == done["bundle_id"]
    assert info["slot_0"].startswith("ready, bundle ")
    assert ", runs, room for 1" in info["slot_0"]
    assert info["slot_of_firmware"].startswith("built in, bundle ")
    status, done = plain("rollback", "--port", band.url)
    assert (status, done["slot"]) == (0, 2)


def wait_for(line: Line, sent: int) -> None:
    """Until so many bytes are on their way to the band."""
    end = time.monotonic() + 30
    while line.to_band < sent:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_killed_tool_goes_on_where_it_was(run: Path, tmp_path: Path, other: BundleFile) -> None:
    image = emulate.image_of(run, "host")
    with (
        emulate.start("host", image, tcp=True, flash=tmp_path / "flash") as band,
        throttled(band.url, line := Line(rate=30_000)) as url,
    ):
        command = [*TOOL, "deploy", str(tmp_path), "--full", "--port", url]
        first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(line, 9000)
        first.kill()
        first.wait()
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
        assert report["resumed_bytes"] > 1000
        assert report["resumed_bytes"] + report["sent_bytes"] == len(other.data)
        with connect(url) as client:
            assert client.identity.bundle_id == other.bundle_id


def test_an_interrupted_tool_leaves_the_old_model_running(
    run: Path, bare_run: Path, tmp_path: Path, other: BundleFile
) -> None:
    with (
        emulate.start("host", emulate.image_of(run, "host"), tcp=True) as band,
        throttled(band.url, line := Line(rate=20_000)) as url,
    ):
        command = [*TOOL, "deploy", str(tmp_path), "--full", "--port", url]
        first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(line, 9000)
        first.send_signal(signal.SIGINT)
        _, complaint = first.communicate(timeout=10)
        assert first.returncode == 130
        assert "Traceback" not in complaint
        with connect(band.url) as client:
            assert client.names(0)[0] == bundle_of(bare_run).classes[0]
            assert slots(client)[0].received > 0


def test_a_second_tool_on_the_port_is_told_that_it_is_busy(
    band: Emulated, tmp_path: Path, other: BundleFile
) -> None:
    with connect(band.url):
        status, out, err = tool("deploy", tmp_path, "--port", band.url)
    assert (status, out) == (2, "")
    assert err == (f"error: {band.url} is busy: another program holds it; close that one first\n")


def bad_files(whole: bytes) -> list[tuple[str, bytes | None, str]]:
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    return [
        ("flipped.thb", bytes(flipped), "flipped.thb, crc32: the bytes were damaged"),
        ("cut.thb", whole[:-16], "cut.thb, total_bytes: "),
        ("text.thb", b"no bundle at all" * 20, "text.thb, magic: this is not a bundle"),
        ("empty.thb", b"", "empty.thb, length: 0 bytes are no bundle"),
        ("none.thb", None, "none.thb: cannot be read (No such file or directory)"),
    ]


def test_a_bad_file_is_one_line_before_anything_is_sent(
    band: Emulated, bare_run: Path, tmp_path: Path
) -> None:
    for name, data, said in bad_files((bare_run / "bundle.thb").read_bytes()):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        status, out, err = tool("deploy", tmp_path / name, "--port", band.url)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"error: {tmp_path}/{said}" in err
        assert ";" in err, "no remedy"
    (tmp_path / "folder").mkdir()
    assert "folder/bundle.thb: cannot be read" in tool("deploy", tmp_path / "folder")[2]
    with connect(band.url) as client:
        assert [slot.sequence for slot in slots(client)] == [0, 0, 0]


def test_a_bundle_for_another_engine_is_one_line(
    band: Emulated, bare_run: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    file = tmp_path / "tflm.thb"
    file.write_bytes(pack(replace(bundle_of(bare_run), engine="tflm")))
    status, _, err = tool("deploy", file, "--port", band.url)
    assert status == 2
    assert err.startswith(f"error: {file}: is for engine tflm, and the band's firmware has ")
    assert err.count("\n") == 1


def test_no_roll_back_without_anything_to_go_back_to(band: Emulated) -> None:
    status, _, err = tool("rollback", "--port", band.url)
    assert (status, err) == (2, "error: no roll back: no other bundle to go back to\n")


def test_a_band_that_is_started_with_a_flash_file_keeps_what_it_got(
    run: Path, bare_run: Path, tmp_path: Path
) -> None:
    new = renamed(bare_run, "jumping")
    (tmp_path / "new.thb").write_bytes(new.data)
    command = [
        *(sys.executable, "-c", "from tinyhar.cli.main import main; main()"),
        *("band", "start", "--run", str(run), "--tcp"),
        *("--flash", str(tmp_path / "kept")),
    ]
    for _ in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.stdout.readline()
        assert process.stdout.readline() == f"what is deployed to it is kept in {tmp_path}/kept\n"
        how = plain("deploy", tmp_path / "new.thb", "--port", url)[1]["how"]
        process.send_signal(signal.SIGINT)
        process.wait(10)
    assert how == "running already"
