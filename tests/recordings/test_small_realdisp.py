"""REALDISP on small files in the official layout, with the faults the official files have."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinyhar.cli.data import activity_table
from tinyhar.errors import DataError
from tinyhar.recordings import DATASETS, Recording, load, realdisp

ARCHIVE = DATASETS["realdisp"].archives[0]


def table(count: int = 400, activity: int = 1) -> np.ndarray:
    """Each sensor column a ramp that starts at its own 1-based number; labelled from 100 to 300."""
    rows = np.empty((count, 120))
    rows[:] = np.arange(1, 121) + np.arange(count)[:, None] / 1000
    rows[:, 0] = 7 + np.arange(count) // 50
    rows[:, 1] = np.arange(count) % 50 * 20_000
    rows[:, 119] = np.where((np.arange(count) >= 100) & (np.arange(count) < 300), activity, 0)
    return rows


def text(rows: np.ndarray, separator: str = "\t") -> str:
    return "".join(separator.join(f"{v:.7g}" for v in row) + "\n" for row in rows)


def write(root: Path, **files: np.ndarray | str) -> None:
    folder = root / "realdisp" / "realistic_sensor_displacement"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        written = rows if isinstance(rows, str) else text(rows)
        (folder / f"{name}.log").write_text(written)


def one(root: Path, rows: np.ndarray | str) -> list[Recording]:
    write(root, subject3_ideal=rows)
    return load("realdisp", root, cache=False)


def test_every_column_goes_to_its_unit_and_sensor(tmp_path):
    (recording,) = one(tmp_path, table())
    assert (recording.subject, recording.rate, recording.scenario) == ("3", 50, "ideal")
    assert len(recording) == 400
    # The manual's order of units; 1-based official columns: 13 a unit from column 3 on, of which
    # the last four are the quaternion.
    units = ["right_lower_arm", "right_upper_arm", "back", "left_upper_arm", "left_lower_arm"]
    units += ["right_calf", "right_thigh", "left_thigh", "left_calf"]
    names = [
        f"{u}_{kind}_{axis}" for u in units for kind in ("acc", "gyro", "mag") for axis in "xyz"
    ]
    assert [channel.name for channel in recording.channels] == names
    columns = [3 + 13 * unit + i for unit in range(9) for i in range(9)]
    np.testing.assert_allclose(recording.signal[0], columns)
    np.testing.assert_allclose(recording.signal[399], np.array(columns) + 0.399, rtol=1e-5)
    assert {c.kind: c.unit for c in recording.channels} == {
        "acc": "m/s^2",
        "gyro": "rad/s",
        "mag": "1",
    }


def test_labels_are_named_and_zero_is_unlabelled(tmp_path):
    rows = table(activity=33)
    rows[200:250, 119] = 1
    (recording,) = one(tmp_path, rows)
    assert len(recording.activities) == 33
    assert recording.labels.tolist() == [-1] * 100 + [32] * 100 + [0] * 50 + [32] * 50 + [-1] * 100
    assert recording.activities[32] == "cycling" and recording.activities[0] == "walking"
    assert activity_table([recording])[0] == ("walking", 1.0, 1)


@pytest.mark.parametrize("packed", [True, False])
def test_scenarios_are_read_together_or_alone(packed, tmp_path):
    files = {"subject2_mutual4": table(), "subject2_self": table(), "subject2_mutual7": table()}
    write(tmp_path, subject10_ideal=table(), subject2_ideal=table(), **files)
    if packed:
        folder = tmp_path / "realdisp"
        with zipfile.ZipFile(folder / ARCHIVE, "w") as archive:
            for path in folder.rglob("*.log"):
                archive.write(path, path.name)
                path.unlink()
            archive.writestr("dataset manual.pdf", "not read")
    everything = [(r.subject, r.scenario) for r in load("realdisp", tmp_path)]
    scenarios = ["ideal", "mutual4", "mutual7", "self"]
    assert everything == [*(("2", s) for s in scenarios), ("10", "ideal")]
    for name in ("ideal", "self", "mutual"):
        alone = [(r.subject, r.scenario) for r in load(f"realdisp-{name}", tmp_path)]
        assert alone == [pair for pair in everything if pair[1].startswith(name)]
        again = [(r.subject, r.scenario) for r in load(f"realdisp-{name}", tmp_path)]
        assert again == alone  # from the cache


def test_a_scenario_that_is_missing_says_what_there_is(tmp_path):
    write(tmp_path, subject1_ideal=table(), subject2_mutual5=table())
    message = r"holds no subjectN_self\.log; there is ideal, mutual5"
    with pytest.raises(DataError, match=message):
        load("realdisp-self", tmp_path)


def test_other_white_space_is_read_too(tmp_path):
    write(tmp_path, subject1_ideal=text(table(), separator=" "))
    assert len(load("realdisp", tmp_path, cache=False)[0]) == 400


def test_a_truncated_line_is_dropped_and_told(tmp_path):
    whole = text(table())
    (recording,) = one(tmp_path, whole[: len(whole) - 500])
    assert len(recording) == 399
    assert recording.notes == ("subject 3, ideal: 1 incomplete row, the last one cut off",)


def test_an_incomplete_row_in_the_middle_is_bridged_and_told(tmp_path):
    rows = text(table()).splitlines(keepends=True)
    rows[150] = "\t".join(rows[150].split("\t")[:60]) + "\n"
    (recording,) = one(tmp_path, "".join(rows))
    assert len(recording) == 400
    np.testing.assert_allclose(np.diff(recording.signal[145:156], axis=0), 0.001, atol=1e-4)
    assert recording.notes == ("subject 3, ideal: 1 incomplete row",)


def test_an_empty_field_does_not_shift_the_others(tmp_path):
    rows = text(table()).splitlines(keepends=True)
    fields = rows[150].split("\t")
    rows[150] = "\t".join([*fields[:10], "", *fields[11:]])
    (recording,) = one(tmp_path, "".join(rows))
    np.testing.assert_allclose(np.diff(recording.signal[145:156], axis=0), 0.001, atol=1e-4)
    assert recording.labels[150] == 0


def test_a_file_of_fewer_columns_is_another_file(tmp_path):
    with pytest.raises(DataError, match=r"ideal\.log: 400 of 400 rows have fewer than 120"):
        one(tmp_path, text(table()[:, :119]))
    with pytest.raises(DataError, match="not a table of 120 numbers a row"):
        one(tmp_path, text(np.hstack([table(), table()[:, :1]])))


@pytest.mark.parametrize("label", [34, -1, 1.5])
def test_an_unknown_label_is_named(label, tmp_path):
    rows = table()
    rows[7, 119] = label
    with pytest.raises(DataError, match=rf"no activity has id {label}, they go from 0 to 33"):
        one(tmp_path, rows)


def test_the_clock_s_jump_back_splits(tmp_path):
    rows = table()
    rows[200:, 0] -= 1300
    first, second = one(tmp_path, rows)
    assert (len(first), len(second)) == (200, 200)
    assert first.source.endswith("subject3_ideal.log:0.00 s")
    assert second.source.endswith(":4.00 s")


def test_another_clock_is_another_file(tmp_path):
    rows = table()
    rows[:, 1] /= 1000
    with pytest.raises(DataError, match=r"columns 1 and 2 step by .* seconds and microseconds"):
        one(tmp_path, rows)


def test_files_of_zeros_are_left_out_and_told(tmp_path):
    zeros = table()
    zeros[:, :119] = 0
    write(tmp_path, subject6_self=zeros, subject7_self=table())
    (recording,) = load("realdisp-self", tmp_path, cache=False)
    assert recording.subject == "7"
    assert recording.notes[0].endswith("movement: subject6_self.log")
    write(tmp_path, subject7_self=zeros)
    with pytest.raises(DataError, match=r"no movement in subject6_self\.log, subject7_self\.log"):
        load("realdisp-self", tmp_path, cache=False)


def test_long_pauses_are_left_out_but_for_their_edges(tmp_path):
    rows = table(2000)
    rows[1500:1600, 119] = 5
    first, second = one(tmp_path, rows)
    assert (len(first), len(second)) == (300 + realdisp.PAUSE, 100 + 2 * realdisp.PAUSE)
    assert second.labels[realdisp.PAUSE - 1 : realdisp.PAUSE + 1].tolist() == [-1, 4]


def test_recordings_own_their_samples(tmp_path):
    (recording,) = one(tmp_path, table())
    assert recording.signal.base is None and recording.labels.base is None
