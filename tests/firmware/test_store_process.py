"""The band as a process with a flash file: cut at every operation, and what goes wrong at start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.firmware.deploy_bundles import plan_of, variant
from tests.firmware.flash_sim import request_of
from tests.firmware.stub_model import crashing_counts
from tests.firmware.wire import Client, frame
from tinyhar.band import deploy_messages as dm
from tinyhar.band.deploy_file import BundleFile, of_bytes
from tinyhar.band.deploy_plan import Plan
from tinyhar.convert.bundle import pack

SHAPE = "8192,512,4"
POWER_CUT = 75
OLD, NEW = variant(0), variant(1)


@contextmanager
def band(sanitized: Path, folder: Path, *options: str) -> Iterator[tuple[Client, subprocess.Popen]]:
    (folder / "old.thb").write_bytes(OLD.data)
    command = [
        *(str(sanitized / "tinyhar-band"), "--tcp", "0", "--bundle", str(folder / "old.thb")),
        *("--flash", str(folder / "flash"), "--flash-shape", SHAPE, *options),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        client = Client(int(line.rsplit(":", 1)[1]), pid=process.pid)
        yield client, process
        client.close()
    finally:
        process.terminate()
        process.wait(10)


def runs(client: Client) -> bytes:
    assert client.ask(6)[:3] == bytes([6, 0, 255])
    return client.ask(1, b"\1")[-37:-5]


def deploy(client: Client, plan: Plan) -> None:
    client.ask(0x22, NEW.begin().encode())
    for piece in plan.pieces:
        for part in piece.cut(0, 256):
            request = request_of(NEW, part.offset, part.size, part.source)
            client.ask(request.TYPE, request.encode())
    client.ask(0x25)


def cut_deployment(sanitized: Path, folder: Path, plan: Plan, options: list[str]) -> bool:
    """Whether the power was cut before the band had answered all, and booted once more."""
    with band(sanitized, folder, *options) as (client, process):
        try:
            deploy(client, plan)
            client.ask(9)
            client.close()
            client.connect()
            assert runs(client) == NEW.bundle_id
        except (ConnectionError, OSError, IndexError):
            assert process.wait(10) == POWER_CUT
            return True
    return False


@pytest.mark.parametrize("torn", [False, True], ids=["clean", "torn"])
@pytest.mark.parametrize("whole", [True, False], ids=["full", "partial"])
def test_a_process_that_is_cut_anywhere_boots_the_old_or_the_new_model(
    sanitized: Path, tmp_path: Path, whole: bool, torn: bool
) -> None:
    plan = plan_of(NEW, None if whole else OLD)
    cut = 0
    booted = []
    while True:
        (tmp_path / "flash").unlink(missing_ok=True)
        options = ["--cut-after", str(cut), *(["--torn"] if torn else [])]
        if not cut_deployment(sanitized, tmp_path, plan, options):
            break
        with band(sanitized, tmp_path) as (client, _):
            booted.append(runs(client))
        assert booted[-1] in (OLD.bundle_id, NEW.bundle_id), cut
        cut += 1
    assert cut >= 8
    assert booted == sorted(booted, key=lambda one: one == NEW.bundle_id)


def test_a_model_that_crashes_in_its_trial_is_a_restart_with_the_old_one(
    sanitized: Path, tmp_path: Path
) -> None:
    golden = OLD.bundle.golden_counts.copy()
    golden[3] = crashing_counts(by_stack=False)
    file = of_bytes(pack(replace(OLD.bundle, golden_counts=golden)))
    with band(sanitized, tmp_path) as (client, _):
        client.ask(0x22, file.begin().encode())
        client.ask(0x23, dm.Chunk(0, file.data).encode())
        client.events.clear()
        client.send(frame(0x25, client.seq + 1))
        kind, _, body = client.event()
        assert (kind, body[8]) == (0x40, 3)
        client.seq = 0
        assert runs(client) == OLD.bundle_id


def test_what_is_deployed_outlives_the_process_only_in_a_file(
    sanitized: Path, tmp_path: Path
) -> None:
    with band(sanitized, tmp_path) as (client, _):
        deploy(client, plan_of(NEW, None))
    with band(sanitized, tmp_path) as (client, _):
        assert runs(client) == NEW.bundle_id


def nameless(sanitized: Path, folder: Path) -> subprocess.Popen:
    (folder / "old.thb").write_bytes(OLD.data)
    command = [str(sanitized / "tinyhar-band"), "--tcp", "0", "--bundle", str(folder / "old.thb")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_without_a_file_it_outlives_a_restart_and_not_the_process(
    sanitized: Path, tmp_path: Path
) -> None:
    for before in (OLD, OLD):
        process = nameless(sanitized, tmp_path)
        assert process.stdout is not None
        client = Client(int(process.stdout.readline().rsplit(":", 1)[1]))
        assert runs(client) == before.bundle_id
        deploy(client, plan_of(NEW, None))
        client.ask(9)
        assert runs(client) == NEW.bundle_id
        client.close()
        process.terminate()
        assert process.wait(10) == 0


def said_at_start(sanitized: Path, *options: str, disk: int | None = None) -> str:
    """What a band that does not start says; disk: bytes that a file may have."""
    limit = "" if disk is None else f"ulimit -f {disk // 1024}; trap '' XFSZ; "
    program = str(sanitized / "tinyhar-band")
    done = subprocess.run(
        ["bash", "-c", limit + 'exec "$@"', "bash", program, "--tcp", "0", *options],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_flash_file_that_cannot_be_is_one_line(sanitized: Path, tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"\xff" * 100)
    short = said_at_start(sanitized, "--flash", str(tmp_path / "short"))
    assert f"not a flash of that shape (delete the file for a new one): {tmp_path}/short" in short
    nowhere = said_at_start(sanitized, "--flash", str(tmp_path / "none" / "flash"))
    assert f"No such file or directory {tmp_path}/none/flash" in nowhere
    shape = said_at_start(sanitized, "--flash-shape", "8192,512")
    assert "--flash-shape is SIZE,PAGE,UNIT, not 8192,512" in shape


def test_a_full_disk_is_said_at_the_start_and_leaves_no_half_file(
    sanitized: Path, tmp_path: Path
) -> None:
    file = tmp_path / "flash"
    said = said_at_start(sanitized, "--flash", str(file), disk=65536)
    assert f"File too large {file}" in said
    assert file.stat().st_size == 0


def test_flash_that_fails_is_a_refusal_and_the_old_model_runs_on(
    sanitized: Path, tmp_path: Path
) -> None:
    """A disk that fails under a running band: its file cannot be written any more."""
    with band(sanitized, tmp_path) as (client, _):
        pass
    new: BundleFile = NEW
    command = (
        f"ulimit -f 0; trap '' XFSZ; exec {sanitized}/tinyhar-band --tcp 0 --bundle "
        f"{tmp_path}/old.thb --flash {tmp_path}/flash --flash-shape {SHAPE}"
    )
    process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    client = Client(int(process.stdout.readline().rsplit(":", 1)[1]))
    code, request, text = client.refused(0x22, new.begin().encode())
    assert (code, request) == (15, dm.Begin.TYPE)
    assert "writing it failed" in text
    assert runs(client) == OLD.bundle_id
    client.close()
    process.terminate()
    process.wait(10)
