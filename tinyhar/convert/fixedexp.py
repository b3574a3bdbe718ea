"""exp, and what is divided by 1 + x, on gemmlowp's fixed point numbers, as numpy int64.

After gemmlowp `fixedpoint.h`: exp on negative numbers by a Taylor series around -1/8 and a barrel
shifter, the reciprocal by three Newton-Raphson steps. A Qi.f number has i bits before the point.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tinyhar.convert.fixedpoint import Int, divide_by_power_of_two, doubling_high_multiply

ONE: Final = (1 << 31) - 1
"""One, as nearly as Q0.31 can."""

_EXPONENTIALS: Final = (
    (-2, 1672461947),  # exp(-1/4), and the power of two that is 1/4
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


def saturating_shift(x: Int, bits: int) -> Int:
    """x * 2**bits within 32 bits."""
    limit = 1 << (31 - bits)
    return np.where(x >= limit, ONE, np.where(x < 1 - limit, -(1 << 31), x << bits))


def exp_on_negative(a: Int, integer_bits: int) -> Int:
    """exp of numbers in (-2**integer_bits, 0] with so many bits before the point, as Q0.31."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    shifted = (a & (quarter - 1)) - quarter
    x = saturating_shift(shifted, integer_bits) + (1 << 28)
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4 = doubling_high_multiply(x2, x2)
    third = doubling_high_multiply(divide_by_power_of_two(x4, 2) + x3, 715827883) + x2
    series = x + divide_by_power_of_two(third, 1)
    result = 1895147668 + doubling_high_multiply(series, 1895147668)
    remainder = shifted - a
    for power, factor in _EXPONENTIALS:
        if power < integer_bits:
            scaled = doubling_high_multiply(result, factor)
            result = np.where(remainder & (1 << (fraction_bits + power)), scaled, result)
    return np.where(a == 0, ONE, result)


def two_over_one_plus(x: Int) -> Int:
    """2 / (1 + x) for Q0.31 numbers in [0, 1], as Q2.29."""
    half = (x + ONE + 1) >> 1  # both terms are positive: the C's sign never shows
    guess = 1515870810 + doubling_high_multiply(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(half, guess)
        guess = guess + saturating_shift(doubling_high_multiply(guess, error), 2)
    return guess
