"""The diagnosis stops at the first thing that is wrong, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.band.simulated import Faults, SimulatedBand
from tinyhar.band.codes import ResetReason
from tinyhar.band.doctor import STEPS, Step, diagnose


def ask(band: SimulatedBand, bundle_id: bytes | None = None) -> list[Step]:
    return list(diagnose("sim://", bundle_id=bundle_id, open_link=lambda url, baud: band))


def test_all_is_well() -> None:
    steps = ask(SimulatedBand(), bytes(range(32)))
    assert all(step.good for step in steps)
    assert [step.name for step in steps] == list(STEPS[2:])


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
