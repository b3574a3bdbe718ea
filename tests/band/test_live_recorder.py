"""Recordings in the csv format: read back as the very same counts, whole whatever happens."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.band.live_parts import Wired
from tests.band.simulated import SimulatedBand
from tinyhar.band.client import Client
from tinyhar.band.recorder import Recorder, check_name, columns_of, write_whole
from tinyhar.band.sensing import Sensing, sensing_of
from tinyhar.band.session import Joined, Moved
from tinyhar.cli.serial_live_record import Recording
from tinyhar.counts import to_counts
from tinyhar.errors import DataError
from tinyhar.recordings import csv
from tinyhar.recordings.source import Folder


@pytest.fixture
def sensing() -> Sensing:
    return sensing_of(Client(SimulatedBand()))


def worn(seconds: float = 4.0) -> np.ndarray:
    """Counts that look like a worn sensor's, int16 [time, 3]."""
    random = np.random.default_rng(1)
    moved = random.integers(-3000, 3000, (round(50 * seconds), 3))
    return (moved + np.array([0, 0, 4096])).astype(np.int16)


def test_the_same_counts_come_back(tmp_path: Path, sensing: Sensing) -> None:
    counts = worn()
    with Recorder(tmp_path / "a.csv", sensing, "anna", ["a note"]) as recorder:
        recorder.add(counts[:50], "drinking")
        recorder.add(counts[50:], "")
        assert recorder.seconds == 4.0
    (recording,) = csv.read(Folder(tmp_path, "*.csv"))
    assert (recording.subject, recording.rate) == ("anna", 50.0)
    assert recording.positions == ("wrist",)
    assert np.array_equal(to_counts(recording.signal, sensing.lsb), counts)
    assert recording.activities == ("drinking",)
    assert (recording.labels == 0).sum() == 50


def test_one_sample_is_no_recording_and_goes(tmp_path: Path, sensing: Sensing) -> None:
    with Recorder(tmp_path / "a.csv", sensing, "anna") as recorder:
        recorder.add(worn()[:1])
    assert not (tmp_path / "a.csv").exists()


def test_no_file_is_overwritten(tmp_path: Path, sensing: Sensing) -> None:
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(DataError, match=r"a\.csv"):
        Recorder(tmp_path / "a.csv", sensing, "anna")
    assert (tmp_path / "a.csv").read_text() == "mine"


class FullDisk:
    """Takes a few more bytes, then no more."""

    def __init__(self, out: Any, room: int) -> None:
        self.out, self.room = out, room

    def write(self, data: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(self.room, len(data))
        self.room -= taken
        return int(self.out.write(data[:taken]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.out, name)


def test_a_full_disk_is_told_and_whole_lines_stay(tmp_path: Path, sensing: Sensing) -> None:
    recorder = Recorder(tmp_path / "a.csv", sensing, "anna")
    recorder.add(worn()[:100])
    recorder._out = FullDisk(recorder._out, 1000)  # type: ignore[assignment]
    with pytest.raises(DataError, match=r"a\.csv: the disk is full"):
        recorder.add(worn()[100:])
    recorder.close()
    (recording,) = csv.read(Folder(tmp_path, "*.csv"))
    assert len(recording) == 100


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "index.json"
    write_whole(file, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tinyhar.band.recorder.os.fsync", full)
    with pytest.raises(DataError, match="the disk is full; make room"):
        write_whole(file, "new")
    assert file.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["index.json"]


def test_a_band_that_the_format_cannot_hold_is_told(sensing: Sensing) -> None:
    for channels in (("wrist_acc_x", "wrist_acc_y"), ("a_acc_x", "a_acc_y", "b_acc_z")):
        with pytest.raises(DataError, match="csv format holds"):
            columns_of(replace(sensing, channels=channels))


@pytest.mark.parametrize("name", ["", "  ", "a,b", 'say "x"', "a\nb/c", "#x"])
def test_a_name_that_a_file_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="class name"):
        check_name(name)


def test_a_lost_line_begins_a_new_file(tmp_path: Path) -> None:
    wired = Wired()
    events = wired.session.events()
    joined = next(events)
    assert isinstance(joined, Joined)
    recording = Recording(tmp_path, "me")
    assert "recording into" in recording.switch(joined.sensing)
    for _ in range(10):
        moved = next(events)
        assert isinstance(moved, Moved)
        recording.add(moved, joined.sensing, "walk")
    wired.band.cut_after = wired.band.frames_in
    next(events)
    recording.cut()
    wired.bands.append(SimulatedBand())
    next(events)
    for _ in range(10):
        moved = next(events)
        assert isinstance(moved, Moved)
        recording.add(moved, joined.sensing, "")
    assert "0.8 s" in recording.end()
    assert recording.seconds is None
    assert len(list(tmp_path.glob("*.csv"))) == 2


def test_a_recording_that_cannot_be_written_ends_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wired = Wired()
    joined, moved = wired.take(2)
    assert isinstance(joined, Joined)
    assert isinstance(moved, Moved)
    recording = Recording(tmp_path / "file" / "below", "me")
    recording.switch(joined.sensing)
    with pytest.raises(DataError, match="cannot be written"):
        recording.add(moved, joined.sensing, "")
    assert recording.seconds is None
