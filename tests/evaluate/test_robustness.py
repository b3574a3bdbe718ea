from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.evaluate.robustness import (
    about,
    drifted,
    held,
    losses,
    noisy,
    random_axes,
    rotated,
)
from tinyhar.recordings import Recording, triaxial

CHANNELS = triaxial("wrist", "acc", "gyro")
angles = st.floats(-360, 360)
axes = st.tuples(*(st.floats(-1, 1) for _ in range(3))).filter(lambda a: np.linalg.norm(a) > 0.1)


def windows(seed: int = 0, n: int = 5, time: int = 20, channels: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, time, channels)).astype(np.float32)


@given(axes, angles)
def test_a_turn_keeps_lengths_and_handedness_and_its_axis(axis: tuple, angle: float) -> None:
    turn = about(axis, angle)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(turn @ np.array(axis), axis, atol=1e-9)
    assert np.trace(turn) == pytest.approx(1 + 2 * np.cos(np.deg2rad(angle)), abs=1e-9)


def test_a_quarter_turn_about_z_brings_x_to_y() -> None:
    np.testing.assert_allclose(about([0, 0, 2], 90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


@given(axes, angles)
def test_accelerometer_and_gyroscope_turn_together(axis: tuple, angle: float) -> None:
    x = windows()
    x[..., 3:] = x[..., :3]
    turned = rotated(x, CHANNELS, about(axis, angle))
    np.testing.assert_allclose(turned[..., 3:], turned[..., :3], atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(turned[..., :3], axis=-1), np.linalg.norm(x[..., :3], axis=-1), rtol=1e-5
    )
    back = rotated(turned, CHANNELS, about(axis, -angle))
    np.testing.assert_allclose(back, x, atol=1e-5)


def test_columns_in_any_order_turn_by_their_names() -> None:
    x, order = windows(), [4, 0, 2, 5, 1, 3]
    turn = about([1, 2, 3], 70)
    shuffled = rotated(x[..., order], [CHANNELS[i] for i in order], turn)
    np.testing.assert_array_equal(shuffled, rotated(x, CHANNELS, turn)[..., order])


def test_a_sensor_without_all_axes_cannot_turn() -> None:
    with pytest.raises(DataError, match="wrist_gyro: has the axes x, y; only sensors with"):
        rotated(windows(channels=5), CHANNELS[:5], np.eye(3))


def test_axes_are_spread_over_the_sphere_and_repeat() -> None:
    found = random_axes(4000, seed=3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose((found**2).mean(axis=0), 1 / 3, atol=0.02)
    np.testing.assert_array_equal(found, random_axes(4000, seed=3))


def sine(hertz: float, rate: float = 50.0, seconds: float = 20.0) -> Recording:
    t = np.arange(int(seconds * rate)) / rate
    signal = np.repeat(np.sin(2 * np.pi * hertz * t)[:, None], 6, axis=1).astype(np.float32)
    labels = (t >= seconds / 2).astype(np.int16)
    return Recording("1", rate, CHANNELS, signal, labels, ("first", "second"), "sine")


@pytest.mark.parametrize("percent", [-10, -2.5, 2, 10])
def test_a_fast_clock_makes_movement_seem_slow(percent: float) -> None:
    drift = drifted(sine(2.0), percent)
    assert drift.rate == 50.0
    assert len(drift) == pytest.approx(1000 * (1 + percent / 100), abs=1)
    expected = sine(2.0 / (1 + percent / 100), seconds=len(drift) / 50).signal
    middle = slice(100, 800)
    np.testing.assert_allclose(drift.signal[middle], expected[middle], atol=0.02)
    assert (drift.labels == 0).sum() == pytest.approx(len(drift) / 2, abs=1)


def test_no_drift_changes_nothing_and_odd_drift_is_refused() -> None:
    np.testing.assert_array_equal(drifted(sine(2), 0).signal, sine(2).signal)
    for percent in (60, 1.23, 0.5):
        with pytest.raises(DataError, match="drift of"):
            drifted(sine(2), percent)


@pytest.mark.parametrize(("share", "run"), [(0.05, None), (0.3, None), (0.05, 12), (0.3, 12)])
def test_losses_have_the_share_and_the_bursts_asked_for(share: float, run: float | None) -> None:
    lost = losses(4000, 128, share, run=run, rng=np.random.default_rng(1))
    assert lost.mean() == pytest.approx(share, rel=0.05)
    assert lost[:, 0].mean() == pytest.approx(share, abs=0.03)
    begins = (lost[:, 1:] & ~lost[:, :-1]).sum()
    long = lost[:, 1:].sum() / begins  # the mean length of a burst, but for the ends of windows
    assert long == pytest.approx(run or 1 / (1 - share), rel=0.1)


def test_no_loss_loses_nothing_and_nonsense_is_refused() -> None:
    rng = np.random.default_rng(0)
    assert not losses(10, 20, 0.0, run=None, rng=rng).any()
    with pytest.raises(DataError, match="expected 0 to below 1"):
        losses(1, 1, 1.0, run=None, rng=rng)
    with pytest.raises(DataError, match="bursts of 1 samples cannot be 90%"):
        losses(1, 1, 0.9, run=1, rng=rng)


@given(st.integers(0, 999))
def test_a_lost_sample_is_the_last_one_that_arrived(seed: int) -> None:
    x = windows(seed)
    lost = np.random.default_rng(seed).random(x.shape[:2]) < 0.5
    found = held(x, lost)
    for n in range(len(x)):
        arrived = np.flatnonzero(~lost[n])
        for t in range(x.shape[1]):
            before = arrived[arrived <= t]
            source = before[-1] if len(before) else (arrived[0] if len(arrived) else 0)
            np.testing.assert_array_equal(found[n, t], x[n, source])


def test_noise_is_as_strong_as_stated_for_each_kind() -> None:
    x = np.zeros((200, 100, 9), np.float32)
    channels = triaxial("wrist", "acc", "gyro", "mag")
    found = noisy(x, channels, acc=0.5, gyro=0.05, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.std(axis=(0, 1)), [0.5] * 3 + [0.05] * 3 + [0] * 3, rtol=0.02)
    assert abs(found.mean()) < 0.005
