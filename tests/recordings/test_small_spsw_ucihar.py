"""Two readers on small files in the official formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import load, spsw, ucihar
from tinyhar.recordings.recording import STANDARD_GRAVITY
from tinyhar.windows import cut


def spsw_file(root: Path, stamps, labels, device: str = "sw") -> Path:
    path = root / "DATA" / "s03" / f"s03_01_{device}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label"]
    lines += [
        f"{i / 10},0,9.8,0.1,0.2,0.3,{1657534412342 + t},{label}"
        for i, (t, label) in enumerate(zip(stamps, labels, strict=True))
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def delivered(count: int, rate: float, burst: int) -> list[int]:
    """Sensor times (ms) as a phone hands them over: a burst at a time, at its last sample's."""
    return [int(1000 * (min(i // burst * burst + burst, count) - 1) / rate) for i in range(count)]


@pytest.mark.parametrize("burst", [1, 5])
def test_delivery_times_in_bursts_give_back_the_even_clock(burst, tmp_path):
    labels = ["SEATED"] * 400 + ["WALKING"] * 640
    spsw_file(tmp_path, delivered(1040, 104.0, burst), labels)
    (recording,) = load("spsw", tmp_path, cache=False)
    assert recording.subject == "3" and recording.rate == 100
    assert recording.positions == ("wrist",) and recording.notes == ()
    assert recording.duration == pytest.approx(10.0, abs=0.05)
    # The signal rises by 0.1 a sample, so by 0.104 on the 100 Hz grid.
    np.testing.assert_allclose(np.diff(recording.signal[:, 0]), 0.104, atol=2e-3)
    change = int(np.flatnonzero(np.diff(recording.labels))[0]) + 1
    assert abs(change / 100 - 400 / 104) < 0.03


def test_phone_and_watch_are_chosen_by_position(tmp_path):
    for device in ("sp", "sw"):
        spsw_file(tmp_path, range(0, 1000, 10), ["TURNING"] * 100, device)
    assert len(load("spsw", tmp_path, cache=False)) == 2
    (watch,) = load("spsw", tmp_path, cache=False, position="wrist")
    assert watch.source.endswith("_sw.csv")
    with pytest.raises(DataError, match="'ankle'; there is pocket, wrist"):
        load("spsw", tmp_path, cache=False, position="ankle")


def test_lost_samples_make_the_stamps_themselves_the_clock(tmp_path):
    stamps = [10 * i + (2000 if i >= 50 else 0) for i in range(100)]
    spsw_file(tmp_path, stamps, ["SEATED"] * 100)
    (recording,) = load("spsw", tmp_path, cache=False)
    assert recording.duration == pytest.approx(3.0, abs=0.05)
    assert "timestamps leave a straight line" in recording.notes[0]


def test_bad_stamps_and_labels(tmp_path):
    spsw_file(tmp_path, [0, 20, 10], ["SEATED"] * 3)
    with pytest.raises(DataError, match=r"s03_01_sw\.csv: timestamps .* backwards"):
        load("spsw", tmp_path, cache=False)
    spsw_file(tmp_path, [0, 10, 20], ["SEATED", "DANCING", "SEATED"])
    with pytest.raises(DataError, match="unknown label DANCING; there is SEATED"):
        load("spsw", tmp_path, cache=False)
    assert spsw.ACTIVITIES[0] == "SEATED"


KINDS = ("total_acc", "body_gyro", "body_acc")


def ucihar_files(root: Path) -> dict[str, np.ndarray]:
    """Windows as published: two people, a change of activity, one break within an activity."""
    rng = np.random.default_rng(0)
    official = {}
    for side, subject in (("train", 1), ("test", 2)):
        runs = [(5, 64 * 5), (5, 64 * 3), (1, 64 * 4 + 10)]
        windows, labels = [], []
        for label, samples in runs:
            signal = rng.normal(size=(samples, 9)).round(4)
            for start in range(0, samples - 127, 64):
                windows.append(signal[start : start + 128])
                labels.append(label)
        cube = np.stack(windows)
        folder = root / "UCI HAR Dataset" / side
        (folder / "Inertial Signals").mkdir(parents=True)
        for k, kind in enumerate(KINDS):
            for a, axis in enumerate("xyz"):
                text = "".join(
                    "".join(f"  {v: .7e}" for v in row) + "\n" for row in cube[:, :, 3 * k + a]
                )
                (folder / "Inertial Signals" / f"{kind}_{axis}_{side}.txt").write_text(text)
        (folder / f"y_{side}.txt").write_text("".join(f"{v}\n" for v in labels))
        (folder / f"subject_{side}.txt").write_text(f"{subject}\n" * len(labels))
        official[side] = cube
    return official


def test_ucihar_is_joined_and_cuts_into_the_official_windows(tmp_path):
    official = ucihar_files(tmp_path)
    recordings = load("ucihar", tmp_path, cache=False)
    assert [len(r) for r in recordings] == [320, 192, 256] * 2
    assert [r.subject for r in recordings] == ["1"] * 3 + ["2"] * 3
    assert [r.activities[r.labels[0]] for r in recordings[:3]] == ["STANDING"] * 2 + ["WALKING"]
    got = cut(recordings, window=128, stride=64)
    whole = np.concatenate([official["train"], official["test"]])
    factor = np.repeat([STANDARD_GRAVITY, 1.0, STANDARD_GRAVITY], 3)
    np.testing.assert_allclose(got.x, whole * factor, rtol=1e-5, atol=1e-6)
    assert [c.kind for c in got.channels[::3]] == ["acc", "gyro", "body_acc"]


def test_ucihar_with_a_file_missing_or_short(tmp_path):
    ucihar_files(tmp_path)
    folder = tmp_path / "UCI HAR Dataset" / "test"
    subjects = folder / "subject_test.txt"
    subjects.write_text("2\n")
    with pytest.raises(DataError, match=r"test has 9 windows, 9 labels and 1 subjects"):
        load("ucihar", tmp_path, cache=False)
    (folder / "Inertial Signals" / "body_gyro_y_test.txt").unlink()
    with pytest.raises(DataError, match=r"holds no test/Inertial Signals/body_gyro_y_test\.txt"):
        load("ucihar", tmp_path, cache=False)


def test_ucihar_chains_break_at_a_new_activity_or_subject_even_without_a_gap():
    signal = np.random.default_rng(0).normal(size=(64 * 6, 9)).astype(np.float32)
    windows = np.stack([signal[s : s + 128] for s in range(0, 64 * 5, 64)])
    labels, subjects = np.array([1, 1, 2, 2, 2]), np.array([1, 1, 1, 1, 4])
    assert ucihar._chains(windows, labels, subjects) == [(0, 2), (2, 4), (4, 5)]
