"""The int8 softmax of TFLM on gemmlowp's fixed point numbers, as numpy int64.

After `reference/softmax.h` and gemmlowp `fixedpoint.h`: exp on negative Q5.26 numbers by a Taylor
series around -1/8 and a barrel shifter, the reciprocal by three Newton-Raphson steps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.fixedpoint import (
    Int,
    divide_by_power_of_two,
    doubling_high_multiply,
)

_EXPONENTIALS: Final = (
    (24, 1672461947),  # exp(-1/4), and the bit of a Q5.26 number that stands for 1/4
    (25, 1302514674),
    (26, 790015084),
    (27, 290630308),
    (28, 39332535),
    (29, 720401),
    (30, 242),
)
_ONE: Final = (1 << 31) - 1


def _saturating_shift(x: Int, bits: int) -> Int:
    limit = 1 << (31 - bits)
    return np.where(x >= limit, _ONE, np.where(x < 1 - limit, -(1 << 31), x << bits))


def exp_on_negative(a: Int) -> Int:
    """exp of Q5.26 numbers in (-32, 0], as Q0.31."""
    quarter = 1 << 24
    shifted = (a & (quarter - 1)) - quarter
    x = _saturating_shift(shifted, 5) + (1 << 28)
    x2 = doubling_high_multiply(x, x)
    x3 = doubling_high_multiply(x2, x)
    x4 = doubling_high_multiply(x2, x2)
    third = doubling_high_multiply(divide_by_power_of_two(x4, 2) + x3, 715827883) + x2
    series = x + divide_by_power_of_two(third, 1)
    result = 1895147668 + doubling_high_multiply(series, 1895147668)
    remainder = shifted - a
    for bit, factor in _EXPONENTIALS:
        scaled = doubling_high_multiply(result, factor)
        result = np.where(remainder & (1 << bit), scaled, result)
    return np.where(a == 0, _ONE, result)


def reciprocal(x: Int) -> tuple[Int, Int]:
    """(1 / x as Q0.31 of the normalised x, bits over one) for Q12.19 sums x >= 1."""
    headroom = 32 - np.floor(np.log2(x.astype(np.float64))).astype(np.int64) - 1
    fraction = (x << headroom) - (1 << 31)
    total = fraction + _ONE
    half = (total + 1) >> 1  # both terms are positive: the C's sign never shows
    guess = 1515870810 + doubling_high_multiply(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_multiply(half, guess)
        guess = guess + _saturating_shift(doubling_high_multiply(guess, error), 2)
    return _saturating_shift(guess, 1), 12 - headroom


def softmax_rows(
    x: NDArray[np.int8], multiplier: int, shift: int, lowest: int
) -> NDArray[np.int64]:
    """Softmax of each row of `x` [rows, classes]: int8 values with scale 1/256, zero point -128."""
    difference = x.astype(np.int64) - x.max(axis=1, keepdims=True)
    used = difference >= lowest
    scaled = doubling_high_multiply(np.where(used, difference, 0) << shift, multiplier)
    exponential = exp_on_negative(scaled)
    total = np.where(used, divide_by_power_of_two(exponential, 12), 0).sum(axis=1, keepdims=True)
    factor, over = reciprocal(total)
    share = divide_by_power_of_two(doubling_high_multiply(factor, exponential), over + 23)
    return np.where(used, np.clip(share - 128, -128, 127), -128)
