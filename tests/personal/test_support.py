"""What a calibration cannot teach is said before anything is trained."""

from __future__ import annotations

import numpy as np

from tinyhar.personal.support import alike, clipped, described, too_few, whitened

NAMES = ("walking", "resting", "drinking")


def scattered(centres: list[float], each: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(centres)), each)
    return np.array(centres)[y, None] + random.normal(size=(len(y), 6)), y


def test_classes_that_lie_apart_raise_no_doubt() -> None:
    features, y = scattered([0.0, 8.0, 16.0])
    assert alike(NAMES, features, y) == []


def test_two_names_for_one_movement_are_named() -> None:
    features, y = scattered([0.0, 8.0, 8.0], each=40, seed=3)
    found = alike(NAMES, features, y)
    assert found, "at least one of the two cannot be told from the other"
    assert {doubt.name for doubt in found} <= {"resting", "drinking"}
    assert all("looks like '" in str(doubt) and "walking" not in str(doubt) for doubt in found)


def test_a_class_that_drifts_into_another_is_named() -> None:
    features, y = scattered([0.0, 10.0, 20.0])
    features[10:20] += 10
    (doubt,) = alike(NAMES, features, y)
    assert doubt.name == "walking" and "'resting'" in doubt.why


def test_a_single_class_cannot_be_compared() -> None:
    features, y = scattered([0.0])
    assert alike(NAMES[:1], features, y) == []


def test_whitened_features_scatter_alike() -> None:
    random = np.random.default_rng(0)
    stretch = np.array([1.0, 5.0, 20.0])
    features = random.normal(size=(4000, 3)) * stretch
    spread = whitened(features, np.zeros(4000, int), shrink=0.0).std(axis=0)
    np.testing.assert_allclose(spread, 1, rtol=0.01)


def test_posture_is_among_what_describes_a_window() -> None:
    x = np.zeros((4, 1, 10, 3), np.float32)
    x[2:, 0, :, 2] = 9.8
    found = described(np.zeros((4, 5)), x)
    assert found.shape == (4, 11)
    assert np.ptp(found[:, 7]) > 1 and np.ptp(found[:, :5]) == 0


def test_seconds_that_do_not_make_three_windows_are_too_few() -> None:
    (doubt,) = too_few({"walking": 7.5, "drinking": 5.0}, 2.5)
    assert doubt.name == "drinking" and "2 windows of 2.5 s" in doubt.why and "7.5 s" in doubt.why


def test_a_sensor_at_its_limit_is_named() -> None:
    counts = np.zeros((4, 10, 3), np.int16)
    counts[2:, :3, 1] = 32767
    counts[3, :, 0] = -32768
    (doubt,) = clipped(("calm", "wild"), np.array([0, 0, 1, 1]), counts)
    assert doubt.name == "wild" and "65%" in doubt.why
