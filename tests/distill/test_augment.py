"""Augmentation: what a turned, slower, louder sensor still has in common with the original."""

from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

from tinyhar.distill import Augment, AugmentConfig
from tinyhar.distill.augment import random_rotations, rotate, triads_of, warp_time
from tinyhar.errors import DataError


@dataclass(frozen=True)
class Sensor:
    position: str
    kind: str
    axis: str


WRIST = [Sensor("wrist", kind, axis) for kind in ("acc", "gyro") for axis in "xyz"]
MEAN = np.array([1.0, -3.0, 8.0, 0.1, 0.0, -0.2])
STD = np.array([2.0, 1.0, 4.0, 0.5, 1.5, 0.7])
SEED = tf.constant([3, 5])


@pytest.fixture
def windows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(8, 1, 32, 6)).astype(np.float32)


def si(x: np.ndarray) -> np.ndarray:
    return np.asarray(x) * STD + MEAN


def test_rotations_are_rotations_within_their_angle() -> None:
    turns = random_rotations(200, 30.0, SEED).numpy()
    assert turns @ turns.transpose(0, 2, 1) == pytest.approx(
        np.eye(3)[None].repeat(200, 0), abs=1e-5
    )
    assert np.linalg.det(turns) == pytest.approx(1.0, abs=1e-5)
    angles = np.degrees(np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert angles.max() <= 30.01
    assert angles.max() > 20


def test_rotation_keeps_norms_and_the_angle_between_sensors(windows: np.ndarray) -> None:
    turned = Augment(AugmentConfig(rotation=180), WRIST, MEAN, STD)(windows, SEED)
    before, after = si(windows), si(turned)
    assert np.abs(after - before).max() > 1.0
    for triad in (slice(0, 3), slice(3, 6)):
        assert np.linalg.norm(after[..., triad], axis=-1) == pytest.approx(
            np.linalg.norm(before[..., triad], axis=-1), rel=1e-3
        )
    assert (after[..., :3] * after[..., 3:]).sum(-1) == pytest.approx(
        (before[..., :3] * before[..., 3:]).sum(-1), rel=1e-3, abs=1e-2
    )


def test_one_turn_for_the_whole_window_and_another_for_the_next(windows: np.ndarray) -> None:
    constant = np.tile(windows[:, :, :1], (1, 1, 32, 1))
    turned = Augment(AugmentConfig(rotation=40), WRIST, MEAN, STD)(constant, SEED).numpy()
    assert turned[:, :, 1:] == pytest.approx(np.tile(turned[:, :, :1], (1, 1, 31, 1)), abs=1e-5)
    same = np.tile(constant[:1], (8, 1, 1, 1))
    turned = Augment(AugmentConfig(rotation=40), WRIST, MEAN, STD)(same, SEED).numpy()
    assert np.abs(turned[0] - turned[1]).max() > 1e-3


def test_positions_turn_apart() -> None:
    x = tf.constant(np.tile([1.0, 0.0, 0.0], 2), tf.float32)[None, None, None]
    together = rotate(x, [(0, 1, 2), (3, 4, 5)], [0, 0], 90.0, SEED).numpy()[0, 0, 0]
    apart = rotate(x, [(0, 1, 2), (3, 4, 5)], [0, 1], 90.0, SEED).numpy()[0, 0, 0]
    assert together[:3] == pytest.approx(together[3:])
    assert np.abs(apart[:3] - apart[3:]).max() > 1e-3


def test_a_sensor_that_two_see_turns_alike_in_both(windows: np.ndarray) -> None:
    """What a teacher with more sensors sees of the wrist is what its student sees."""
    ankle = [Sensor("ankle", kind, axis) for kind in ("acc", "gyro") for axis in "xyz"]
    both = np.concatenate([windows, windows], axis=-1)
    mean, std, config = np.tile(MEAN, 2), np.tile(STD, 2), AugmentConfig(rotation=60, warp=0.2)
    alone = Augment(config, WRIST, MEAN, STD)(windows, SEED).numpy()
    seen = Augment(config, [*ankle, *WRIST], mean, std, like=["wrist"])(both, SEED).numpy()
    assert seen[..., 6:] == pytest.approx(alone, abs=1e-4)
    assert np.abs(seen[..., :6] - alone).max() > 0.1


def test_a_channel_without_its_triad_cannot_turn() -> None:
    with pytest.raises(DataError, match="wrist_gyro_x"):
        Augment(AugmentConfig(rotation=10), WRIST[:4], MEAN[:4], STD[:4])
    Augment(AugmentConfig(noise=0.1), WRIST[:4], MEAN[:4], STD[:4])


def test_triads_are_found_whatever_the_order_of_channels() -> None:
    shuffled = [WRIST[i] for i in (5, 0, 3, 2, 4, 1)]
    assert triads_of(shuffled) == {(1, 5, 3): ("wrist", "acc"), (2, 4, 0): ("wrist", "gyro")}


def test_scale_changes_each_sensor_by_one_factor(windows: np.ndarray) -> None:
    scaled = Augment(AugmentConfig(scale=0.2), WRIST, MEAN, STD)(windows, SEED)
    factor = si(scaled) / si(windows)
    for triad in (slice(0, 3), slice(3, 6)):
        per_window = factor[..., triad].reshape(8, -1)
        assert per_window == pytest.approx(
            np.tile(per_window[:, :1], per_window.shape[1]), rel=0.02
        )
        assert (np.abs(per_window - 1) <= 0.21).all()


def test_warping_a_ramp_gives_a_slower_ramp() -> None:
    ramp = np.arange(64, dtype=np.float32)[None, None, :, None].repeat(16, 0)
    warped = warp_time(tf.constant(ramp), 0.5, SEED).numpy()[:, 0, :, 0]
    pace = np.diff(warped, axis=1)
    assert pace == pytest.approx(np.tile(pace[:, :1], 63), abs=1e-3)
    assert (pace > 0.49).all() and (pace <= 1.001).all()
    assert pace[:, 0].max() - pace[:, 0].min() > 0.1
    assert warped.min() >= 0 and warped.max() <= 63


def test_noise_has_the_stated_size(windows: np.ndarray) -> None:
    noisy = Augment(AugmentConfig(noise=0.3), WRIST, MEAN, STD)(
        np.tile(windows, (20, 1, 1, 1)), SEED
    )
    assert float(np.std(noisy - np.tile(windows, (20, 1, 1, 1)))) == pytest.approx(0.3, rel=0.05)


def test_the_seed_decides_everything(windows: np.ndarray) -> None:
    everything = AugmentConfig(rotation=30, noise=0.1, scale=0.1, warp=0.2)
    augment = Augment(everything, WRIST, MEAN, STD)
    assert np.array_equal(augment(windows, SEED), augment(windows, SEED))
    assert not np.array_equal(augment(windows, SEED), augment(windows, SEED + 1))


def test_all_off_changes_nothing(windows: np.ndarray) -> None:
    assert np.array_equal(Augment(AugmentConfig(), WRIST, MEAN, STD)(windows, SEED), windows)
