"""Features say what their names promise; the forest learns what is easy."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhar.bench import forest
from tinyhar.recordings import Channel

ACC = tuple(Channel("wrist", "acc", axis, "m/s^2") for axis in "xyz")


def named(windows: np.ndarray, rate: float = 50.0) -> dict[str, np.ndarray]:
    values, names = forest.features(windows.astype(np.float32), ACC, rate)
    assert values.shape == (len(windows), len(names)) and np.isfinite(values).all()
    return dict(zip(names, values.T, strict=True))


def test_features_of_a_sine_by_hand() -> None:
    time = np.arange(100) / 50.0
    window = np.zeros((1, 100, 3))
    window[0, :, 0] = 3 + 2 * np.sin(2 * np.pi * 5 * time)
    found = named(window)
    x = {name.removeprefix("wrist_acc_x."): v[0] for name, v in found.items() if "acc_x" in name}
    assert set(x) == set(forest.FEATURES)
    assert x["mean"] == pytest.approx(3, abs=1e-5)
    assert x["std"] == pytest.approx(np.sqrt(2), abs=1e-4)
    assert x["energy"] == pytest.approx(2, abs=1e-4)
    crest = 2 * np.sin(np.deg2rad(72))  # ten samples a period miss the top by 18 degrees
    assert (x["min"], x["max"]) == pytest.approx((3 - crest, 3 + crest), abs=1e-5)
    assert x["dominant_hz"] == pytest.approx(5)
    assert x["dominant_share"] == pytest.approx(1, abs=1e-6)
    assert x["spectral_entropy"] == pytest.approx(0, abs=1e-5)
    assert x["crossings"] == pytest.approx(20 / 99, abs=2.1 / 99)  # 10 periods
    assert x["median"] == pytest.approx(3, abs=0.01)
    magnitude = found["wrist_acc_magnitude.mean"][0]
    assert magnitude == pytest.approx(3, abs=1e-5)


def test_a_window_that_stands_still_has_finite_features() -> None:
    found = named(np.full((2, 50, 3), 1.0))
    assert found["wrist_acc_magnitude.mean"] == pytest.approx(np.sqrt(3))
    assert not found["wrist_acc_x.crossings"].any()
    assert not found["wrist_acc_x.spectral_entropy"].any()


def test_magnitudes_do_not_change_when_the_sensor_turns() -> None:
    rng = np.random.default_rng(0)
    window = rng.normal(size=(4, 64, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    before, after = named(window), named(window @ turn)
    for name in before:
        if "magnitude" in name:
            np.testing.assert_allclose(before[name], after[name], atol=1e-4)


def test_the_forest_tells_slow_from_fast_and_repeats_itself() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(64) / 50.0
    y = np.arange(60) % 2
    hertz = np.where(y == 1, 6.0, 2.0)
    waves = np.sin(2 * np.pi * hertz[:, None] * time + rng.uniform(0, 6, (60, 1)))
    windows = np.stack([waves, 0 * waves, 0 * waves], axis=2) + rng.normal(0, 0.1, (60, 64, 3))
    x, _ = forest.features(windows.astype(np.float32), ACC, 50.0)
    grown = forest.train(x[:40], y[:40], seed=3)
    assert (grown.predict(x[40:]) == y[40:]).all()
    again = forest.train(x[:40], y[:40], seed=3)
    np.testing.assert_array_equal(grown.predict_proba(x), again.predict_proba(x))
    assert forest.nodes(grown) >= forest.TREES
