"""The readers on the real data sets, and the protocols that every table compares."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tinyhar.recordings import STANDARD_GRAVITY, digest, load
from tinyhar.recordings.hapt import ACTIVITIES as HAPT
from tinyhar.splits import check_inputs
from tinyhar.windows import cut, resample

SETS = ("hapt", "dsads", "motionsense", "spsw")
LIMITS = {"m/s^2": 250.0, "rad/s": 60.0, "1": 5.0}


@pytest.fixture(params=SETS)
def loaded(request, real_data: Path):
    return request.param, load_here(request.param, real_data)


def load_here(name: str, root: Path):
    if not (root / name).is_dir():
        pytest.skip(f"{root / name} is not there")
    return load(name, root)


def part_of(name: str, root: Path, people: range):
    """These people's recordings; the figures below are of parts of the sets (see README)."""
    recordings = load_here(name, root)
    found = {r.subject for r in recordings}
    if found - {str(p) for p in people}:
        pytest.skip(f"{name} is the whole set: the figures are those of a part")
    return recordings


def test_units_gravity_and_names_are_right(loaded):
    name, recordings = loaded
    for recording in recordings:
        assert recording.subject.isdigit() and recording.signal.dtype == np.float32
        peak = np.abs(recording.signal).max(axis=0)
        for channel, value in zip(recording.channels, peak, strict=True):
            assert value < LIMITS[channel.unit], (name, channel.name)
    check_inputs(recordings[0].channels)
    acc = np.concatenate([r.signal[::50, :3] for r in recordings])
    assert np.median(np.linalg.norm(acc, axis=1)) == pytest.approx(STANDARD_GRAVITY, rel=0.05)


def test_a_second_load_takes_under_a_second_and_gives_the_same(loaded, real_data):
    name, recordings = loaded
    begin = time.perf_counter()
    again = load(name, real_data)
    assert time.perf_counter() - begin < 1.0
    assert digest(again) == digest(recordings)


def test_hapt_protocol(real_data):
    windows = cut(load_here("hapt", real_data), window=128, stride=64, activities=HAPT[:6])
    test = windows.only(["2", "4", "9", "10", "12", "13", "18", "20", "24"])
    assert (len(test), len(windows) - len(test)) == (2996, 7415)
    assert len(windows.subjects) == 30 and windows.rate == 50
    assert [c.name for c in windows.channels][::3] == ["waist_acc_x", "waist_gyro_x"]


def test_motionsense_protocol(real_data):
    windows = cut(part_of("motionsense", real_data, range(1, 21)), window=128, stride=64)
    test = windows.only([str(s) for s in range(16, 21)])
    assert (len(test), len(windows)) == (4745, 18027)


def test_spsw_watch_protocol(real_data):
    part_of("spsw", real_data, range(1, 19))
    watch = [resample(r, 50) for r in load("spsw", real_data, position="wrist")]
    assert len({r.subject for r in watch}) == 18
    windows = cut(watch, window=100, stride=25, within="recording", threshold=0)
    test = windows.only([str(s) for s in range(13, 19)])
    assert (len(test), len(windows)) == (1151, 3357)
    assert all(not r.notes for r in watch)  # no file needed its raw delivery times


def test_spsw_phone_and_watch_saw_the_same_walk(real_data):
    """Both were started together, so activities change at the same time on both."""
    recordings = load_here("spsw", real_data)
    by_name = {r.source: r for r in recordings}
    differences = []
    for source, phone in by_name.items():
        watch = by_name.get(source.replace("_sp.csv", "_sw.csv"))
        if source.endswith("_sp.csv") and watch is not None:
            differences.append(abs(phone.duration - watch.duration))
    assert len(differences) > 150 and np.median(differences) < 0.2


def test_dsads_protocol(real_data):
    recordings = part_of("dsads", real_data, range(1, 8))
    assert [round(r.duration) for r in recordings] == [150] * 133
    wrist = [r.select(positions=["right_wrist"], kinds=["acc", "gyro"]) for r in recordings]
    windows = cut(wrist, window=125, stride=125)
    assert len(windows) == 3990 == 7 * 19 * 30
    assert windows.x.shape[1:] == (125, 6)
    assert set(np.bincount(windows.y)) == {210}


def test_dsads_windows_are_the_published_segments(real_data):
    import io
    import zipfile

    path = real_data / "dsads" / "data.zip"
    if not path.is_file():
        pytest.skip("no archive")
    windows = cut(load_here("dsads", real_data), window=125, stride=125).only(["3"])
    with zipfile.ZipFile(path) as archive:
        text = archive.read("data/a09/p3/s17.txt")
    segment = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.float32)
    np.testing.assert_allclose(windows.x[8 * 30 + 16], segment, rtol=1e-6)


def test_jumping_is_not_resting(real_data):
    """Labels belong to the movement: the jump shakes, the seat does not."""
    recordings = [r for r in load_here("dsads", real_data) if r.subject == "1"]
    shake = {r.activities[r.labels[0]]: r.signal[:, :3].std(axis=0).max() for r in recordings}
    assert shake["jumping"] > 20 * shake["sitting"]
