"""The stage loss: time and frequency, with and without posture."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.distill.tensors import SEEDS, descends, features, gradient
from tinyhar.distill.stage import attention, frequency_term, spectrum, time_term


@settings(max_examples=20)
@given(SEEDS, st.booleans(), st.integers(7, 12))
def test_equal_features_cost_nothing_and_others_something(seed: int, dc: bool, time: int) -> None:
    one, other = features(seed, time=time), features(seed + 1, time=time)
    assert float(time_term(one, one)) == float(frequency_term(one, one, dc=dc)) == 0.0
    assert float(time_term(one, other)) > 0 and float(frequency_term(one, other, dc=dc)) > 0


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 11))
def test_a_circular_shift_in_time_leaves_the_frequency_term(seed: int, shift: int) -> None:
    teacher, student = features(seed), features(seed + 1)
    shifted = np.roll(student, shift, axis=2)
    before = float(frequency_term(teacher, student))
    assert float(frequency_term(teacher, shifted)) == pytest.approx(before, rel=1e-4)
    later = np.roll(teacher, shift, axis=2)
    assert float(frequency_term(later, student)) == pytest.approx(before, rel=1e-4)
    assert float(frequency_term(student, shifted)) == pytest.approx(0.0, abs=1e-9)
    assert float(time_term(student, shifted)) > 1e-3


def test_posture_counts_only_with_the_dc_bin() -> None:
    teacher = features(1)
    leaning = teacher + 2.0
    assert float(frequency_term(teacher, leaning, dc=False)) == pytest.approx(0.0, abs=1e-9)
    assert float(frequency_term(teacher, leaning)) > 1e-3


def test_attention_is_each_channels_share_of_energy() -> None:
    clock = np.arange(8)
    wave = 3 * np.cos(2 * np.pi * clock / 8) + np.cos(2 * np.pi * 2 * clock / 8)
    x = np.stack([wave, np.zeros(8)], axis=-1)[None, None].astype(np.float32)
    shares = attention(spectrum(x)).numpy()[0]
    assert shares[0] == pytest.approx([0, 0.9, 0.1, 0, 0], abs=1e-6)
    assert shares[1] == pytest.approx(np.zeros(5))  # a silent channel


def test_the_frequency_term_by_hand() -> None:
    """One channel, one wave of amplitude 1 against 3: |X| is 4 and 12, in one bin of weight 1."""
    wave = np.cos(2 * np.pi * np.arange(8) / 8).astype(np.float32).reshape(1, 1, 8, 1)
    assert float(frequency_term(wave, 3 * wave)) == pytest.approx((12 - 4) ** 2 / 8, rel=1e-5)


def test_gradients_flow_even_from_silence() -> None:
    teacher, student = features(1), features(2)
    assert descends(lambda x: time_term(teacher, x), student)
    assert descends(lambda x: frequency_term(teacher, x), student)
    silent = gradient(lambda x: frequency_term(tf.constant(teacher), x), np.zeros_like(student))
    assert np.isfinite(silent).all()
