"""The diagnosis stops at the first thing that is wrong, and says what to do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.band.simulated import Faults, SimulatedBand
from tinyhar.band import discover, running
from tinyhar.band.codes import ResetReason
from tinyhar.band.doctor import STEPS, Step, diagnose


def ask(band: SimulatedBand, bundle_id: bytes | None = None) -> list[Step]:
    return list(diagnose("sim://", bundle_id=bundle_id, open_link=lambda url, baud: band))


def test_all_is_well() -> None:
    steps = ask(SimulatedBand(), bytes(range(32)))
    assert all(step.good for step in steps)
    assert [step.name for step in steps] == list(STEPS[3:])


def test_a_port_that_is_not_there() -> None:
    (step,) = diagnose("/dev/no-such-port")
    assert (step.name, step.good) == ("port", False)
    assert "discover" in step.remedy


def test_a_port_without_permission(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    *_, last = diagnose(str(tmp_path))
    assert (last.name, last.good) == ("permission", False)
    assert "dialout" in last.remedy


def test_a_port_that_does_not_open(tmp_path: Path) -> None:
    *_, last = diagnose(str(tmp_path))
    assert (last.name, last.good) == ("opens", False)


def last_of(band: SimulatedBand, **options: bytes) -> Step:
    *_, last = ask(band, **options)
    assert not last.good
    assert last.remedy
    return last


def test_silence() -> None:
    band = SimulatedBand()
    band.deaf = True
    assert last_of(band).name == "answers"


def test_another_protocol() -> None:
    band = SimulatedBand()
    band.protocol = 7
    assert last_of(band).name == "protocol"


def test_another_model() -> None:
    assert last_of(SimulatedBand(), bundle_id=bytes(32)).name == "model"


def test_no_model() -> None:
    band = SimulatedBand()
    band.has_model = False
    last = last_of(band)
    assert last.name == "model"
    assert "no model" in last.seen


def test_a_bad_line() -> None:
    band = SimulatedBand(to_desk=Faults(flip=0.35))
    last = [step for step in ask(band) if not step.good][-1]
    assert last.name in ("line", "answers")


def test_a_failed_golden_window() -> None:
    band = SimulatedBand()
    band.goldens_failed = 1
    last = last_of(band)
    assert last.name == "golden"
    assert "3 of 4" in last.seen


def test_a_crash_is_remembered() -> None:
    band = SimulatedBand()
    band.restart(ResetReason.FAULT)
    answers = next(step for step in ask(band) if step.name == "answers")
    assert "fault" in answers.seen
    assert answers.remedy


def test_a_band_that_dies_in_the_middle() -> None:
    band = SimulatedBand()
    band.restart_after = 20
    last = last_of(band)
    assert "restarted" in last.seen


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[SimpleNamespace]:
    """What the system lists; no emulated band runs."""
    monkeypatch.setattr(running, "folder", lambda: tmp_path)
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(discover.list_ports, "comports", lambda: found)
    return found


def port(device: str, vid: int | None = 0x2341) -> SimpleNamespace:
    return SimpleNamespace(device=device, description="Nano 33", manufacturer="Arduino", vid=vid)


def test_with_no_band_at_all_it_tells_what_it_looked_at_and_what_to_do(ports: list) -> None:
    ports.append(port("/dev/ttyS0", None))
    (step,) = diagnose()
    assert (step.name, step.good) == ("search", False)
    assert "no emulated band runs" in step.seen
    assert "no USB serial port" in step.seen
    assert "/dev/ttyS0" in step.seen
    assert "tinyhar band start" in step.remedy


def test_several_candidates_must_be_told_apart(ports: list) -> None:
    ports += [port("/dev/ttyACM0"), port("/dev/ttyACM1")]
    (step,) = diagnose()
    assert not step.good
    assert "/dev/ttyACM0 (Nano 33, Arduino), /dev/ttyACM1" in step.seen
    assert "--port" in step.remedy


def test_the_only_candidate_is_examined(ports: list) -> None:
    ports.append(port("/dev/no-such-port"))
    first, second = diagnose()
    assert (first.name, first.good) == ("search", True)
    assert (second.name, second.good) == ("port", False)


@pytest.mark.parametrize("baud", [None, 9600])
def test_a_speed_is_told_only_of_lines_that_have_one(baud: int | None) -> None:
    band = SimulatedBand()
    band.baud = baud
    opens = next(step for step in ask(band) if step.name == "opens")
    assert ("baud" in opens.seen) == (baud is not None)
    band.deaf = True
    *_, last = ask(band)
    assert ("--baud" in last.remedy) == (baud is not None)
    assert ("tinyhar band start" in last.remedy) == (baud is None)
