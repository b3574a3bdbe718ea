"""Fixed-point arithmetic against the C it stands for, transcribed with Python's exact integers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.convert import fixedpoint

INT32 = st.integers(-(2**31), 2**31 - 1)


def truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def gemmlowp_high_multiply(a: int, b: int) -> int:
    if a == b == -(2**31):
        return 2**31 - 1
    nudge = 1 << 30 if a * b >= 0 else 1 - (1 << 30)
    return truncated(a * b + nudge, 1 << 31)


def gemmlowp_divide(x: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


@given(INT32, INT32)
def test_doubling_high_multiply(a: int, b: int) -> None:
    ours = fixedpoint.doubling_high_multiply(np.array([a], np.int64), b)
    assert ours[0] == gemmlowp_high_multiply(a, b)


@given(INT32, st.integers(0, 31))
def test_divide_by_power_of_two(x: int, exponent: int) -> None:
    ours = fixedpoint.divide_by_power_of_two(np.array([x], np.int64), exponent)
    assert ours[0] == gemmlowp_divide(x, exponent)


@given(st.floats(1e-12, 1e6, allow_nan=False))
def test_quantise_multiplier_is_within_half_a_unit(real: float) -> None:
    multiplier, shift = fixedpoint.quantise_multiplier(real)
    if real < 2.0**-32:
        assert (multiplier, shift) == (0, 0)
        return
    assert 2**30 <= multiplier < 2**31
    value = Fraction(multiplier) * Fraction(2) ** (shift - 31)
    assert abs(value - Fraction(real)) <= Fraction(2) ** (shift - 32)


def test_quantise_multiplier_carries_into_the_exponent() -> None:
    just_below_one = math.nextafter(1.0, 0.0)
    assert fixedpoint.quantise_multiplier(just_below_one) == (2**30, 1)
    assert fixedpoint.quantise_multiplier(0.0) == (0, 0)


def test_activation_ranges() -> None:
    assert fixedpoint.activation_range("NONE", 0.1, 3) == (-128, 127)
    assert fixedpoint.activation_range("RELU", 0.1, -128) == (-128, 127)
    assert fixedpoint.activation_range("RELU", 0.1, 5) == (5, 127)
    assert fixedpoint.activation_range("RELU6", 0.1, -100) == (-100, -40)
    assert fixedpoint.activation_range("RELU_N1_TO_1", 0.1, 0) == (-10, 10)
