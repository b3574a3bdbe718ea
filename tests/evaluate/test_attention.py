from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.evaluate.attention import MOST_STEPS, ClassAttention, by_class, shades, steps


def maps(seed: int, n: int, time: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sensor = rng.dirichlet(np.ones(channels), (n, time)).astype(np.float32)
    return sensor, rng.dirichlet(np.ones(time), n).astype(np.float32)


@given(st.integers(0, 99), st.integers(1, 20), st.integers(2, 9), st.integers(2, 6))
def test_rows_of_each_class_sum_to_one(seed: int, n: int, time: int, channels: int) -> None:
    sensor, temporal = maps(seed, n, time, channels)
    y = np.random.default_rng(seed).integers(0, 3, n)
    found = by_class(y, classes=4, sensor=sensor, temporal=temporal)
    assert found.sensor is not None and found.temporal is not None
    assert found.sensor.shape == (4, channels) and found.temporal.shape == (4, time)
    done = np.array(found.windows) > 0
    np.testing.assert_allclose(found.sensor[done].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found.temporal[done].sum(axis=1), 1, rtol=1e-5)
    assert np.isnan(found.sensor[~done]).all() and sum(found.windows) == n


def test_a_class_is_the_mean_of_its_own_windows_only() -> None:
    sensor, temporal = maps(0, 5, 4, 3)
    found = by_class([0, 1, 0, 1, 1], classes=2, sensor=sensor, temporal=temporal)
    np.testing.assert_allclose(found.sensor[0], sensor[[0, 2]].mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(found.temporal[1], temporal[[1, 3, 4]].mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("time", [1, 7, MOST_STEPS, 128, 125])
def test_even_attention_is_one_however_long_the_window(time: int) -> None:
    drawn = steps(np.full((2, time), 1 / time))
    np.testing.assert_allclose(drawn, 1)
    assert drawn.shape == (2, min(time, MOST_STEPS))


def test_shades_reach_from_pale_to_full() -> None:
    shaded = shades(np.array([[0.1, 0.3], [np.nan, 0.5]]))
    np.testing.assert_allclose(shaded, [[0, 0.5], [np.nan, 1]])
    np.testing.assert_allclose(shades(np.ones((2, 2))), 0.5)


def test_maps_that_do_not_fit_the_windows_are_refused() -> None:
    with pytest.raises(DataError, match="2 attention maps for 3 windows"):
        by_class([0, 1, 1], classes=2, temporal=np.ones((2, 4), np.float32) / 4)
    with pytest.raises(DataError, match="a row for each of 3 classes"):
        ClassAttention(np.ones((2, 4)), None, (1, 1, 1))
