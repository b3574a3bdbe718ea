"""``live``, ``monitor`` and ``calibrate`` as a user runs them, on the host's band."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.band.test_live_session import band_at
from tests.band.test_tool import TOOL, tool
from tinyhar.band import emulate
from tinyhar.band.emulate import Emulated
from tinyhar.band.link import SerialLink
from tinyhar.recordings import load

PATIENCE = 60.0
"""Seconds for what takes two on an idle machine."""


@pytest.fixture(scope="module")
def band(run: Path) -> Iterator[Emulated]:
    with emulate.start("host", emulate.image_of(run, "host")) as band:
        yield band


@pytest.fixture(autouse=True)
def no_other_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)


# -- monitor ---------------------------------------------------------------------------------


def test_monitor_prints_a_line_a_prediction(band: Emulated) -> None:
    status, out, err = tool("monitor", "--seconds", 30, "--speed", "full")
    assert status == 0
    lines = [line.split("\t") for line in out.splitlines()]
    assert len(lines) >= 20
    assert {len(line) for line in lines} == {6}
    assert float(lines[0][0]) == 2.56
    assert float(lines[1][0]) == 3.84
    assert "host, wears" in err


def test_monitor_for_machines(band: Emulated, run: Path) -> None:
    status, out, _ = tool("monitor", "--run", run, "--seconds", 12, "--speed", "full", "--json")
    assert status == 0
    first = json.loads(out.splitlines()[0])
    assert first["class"] in ("walking", "upstairs", "downstairs", "sitting", "standing", "lying")
    assert sum(first["shares"]) == pytest.approx(1, abs=1e-3)
    assert first["latency_ms"] > 0


def test_monitor_knows_synthetic_movement_and_persons(band: Emulated, run: Path) -> None:
    assert "synthetic" in tool("monitor", "--synthetic", "--seconds", 3, "--speed", "full")[2]
    assert "person s1" in tool("monitor", "--person", "s1", "--seconds", 3, "--speed", "full")[2]
    status, _, err = tool("monitor", "--person", "otto")
    assert (status, "no person 'otto'" in err) == (2, True)


def test_monitor_ends_cleanly_when_its_reader_does(band: Emulated) -> None:
    command = [*TOOL, "monitor", "--port", band.url, "--speed", "full"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().count(b"\t") == 5
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert b"Traceback" not in process.stderr.read()


def test_monitor_ends_on_ctrl_c(band: Emulated) -> None:
    command = [*TOOL, "monitor", "--port", band.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert b"Traceback" not in process.stderr.read()


def test_monitor_goes_on_when_a_killed_band_is_started_again(run: Path) -> None:
    image = emulate.image_of(run, "host")
    with band_at(image, 0) as (_, port):
        command = [*TOOL, "monitor", "--port", f"socket://127.0.0.1:{port}", "--run", str(run)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
    with process, band_at(image, port):
        notes = [process.stderr.readline() for _ in range(3)]
        assert process.stdout.readline().count(b"\t") == 5
        process.kill()
    assert b"lost: " in notes[1]
    assert b"back after " in notes[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--synthetic", "--run", "x"], "name one source"),
        (["--person", "s1", "--synthetic"], "--person: one of a run's"),
        (["--speed", "fast"], "it is real or full"),
        (["--csv", "/nowhere.csv"], "no such .csv file"),
        (["--acc-range", "16"], "leave out the ranges"),
    ],
)
def test_contradictions_are_one_line(band: Emulated, arguments: list[str], told: str) -> None:
    status, out, err = tool("monitor", *arguments)
    assert (status, out) == (2, "")
    assert told in err
    assert err.strip().count("\n") == 0


def test_two_tools_on_one_port(band: Emulated) -> None:
    with SerialLink(band.url):
        for command in (["monitor"], ["calibrate", "--out", "x", "--classes", "a,b"]):
            status, _, err = tool(*command, "--port", band.url)
            assert status == 2
            assert "is busy: another program holds it" in err


def test_live_wants_a_terminal(band: Emulated) -> None:
    status, _, err = tool("live", "--port", band.url)
    assert status == 2
    assert "`monitor` prints plain lines" in err


# -- live in a real terminal -----------------------------------------------------------------


class TerminalWindow:
    """A program in a pseudo-terminal of 80 x 24."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, {**os.environ, "TERM": "xterm-256color", **environment})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = b""

    def read_until(self, pattern: bytes) -> None:
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, f"no {pattern!r} in {self.seen[-2000:]!r}"
            ready, _, _ = select.select([self.fd], [], [], 0.2)
            if ready:
                self.seen += os.read(self.fd, 65536)

    def read_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 65536)

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def wait(self) -> int:
        """The exit status; its CPU seconds are in ``cpu``."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                with suppress(OSError):
                    self.seen += os.read(self.fd, 65536)
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.cpu = usage.ru_utime + usage.ru_stime
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it never ended")


def test_live_in_a_real_terminal(band: Emulated, tmp_path: Path) -> None:
    arguments = ["live", "--port", band.url, "--out", str(tmp_path)]
    window = TerminalWindow(*TOOL, *arguments)
    window.read_until(rb"the band says")
    window.read_until(rb"windows/s|walking|upstairs|downstairs|sitting|standing|lying")
    window.type(b"1r")
    window.read_until(rb"REC")
    window.read_for(1.5)
    window.type(b"q")
    assert window.wait() == 0
    assert b"\x1b[?1049l" in window.seen, "the terminal was not given back"
    (file,) = tmp_path.glob("me_*.csv")
    assert file.read_text().count(",walking\n") > 20
    (recording,) = load("csv", tmp_path, cache=False)
    assert recording.activities == ("walking",)


def test_live_writes_no_colour_where_none_is_wanted(band: Emulated) -> None:
    window = TerminalWindow(*TOOL, "live", "--port", band.url, NO_COLOR="1")
    window.read_until(rb"the band says")
    window.read_until("● live".encode())
    window.type(b"\x03")
    assert window.wait() in (0, 130)
    coloured = re.findall(rb"\x1b\[[0-9;]*[34]8[;:][0-9;:]*m", window.seen)
    assert not coloured


# -- calibrate -------------------------------------------------------------------------------


def test_calibrate_by_itself(band: Emulated, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    arguments = ["--out", out, "--synthetic", "--act", "--speed", "full", "--json"]
    status, printed, _ = tool("calibrate", *arguments, "--classes", "walk,stir")
    assert status == 0
    assert [take["label"] for take in json.loads(printed)["takes"]] == ["walk", "stir"]
    status, printed, err = tool("calibrate", *arguments, "--classes", "walk,stir,brush_teeth")
    assert status == 0
    assert len(json.loads(printed)["takes"]) == 3
    assert "goes on: walk 10 s, stir 10 s" in err
    recordings = load("csv", out, cache=False)
    assert recordings[0].activities == ("brush_teeth", "stir", "walk")
    assert {r.positions for r in recordings} == {("waist",)}


def test_calibrate_asks_at_a_terminal_and_can_be_left(band: Emulated, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    common = ["calibrate", "--port", band.url, "--out", str(out), "--synthetic"]
    window = TerminalWindow(*TOOL, *common, "--seconds", "4", "--countdown", "1")
    window.read_until(rb"classes to record")
    window.type(b"walk, walk\n")
    window.read_until(rb"named twice")
    window.type(b"walk, stir\n")
    window.read_until(rb"walk: which movement to play")
    window.type(b"\n")
    window.read_until(rb"kept: 4 s in me_walk_1.csv")
    window.read_until(rb"stir: which movement to play")
    window.type(b"\x03")
    assert window.wait() == 130
    assert b"1 take kept in" in window.seen
    status, _, err = tool(*common[:1], *common[3:], "--act", "--speed", "full",
                          "--classes", "walk,stir", "--json")  # fmt: skip
    assert status == 0, err
    assert sorted(p.name for p in out.glob("*.csv")) == ["me_stir_1.csv", "me_walk_1.csv"]


def test_calibrate_goes_on_when_a_killed_band_is_started_again(run: Path, tmp_path: Path) -> None:
    image = emulate.image_of(run, "host")
    arguments = ["--synthetic", "--act", "--classes", "walk,stir", "--seconds", "4"]
    with band_at(image, 0) as (_, port):
        command = [*TOOL, "calibrate", "--out", str(tmp_path), *arguments]
        command += ["--port", f"socket://127.0.0.1:{port}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1.5)
    with process, band_at(image, port):
        said = process.stdout.read()
        assert process.wait(PATIENCE) == 0, said
    assert "lost: " in said
    assert "the band is back" in said
    assert sorted(p.name[:7] for p in tmp_path.glob("*.csv")) == ["me_stir", "me_walk"]
    for broken in (tmp_path / "rejected").glob("*.csv"):
        assert "the line broke after" in broken.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--classes", "walk"], "one class only (walk)"),
        (["--classes", "walk,WALK"], "is named twice"),
        (["--classes", "walk,stir", "--seconds", "1"], "--seconds 1: too few"),
        (["--classes", "walk,a/b"], "has / in it"),
        (["--classes", "walk,swim", "--synthetic", "--act"], "no movement of 'swim'"),
        ([], "--classes: name the classes"),
    ],
)
def test_calibrations_that_lead_nowhere_are_one_line(
    band: Emulated, tmp_path: Path, arguments: list[str], told: str
) -> None:
    status, _, err = tool("calibrate", "--out", tmp_path / "x", *arguments)
    assert status == 2
    assert told in err
    assert "Traceback" not in err
    assert not list((tmp_path / "x").glob("*.csv"))
