from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import Recording, digest, triaxial


def make(samples: int = 20) -> Recording:
    rng = np.random.default_rng(0)
    return Recording(
        subject="anna",
        rate=10.0,
        channels=triaxial("wrist", "acc", "gyro") + triaxial("chest", "acc"),
        signal=rng.normal(size=(samples, 9)).astype(np.float32),
        labels=np.zeros(samples, np.int16),
        activities=("rest",),
        source="here",
    )


def test_names_and_duration():
    recording = make()
    assert recording.duration == 2.0
    assert recording.positions == ("wrist", "chest")
    assert [c.name for c in recording.channels][::4] == [
        "wrist_acc_x",
        "wrist_gyro_y",
        "chest_acc_z",
    ]


def test_select_keeps_channels_with_their_columns():
    recording = make()
    chosen = recording.select(positions=["wrist"], kinds=["gyro"], axes=["x", "z"])
    assert [c.name for c in chosen.channels] == ["wrist_gyro_x", "wrist_gyro_z"]
    np.testing.assert_array_equal(chosen.signal, recording.signal[:, [3, 5]])


@pytest.mark.parametrize(
    "wanted, names",
    [
        ({"positions": ["ankle"]}, ["'ankle'", "wrist, chest"]),
        ({"kinds": ["acc", "mag"]}, ["'mag'", "acc, gyro"]),
        ({"positions": ["chest"], "kinds": ["gyro"]}, ["at once"]),
    ],
)
def test_select_names_what_is_missing_and_what_there_is(wanted, names):
    with pytest.raises(DataError) as caught:
        make().select(**wanted)
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_stretch_without_numbers_is_named(bad):
    recording = make()
    signal = recording.signal.copy()
    signal[7:10, 4] = bad
    with pytest.raises(DataError, match=r"wrist_gyro_y is not a number for 3 samples from 0\.70 s"):
        replace(recording, signal=signal)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.zeros(19, np.int16)},
        {"labels": np.ones(20, np.int16)},
        {"labels": np.full(20, -2, np.int16)},
        {"signal": np.zeros((20, 8), np.float32)},
        {"rate": 0.0},
    ],
)
def test_parts_that_do_not_fit_are_refused(change):
    with pytest.raises(DataError, match=r"^here: "):
        replace(make(), **change)


def test_digest_sees_every_part():
    recording = make()
    changed = recording.signal.copy()
    changed[3, 3] += 1e-3
    others = [
        replace(recording, subject="bert"),
        replace(recording, rate=11.0),
        replace(recording, activities=("walk",)),
        replace(recording, signal=changed),
        replace(recording, labels=np.full(20, -1, np.int16)),
    ]
    digests = {digest([r]) for r in [recording, *others]}
    assert len(digests) == 6
    assert digest([make()]) == digest([recording])
