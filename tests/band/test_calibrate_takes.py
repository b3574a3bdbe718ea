"""The folder of a calibration: kept and rejected takes, gone on with, refused when it differs."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.band.simulated import SimulatedBand
from tests.band.test_quality import take
from tinyhar.band.client import Client
from tinyhar.band.quality import Finding
from tinyhar.band.sensing import Sensing, sensing_of
from tinyhar.band.takes import INDEX, open_takes
from tinyhar.errors import DataError
from tinyhar.recordings import load


@pytest.fixture
def sensing() -> Sensing:
    return sensing_of(Client(SimulatedBand()))


def test_takes_are_kept_and_gone_on_with(tmp_path: Path, sensing: Sensing) -> None:
    takes = open_takes(tmp_path / "anna", sensing, "anna")
    takes.add("drinking", take(3), [], kept=True, heard={"walk": 3})
    takes.add("drinking", take(0), [Finding("still", "it lay there")], kept=False)
    takes.add("brush teeth", take(5), [], kept=True)
    again = open_takes(tmp_path / "anna", sensing, None)
    assert again.subject == "anna"
    assert again.entries == takes.entries
    assert again.classes == ("drinking", "brush teeth")
    assert again.seconds("drinking") == 10.0
    assert again.next_take("drinking") == 3
    assert np.allclose(again.signals()[0].signal, take(3) * sensing.lsb, atol=1e-6)


def test_the_data_sets_reader_takes_the_kept_ones_only(tmp_path: Path, sensing: Sensing) -> None:
    takes = open_takes(tmp_path, sensing, "anna")
    takes.add("drinking", take(3), [], kept=True)
    takes.add("drinking", take(0), [Finding("still", "it lay there")], kept=False)
    (recording,) = load("csv", tmp_path, cache=False)
    assert recording.activities == ("drinking",)
    assert recording.subject == "anna"
    rejected = (tmp_path / "rejected" / "anna_drinking_2.csv").read_text()
    assert "# note: rejected\n# note: found: it lay there\n" in rejected


def test_the_index_says_what_the_counts_were(tmp_path: Path, sensing: Sensing) -> None:
    open_takes(tmp_path, sensing, "anna")
    index = json.loads((tmp_path / INDEX).read_text())
    assert index["full_scale"] == "acc ±8 g"
    assert index["full_scale_assumed"] is True
    assert (index["rate_hz"], index["window"]) == (50.0, 16)
    assert index["channels"] == list(sensing.channels)


def test_another_band_is_refused(tmp_path: Path, sensing: Sensing) -> None:
    open_takes(tmp_path, sensing, "anna")
    slow = replace(sensing, identity=replace(sensing.identity, rate_mhz=25_000))
    with pytest.raises(DataError, match=r"another rate \(50 Hz\) than the band's \(25 Hz\)"):
        open_takes(tmp_path, slow, "anna")
    with pytest.raises(DataError, match=r"another full scale \(acc ±8 g\) .* \(acc ±16 g\)"):
        open_takes(tmp_path, replace(sensing, lsb=sensing.lsb * 2), "anna")
    moved = tuple(name.replace("wrist", "ankle") for name in sensing.channels)
    with pytest.raises(DataError, match="another channels"):
        open_takes(tmp_path, replace(sensing, channels=moved), "anna")
    with pytest.raises(DataError, match="recordings of anna, not of otto"):
        open_takes(tmp_path, sensing, "otto")


def test_other_peoples_folders_are_left_alone(tmp_path: Path, sensing: Sensing) -> None:
    (tmp_path / "old.csv").write_text("mine")
    with pytest.raises(DataError, match=r"holds recordings but no calibration\.json"):
        open_takes(tmp_path, sensing, None)
    assert [p.name for p in tmp_path.iterdir()] == ["old.csv"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2}', "\0"])
def test_a_damaged_index_is_one_line(tmp_path: Path, sensing: Sensing, text: str) -> None:
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(DataError, match=r"calibration\.json"):
        open_takes(tmp_path, sensing, None)


def test_a_missing_take_is_named(tmp_path: Path, sensing: Sensing) -> None:
    takes = open_takes(tmp_path, sensing, "anna")
    takes.add("drinking", take(3), [], kept=True)
    (tmp_path / "anna_drinking_1.csv").unlink()
    with pytest.raises(DataError, match=r"anna_drinking_1\.csv: cannot be read"):
        takes.signals()


def test_a_full_disk_loses_nothing_and_notes_nothing(
    tmp_path: Path, sensing: Sensing, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = open_takes(tmp_path, sensing, "anna")
    takes.add("drinking", take(3), [], kept=True)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    calls = 0

    def full(_: int) -> None:
        nonlocal calls
        calls += 1
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tinyhar.band.recorder.os.fsync", full)
    with pytest.raises(DataError, match="disk is full"):
        takes.add("writing", take(5), [], kept=True)
    assert calls == 1
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    monkeypatch.undo()
    assert takes.add("writing", take(5), [], kept=True).take == 1
    assert len(open_takes(tmp_path, sensing, None).entries) == 2
