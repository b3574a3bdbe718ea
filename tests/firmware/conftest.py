"""The firmware's host build under sanitizers, made once and kept; and a band that it runs."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.probe import Probe
from tests.firmware.stub_model import stub_bundle
from tests.firmware.wire import Client
from tinyhar.convert.bundle import Bundle, pack

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


@pytest.fixture(scope="session")
def sanitized() -> Path:
    """Build folder of preset host-sanitize: band with a stub engine, unit tests, probe."""
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("no cmake or no C compiler: sudo apt install cmake gcc")
    build = FIRMWARE / "build" / "host-sanitize"
    build.mkdir(parents=True, exist_ok=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    with (build.parent / "host-sanitize.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["cmake", "--preset", "host-sanitize", *generator],
            ["cmake", "--build", str(build)],
        ):
            done = subprocess.run(
                command, cwd=FIRMWARE, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return build


@pytest.fixture(scope="session")
def probe(sanitized: Path) -> Iterator[Probe]:
    """The core's pure functions, one process for all tests."""
    with Probe(sanitized / "tests" / "thar-probe") as started:
        yield started


Start = Callable[..., Client]


@pytest.fixture
def start(sanitized: Path, tmp_path: Path) -> Iterator[Start]:
    """start(bundle) runs a band with that bundle (bytes, a Bundle, or None) and connects to it."""
    running: list[tuple[subprocess.Popen[str], Client]] = []

    def run(bundle: Bundle | bytes | None = None) -> Client:
        command = [str(sanitized / "tinyhar-band"), "--tcp", "0"]
        if bundle is not None:
            file = tmp_path / "model.thb"
            file.write_bytes(pack(bundle) if isinstance(bundle, Bundle) else bundle)
            command += ["--bundle", str(file)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening socket://127.0.0.1:"), line
        client = Client(int(line.rsplit(":", 1)[1]), pid=process.pid)
        running.append((process, client))
        return client

    yield run
    for process, client in running:
        client.close()
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=10)
        assert process.returncode == 0, complaints
        assert all(line.startswith("tinyhar-band: no model: ") for line in complaints.splitlines())


@pytest.fixture
def band(start: Start) -> Client:
    """A client of a band that carries the stub bundle."""
    return start(stub_bundle())
