"""A calibration folder is read whole or refused in one line that says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.personal.written import NOTE, movement, write_take
from tinyhar.counts import lsb_of
from tinyhar.errors import DataError
from tinyhar.personal.takes import Fit, class_names, read_takes
from tinyhar.recordings.recording import triaxial

CHANNELS = triaxial("wrist", "acc", "gyro")
FIT = Fit(CHANNELS, 50.0, lsb_of(CHANNELS))


def test_takes_come_in_order_with_one_list_of_classes(tmp_path: Path) -> None:
    write_take(tmp_path / "b.csv", movement(4), "resting")
    write_take(tmp_path / "a.csv", movement(4, beat=2), "drinking")
    found = read_takes(tmp_path, FIT)
    assert [Path(one.source).name for one in found] == ["a.csv", "b.csv"]
    assert {one.activities for one in found} == {("drinking", "resting")}
    assert class_names(found) == ("drinking", "resting")
    assert found[0].channels == CHANNELS and found[0].signal.shape == (200, 6)


def test_a_band_without_a_gyroscope_reads_the_accelerometer_alone(tmp_path: Path) -> None:
    write_take(tmp_path / "a.csv", movement(4), "drinking")
    acc = triaxial("wrist", "acc")
    (one,) = read_takes(tmp_path, Fit(acc, 50.0, lsb_of(acc)))
    assert one.channels == acc and one.signal.shape[1] == 3


def test_rejected_takes_are_left_and_labels_may_stand_beside(tmp_path: Path) -> None:
    write_take(tmp_path / "good.csv", movement(4), "")
    write_take(tmp_path / "bad.csv", movement(4, seed=1), "drinking")
    takes = [
        {"file": "good.csv", "label": "waving", "rejected": False},
        {"file": "bad.csv", "label": "drinking", "rejected": True},
    ]
    (tmp_path / "calibration.json").write_text(json.dumps({"takes": takes, "more": 1}))
    (one,) = read_takes(tmp_path, FIT)
    assert one.activities == ("waving",) and (one.labels == 0).all()
    takes[0]["rejected"] = True
    (tmp_path / "calibration.json").write_text(json.dumps({"takes": takes}))
    with pytest.raises(DataError, match="no accepted recording"):
        read_takes(tmp_path, FIT)


def test_another_rate_is_refused_or_resampled(tmp_path: Path) -> None:
    write_take(tmp_path / "a.csv", movement(4, 100.0), "drinking", rate=100.0)
    with pytest.raises(DataError, match=r"recorded at 100 Hz.*runs at 50 Hz.*--resample"):
        read_takes(tmp_path, FIT)
    (one,) = read_takes(tmp_path, FIT, resampled=True)
    assert one.rate == 50 and len(one) == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"position": "ankle"}, ["worn at 'ankle'", "'wrist'"]),
        ({"gyro": False}, ["no gyro_x, gyro_y, gyro_z"]),
        ({"label": ""}, ["nothing in it has a label"]),
        ({"notes": NOTE.replace("8 g", "4 g")}, ["acc", "±4 g", "±8 g"]),
        ({"notes": NOTE.replace("2000", "500")}, ["gyro", "±500 deg/s", "±2000 deg/s"]),
    ],
)
def test_what_does_not_fit_the_band_is_one_line(
    changes: dict, words: list[str], tmp_path: Path
) -> None:
    options = {"label": "drinking", **changes}
    write_take(tmp_path / "a.csv", movement(4), **options)
    with pytest.raises(DataError) as caught:
        read_takes(tmp_path, FIT)
    text = str(caught.value)
    assert "a.csv" in text and "\n" not in text and all(word in text for word in words)


@pytest.mark.parametrize(("largest", "told"), [(100.0, "±10"), (19.6133, "±2 g")])
def test_a_full_scale_that_nobody_told_is_seen(largest: float, told: str, tmp_path: Path) -> None:
    signal = movement(4)
    signal[20:40, 0] = largest
    write_take(tmp_path / "a.csv", signal, "drinking", notes="")
    with pytest.raises(DataError, match=f"acc was recorded at a full scale of {told}"):
        read_takes(tmp_path, FIT)


def test_a_glitch_is_not_another_full_scale(tmp_path: Path) -> None:
    signal = movement(60)
    signal[5, 0] = 100.0
    write_take(tmp_path / "a.csv", signal, "drinking", notes="")
    assert len(read_takes(tmp_path, FIT)) == 1


def test_the_same_movement_twice_is_refused(tmp_path: Path) -> None:
    write_take(tmp_path / "a.csv", movement(4), "drinking")
    write_take(tmp_path / "b.csv", movement(4), "waving")
    with pytest.raises(DataError, match=r"b\.csv: the very same movement as a\.csv"):
        read_takes(tmp_path, FIT)


@pytest.mark.parametrize("text", ["{", "[]", '{"takes": [1]}', '{"takes": [{"label": "a"}]}'])
def test_a_damaged_plan_is_named(text: str, tmp_path: Path) -> None:
    write_take(tmp_path / "a.csv", movement(4), "drinking")
    (tmp_path / "calibration.json").write_text(text)
    with pytest.raises(DataError, match=r"calibration\.json: damaged"):
        read_takes(tmp_path, FIT)


def test_a_folder_without_recordings_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_takes(tmp_path / "none", FIT)
    with pytest.raises(DataError, match=r"no \.csv recording"):
        read_takes(tmp_path, FIT)


def test_a_name_that_no_bundle_holds_is_refused(tmp_path: Path) -> None:
    write_take(tmp_path / "a.csv", movement(4), "x" * 256)
    with pytest.raises(DataError, match="up to 255 bytes"):
        class_names(read_takes(tmp_path, FIT))


def test_samples_without_a_label_are_no_class(tmp_path: Path) -> None:
    labels = ["drinking"] * 100 + [""] * 100
    write_take(tmp_path / "a.csv", movement(4), labels)
    (one,) = read_takes(tmp_path, FIT)
    assert np.bincount(one.labels + 1).tolist() == [100, 100]
