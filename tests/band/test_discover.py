"""Which ports are candidates, and when one is taken without being named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinyhar.band import discover, running
from tinyhar.band.running import Running
from tinyhar.errors import BandError


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch, tmp_path) -> list[SimpleNamespace]:
    monkeypatch.setattr(running, "folder", lambda: tmp_path / "bands")
    ports: list[SimpleNamespace] = []
    monkeypatch.setattr(discover.list_ports, "comports", lambda: ports)
    return ports


def port(device: str, vid: int | None = 0x2341) -> SimpleNamespace:
    return SimpleNamespace(device=device, description="Nano 33", manufacturer="Arduino", vid=vid)


def test_usb_ports_are_candidates_bare_ones_are_not(nothing_there: list) -> None:
    nothing_there += [port("/dev/ttyS0", None), port("/dev/ttyACM1"), port("/dev/ttyACM0")]
    found = discover.candidates()
    assert [c.url for c in found] == ["/dev/ttyACM0", "/dev/ttyACM1"]
    assert found[0].what == "Nano 33, Arduino"


def test_the_only_candidate_is_taken(nothing_there: list) -> None:
    nothing_there.append(port("/dev/ttyACM0"))
    assert discover.choose(None) == "/dev/ttyACM0"
    assert discover.choose("loop://") == "loop://"


def test_none_says_how_to_get_one() -> None:
    with pytest.raises(BandError, match="tinyhar band start"):
        discover.choose(None)


def test_several_are_listed(nothing_there: list) -> None:
    nothing_there += [port("/dev/ttyACM0"), port("/dev/ttyACM1")]
    with pytest.raises(BandError, match=r"ttyACM0 \(Nano 33, Arduino\), /dev/ttyACM1"):
        discover.choose(None)


def test_a_running_band_is_a_candidate_until_it_is_forgotten() -> None:
    command = Path(f"/proc/{os.getpid()}/cmdline").read_bytes().split(b"\0")
    running.remember(Running(os.getpid(), "/dev/pts/9", "host", os.fsdecode(command[0])))
    assert discover.candidates() == [discover.Candidate("/dev/pts/9", "emulated host")]
    running.forget(os.getpid())
    assert discover.candidates() == []


def test_a_dead_bands_note_is_removed() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    running.remember(Running(process.pid, "/dev/pts/9", "host", sys.executable))
    assert running.running() == []
    assert list(running.folder().glob("*")) == []


def test_another_program_with_the_number_of_a_dead_band_is_not_one() -> None:
    running.remember(Running(os.getpid(), "/dev/pts/9", "host", "/no/such/tinyhar-band"))
    assert running.running() == []


def test_a_damaged_note_is_no_candidate() -> None:
    running.folder().mkdir(parents=True)
    (running.folder() / "1.json").write_text('{"pid": 1')
    assert running.running() == []
