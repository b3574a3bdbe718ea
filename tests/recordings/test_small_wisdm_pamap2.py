"""Two readers on small files in the official formats, with the faults the official files have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhar.errors import DataError, LeakError
from tinyhar.recordings import load, pamap2
from tinyhar.splits import check_inputs

PERIOD = 50_000_000


def record(user: int, activity: str, index: int, x: float = 0.5, start: int = 10**12) -> str:
    return f"{user},{activity},{start + index * PERIOD},{x},-9.5,1.25E-1;"


def wisdm(root: Path, lines: list[str]) -> list:
    folder = root / "WISDM_ar_v1.1"
    folder.mkdir(exist_ok=True)
    (folder / "WISDM_ar_v1.1_raw.txt").write_text("\n".join(lines) + "\n")
    return load("wisdm", root, cache=False)


def test_wisdm(tmp_path):
    lines = [record(33, "Jogging", i, i / 10) for i in range(30)]
    lines += [record(33, "Walking", i) for i in range(30, 60)]
    lines += [record(7, "Sitting", i) for i in range(25)]
    first, second = wisdm(tmp_path, lines)
    assert (first.subject, second.subject) == ("33", "7")
    assert first.rate == 20
    np.testing.assert_allclose(first.signal[4], [0.4, -9.5, 0.125])
    assert [first.activities[i] for i in first.labels[29:31]] == ["Jogging", "Walking"]
    assert first.notes[0].startswith("0 broken records, 0 without")


def test_wisdm_tolerates_and_counts_its_known_faults(tmp_path):
    lines = [record(11, "Walking", i, i) for i in range(40)]
    lines[5] = lines[5] + lines[6]  # two records on a line
    lines[6] = ""
    lines[10] = "11,Walking,1000500000000,4.4,4.4,;"  # a value missing
    lines[12] = lines[12].replace(";", ",;")  # a comma too much
    lines[15] = "11,Walking,0,1.0,2.0,3.0;"  # no timestamp
    lines[20] = "11,Walking,10010"  # cut off
    lines[25] = lines[25].replace(";", "")  # no semicolon
    lines.append("")
    (recording,) = wisdm(tmp_path, lines)
    assert recording.notes[0].startswith("2 broken records, 1 without a timestamp and 0 in pieces")
    kept = [i for i in range(40) if i not in (10, 15, 20)]
    assert recording.signal[:, 0].tolist() == kept


def test_wisdm_splits_where_time_jumps_and_drops_slivers(tmp_path):
    lines = [record(1, "Walking", i) for i in range(30)]
    lines += [record(1, "Walking", i) for i in range(100, 110)]  # half a second: too short to keep
    lines += [record(1, "Walking", i, start=10**11) for i in range(30)]
    recordings = wisdm(tmp_path, lines)
    assert [len(r) for r in recordings] == [30, 30]
    assert "10 in pieces of under a second" in recordings[0].notes[0]


def test_wisdm_that_is_another_file(tmp_path):
    with pytest.raises(DataError, match=r"WISDM_ar_v1\.1_raw\.txt: no record of the form"):
        wisdm(tmp_path, ["user;activity;x;y;z"])


def pamap2_rows(count: int = 600, activity=lambda i: 4 if i < 300 else 0) -> np.ndarray:
    rows = np.empty((count, 54))
    rows[:] = np.arange(54) + np.arange(count)[:, None] / 1000
    rows[:, 0] = 5.0 + np.arange(count) / 100
    rows[:, 1] = [activity(i) for i in range(count)]
    rows[:, 2] = np.where(np.arange(count) % 11 == 0, 90.0, np.nan)  # heart rate: mostly missing
    return rows


def pamap2_load(root: Path, rows: np.ndarray) -> list:
    folder = root / "PAMAP2_Dataset" / "Protocol"
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(
        " ".join("NaN" if np.isnan(v) else f"{v:.6g}" for v in row) + "\n" for row in rows
    )
    (folder / "subject103.dat").write_text(text)
    return load("pamap2", root, cache=False)


def test_pamap2_takes_the_right_columns(tmp_path):
    (recording,) = pamap2_load(tmp_path, pamap2_rows())
    assert recording.subject == "103" and recording.rate == 100 and len(recording) == 600
    # 0-based official columns: hand 3.. = temperature, acc16 4-6, acc6 7-9, gyro 10-12, mag 13-15
    expected = [4, 5, 6, 10, 11, 12, 13, 14, 15]
    assert [round(v) for v in recording.signal[0]] == [c + s for s in (0, 17, 34) for c in expected]
    assert recording.positions == ("hand", "chest", "ankle")
    walking = pamap2.ACTIVITIES.index("walking")
    assert recording.labels.tolist() == [walking] * 300 + [-1] * 300


def test_pamap2_never_has_the_activity_among_its_channels(tmp_path):
    rows = pamap2_rows(activity=lambda i: [1, 2, 3, 4][i // 150])
    (recording,) = pamap2_load(tmp_path, rows)
    for column in recording.signal.T:
        assert np.abs(np.corrcoef(column, np.arange(600))[0, 1]) > 0.9  # each is its own ramp
    check_inputs(recording.channels)
    windows = np.repeat(recording.labels[::100, None, None], 100, axis=1).astype(np.float32)
    with pytest.raises(LeakError):
        check_inputs(recording.channels[:1], windows, recording.labels[::100].astype(np.int64))


def test_pamap2_bridges_short_holes_and_splits_at_long_ones(tmp_path):
    rows = pamap2_rows()
    rows[50:60, 4] = np.nan
    rows[200:240, 27] = np.nan
    first, second = pamap2_load(tmp_path, rows)
    assert (len(first), len(second)) == (200, 360)
    np.testing.assert_allclose(np.diff(first.signal[45:65, 0]), 0.001, atol=1e-5)
    assert first.notes == ("10 values bridged, 40 of 600 samples lost",)
    assert second.source.endswith("2.40 s")


def test_pamap2_holes_at_the_ends_are_cut_not_made_up(tmp_path):
    rows = pamap2_rows()
    rows[:5, 4] = np.nan
    rows[-3:, 4] = np.nan
    (recording,) = pamap2_load(tmp_path, rows)
    assert len(recording) == 592


def test_pamap2_splits_where_time_jumps(tmp_path):
    rows = pamap2_rows()
    rows[300:, 0] += 2.0
    assert [len(r) for r in pamap2_load(tmp_path, rows)] == [300, 300]


def test_pamap2_unknown_activity_and_missing_columns(tmp_path):
    with pytest.raises(DataError, match=r"subject103\.dat: no activity has id 8"):
        pamap2_load(tmp_path, pamap2_rows(activity=lambda i: 8))
    with pytest.raises(DataError, match="fewer than 54 columns"):
        pamap2_load(tmp_path, pamap2_rows()[:, :50])
