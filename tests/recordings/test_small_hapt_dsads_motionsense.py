"""Three readers on small files in the official formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import STANDARD_GRAVITY, dsads, load, motionsense

RNG = np.random.default_rng(0)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def table(values, separator: str) -> str:
    return "".join(separator.join(f"{v:.6f}" for v in row) + "\n" for row in values)


def hapt_files(root: Path, labels: str = "1 7 5 1 40\n1 7 8 45 60\n2 7 1 1 100\n") -> Path:
    raw = root / "HAPT Data Set" / "RawData"
    for experiment in (1, 2):
        values = np.arange(300).reshape(100, 3) / 300 + experiment
        write(raw / f"acc_exp{experiment:02d}_user07.txt", table(values, " "))
        write(raw / f"gyro_exp{experiment:02d}_user07.txt", table(-values, " "))
    write(raw / "labels.txt", labels)
    return raw


def test_hapt(tmp_path):
    hapt_files(tmp_path)
    first, second = load("hapt", tmp_path, cache=False)
    assert first.subject == second.subject == "7"
    assert first.rate == 50
    np.testing.assert_allclose(first.signal[0, :3], np.arange(3) / 300 * 9.80665 + 9.80665, 1e-5)
    np.testing.assert_allclose(first.signal[:, 3:] * -STANDARD_GRAVITY, first.signal[:, :3], 1e-4)
    # 1-based, inclusive: samples 0..39 stand, 40..43 nobody named, 44..59 sit-to-stand
    assert first.labels.tolist() == [4] * 40 + [-1] * 4 + [7] * 16 + [-1] * 40
    assert first.activities[7] == "SIT_TO_STAND"
    assert set(second.labels) == {0}


@pytest.mark.parametrize(
    "labels, message",
    [
        ("1 7 5 1 101\n", "samples 1..101"),
        ("1 7 13 1 10\n", "activity 13"),
        ("1 7 5 10 5\n", "samples 10..5"),
        ("1 7 5\n", "3 columns instead of 5"),
        ("one two\n", "not a table of integers"),
    ],
)
def test_hapt_labels_that_do_not_fit(labels, message, tmp_path):
    hapt_files(tmp_path, labels)
    with pytest.raises(DataError, match=message):
        load("hapt", tmp_path, cache=False)


def test_hapt_files_that_do_not_fit(tmp_path):
    raw = hapt_files(tmp_path)
    gyro = raw / "gyro_exp02_user07.txt"
    whole = gyro.read_text()
    gyro.write_text(whole[: len(whole) // 2].rsplit("\n", 1)[0])
    with pytest.raises(DataError, match=r"acc_exp02.*100 samples, but .*gyro_exp02"):
        load("hapt", tmp_path, cache=False)
    gyro.write_text(whole.replace("-2.003333", "oops", 1))
    with pytest.raises(DataError, match=r"gyro_exp02_user07\.txt: not a table of 3 numbers"):
        load("hapt", tmp_path, cache=False)
    gyro.write_text(whole.replace("\n", " 9\n", 1))
    with pytest.raises(DataError, match=r"gyro_exp02_user07\.txt: not a table of 3 numbers"):
        load("hapt", tmp_path, cache=False)
    gyro.write_text("")
    with pytest.raises(DataError, match="gyro_exp02"):
        load("hapt", tmp_path, cache=False)
    gyro.unlink()
    with pytest.raises(DataError, match=r"gyro_exp02_user07\.txt is missing"):
        load("hapt", tmp_path, cache=False)


def dsads_file(root: Path, activity: int, person: int, segment: int, rows: int = 125) -> Path:
    values = np.full((rows, 45), segment, float) + np.arange(45) / 100
    path = root / "data" / f"a{activity:02d}" / f"p{person}" / f"s{segment:02d}.txt"
    write(path, table(values, ","))
    return path


def test_dsads_joins_consecutive_segments(tmp_path):
    for segment in (1, 2, 3, 5):
        dsads_file(tmp_path, 3, 2, segment)
    dsads_file(tmp_path, 1, 1, 1)
    other, first, second = load("dsads", tmp_path, cache=False)
    assert (other.subject, other.labels[0]) == ("1", 0)
    assert (first.subject, len(first), len(second)) == ("2", 375, 125)
    assert set(first.labels) == {2}
    assert first.activities[2] == "lying_on_back"
    np.testing.assert_allclose(first.signal[::125, 0], [1, 2, 3])
    assert first.positions == dsads.POSITIONS
    right = first.select(positions=["right_wrist"], kinds=["acc", "gyro"])
    np.testing.assert_allclose(right.signal[0], 1 + np.arange(9, 15) / 100, rtol=1e-6)
    assert [c.unit for c in first.channels[:9]] == ["m/s^2"] * 3 + ["rad/s"] * 3 + ["1"] * 3


def test_dsads_names_the_segment_that_is_short(tmp_path):
    dsads_file(tmp_path, 1, 1, 1)
    dsads_file(tmp_path, 1, 1, 2, rows=124)
    with pytest.raises(DataError, match=r"s02\.txt: 124 rows instead of 125"):
        load("dsads", tmp_path, cache=False)


def motionsense_file(root: Path, trial: str, subject: int, columns=motionsense.COLUMNS) -> Path:
    names = ["attitude.roll", *columns]
    rows = [
        ",".join([str(i), "0.5", *(f"{0.1 * (c + 1) + i:.3f}" for c in range(len(columns)))])
        for i in range(5)
    ]
    path = root / "A_DeviceMotion_data" / trial / f"sub_{subject}.csv"
    write(path, "\n".join([",".join(["", *names]), *rows]) + "\n")
    return path


def test_motionsense_adds_gravity_and_user_acceleration(tmp_path):
    for trial, subject in (("dws_1", 2), ("dws_2", 1), ("jog_9", 10)):
        motionsense_file(tmp_path, trial, subject)
    recordings = load("motionsense", tmp_path, cache=False)
    assert [r.subject for r in recordings] == ["1", "2", "10"]
    assert recordings[2].activities[recordings[2].labels[0]] == "jogging"
    expected = [(0.1 + 0.4) * 9.80665, (0.2 + 0.5) * 9.80665, (0.3 + 0.6) * 9.80665, 0.7, 0.8, 0.9]
    np.testing.assert_allclose(recordings[0].signal[0], expected, rtol=1e-5)


def test_motionsense_without_a_column(tmp_path):
    motionsense_file(tmp_path, "dws_1", 2, columns=motionsense.COLUMNS[:-1])
    with pytest.raises(DataError, match=r"sub_2\.csv: no column rotationRate\.z"):
        load("motionsense", tmp_path, cache=False)


def test_motionsense_of_unknown_activity(tmp_path):
    motionsense_file(tmp_path, "dws_1", 1)
    motionsense_file(tmp_path, "fly_1", 2)
    with pytest.raises(DataError, match="'fly'; there is dws"):
        load("motionsense", tmp_path, cache=False)
