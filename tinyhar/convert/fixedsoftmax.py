"""The int8 softmax of TFLM on gemmlowp's fixed point numbers, as numpy int64.

After `reference/softmax.h`: differences to the largest logit as Q5.26, exponentials as Q0.31.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.fixedexp import exp_on_negative, saturating_shift, two_over_one_plus
from tinyhar.convert.fixedpoint import (
    Int,
    divide_by_power_of_two,
    doubling_high_multiply,
)


def reciprocal(x: Int) -> tuple[Int, Int]:
    """(1 / x as Q0.31 of the normalised x, bits over one) for Q12.19 sums x >= 1."""
    headroom = 32 - np.floor(np.log2(x.astype(np.float64))).astype(np.int64) - 1
    fraction = (x << headroom) - (1 << 31)
    return saturating_shift(two_over_one_plus(fraction), 1), 12 - headroom


def softmax_rows(
    x: NDArray[np.int8], multiplier: int, shift: int, lowest: int
) -> NDArray[np.int64]:
    """Softmax of each row of `x` [rows, classes]: int8 values with scale 1/256, zero point -128."""
    difference = x.astype(np.int64) - x.max(axis=1, keepdims=True)
    used = difference >= lowest
    scaled = doubling_high_multiply(np.where(used, difference, 0) << shift, multiplier)
    exponential = exp_on_negative(scaled, 5)
    total = np.where(used, divide_by_power_of_two(exponential, 12), 0).sum(axis=1, keepdims=True)
    factor, over = reciprocal(total)
    share = divide_by_power_of_two(doubling_high_multiply(factor, exponential), over + 23)
    return np.where(used, np.clip(share - 128, -128, 127), -128)
