"""The int8 curves of TFLM (hard swish, logistic, tanh, ReLUs) on numpy integers, bit for bit.

Arguments are int64 arrays of int8 values; scales are the float32 numbers of the file. Results are
int64, within int8 where TFLM saturates, else to be clipped by the caller.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from tinyhar.convert.fixedexp import exp_on_negative, saturating_shift, two_over_one_plus
from tinyhar.convert.fixedpoint import (
    Int,
    divide_by_power_of_two,
    multiply,
    quantise_multiplier,
)

_Q4_BITS: Final = 27
"""After the point of the Q4.27 number that logistic and tanh take."""
_INT16: Final = (-(1 << 15), (1 << 15) - 1)
SMALLEST_CURVED_SCALE: Final = 2.0**-_Q4_BITS
"""Of an input of logistic and tanh: below it TFLM's shifts are undefined."""
DEEPEST_SWISH: Final = 14
"""Of a hard swish: more bits to the right are more than its 16-bit numbers have."""


def logistic(x: Int, scale: float, zero: int) -> Int:
    """1 / (1 + exp(-x)) with output scale 1/256 and zero point -128 (`integer_ops/logistic.h`)."""
    centred, q4, radius = _as_q4(x, scale, zero)
    share = saturating_shift(two_over_one_plus(exp_on_negative(-np.abs(q4), 4)), 1)
    share = np.where(q4 == 0, 1 << 30, np.where(q4 > 0, share, (1 << 31) - 1 - share))
    value = np.clip(divide_by_power_of_two(share, 23) - 128, -128, 127)
    return _beyond(value, centred, radius)


def tanh(x: Int, scale: float, zero: int) -> Int:
    """tanh(x) with output scale 1/128 and zero point 0 (`integer_ops/tanh.h`)."""
    centred, q4, radius = _as_q4(x, scale, zero)
    # The same bits read as Q5.26 are twice the number.
    ratio = two_over_one_plus(exp_on_negative(-np.abs(q4), 5)) - (1 << 29)
    positive = saturating_shift(ratio, 2)
    share = np.where(q4 == 0, 0, np.where(q4 > 0, positive, -positive))
    return _beyond(np.clip(divide_by_power_of_two(share, 24), -128, 127), centred, radius)


def _as_q4(x: Int, scale: float, zero: int) -> tuple[Int, Int, int]:
    """Centred values, the same as Q4.27, and the first centred value beyond that."""
    multiplier, shift = quantise_multiplier(scale * 2.0**_Q4_BITS)
    radius = math.floor(15.0 * 2.0**_Q4_BITS / 2.0**shift)
    centred = x - zero
    inside = np.clip(centred, 1 - radius, radius - 1) if radius > 0 else 0 * centred
    return centred, multiply(inside, multiplier, shift), radius


def _beyond(value: Int, centred: Int, radius: int) -> Int:
    return np.where(centred <= -radius, -128, np.where(centred >= radius, 127, value))


def hard_swish_shifts(in_scale: float, out_scale: float) -> tuple[int, int]:
    """Powers of two of a hard swish's output and inner factor; TFLM wants the first below one."""
    return _swish_factors(in_scale, out_scale)[0][1], _swish_factors(in_scale, out_scale)[1][1]


def hard_swish(x: Int, in_scale: float, in_zero: int, out_scale: float, out_zero: int) -> Int:
    """x * relu6(x + 3) / 6, in 16-bit numbers (`reference/hard_swish.h`)."""
    (out_factor, out_shift), (inner_factor, inner_shift) = _swish_factors(in_scale, out_scale)
    fine = (x - in_zero) << 7
    scaled = _half_multiply(fine, out_factor)
    inner = fine
    if inner_shift > 0:
        inner = np.clip(inner << (inner_shift - 1), *_INT16)
    inner = _half_multiply(inner, inner_factor)
    if inner_shift > 0:
        inner = np.clip(inner << 1, *_INT16)
    else:
        inner = divide_by_power_of_two(inner, -inner_shift)
    gate = (inner + (1 << 15)) >> 1
    product = gate * scaled
    truncated = np.where(product < 0, -(-product >> 15), product >> 15)
    return divide_by_power_of_two(truncated, -out_shift) + out_zero


def _swish_factors(in_scale: float, out_scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """16-bit factors and their powers of two, from float32 quotients as TFLM computes them."""
    fine = np.float32(1.0 / 128.0) * np.float32(in_scale)
    pairs = (
        quantise_multiplier(float(fine / np.float32(out_scale))),
        quantise_multiplier(float(fine / np.float32(3.0 / 32768.0))),
    )
    halves = [(min((factor + (1 << 15)) >> 16, _INT16[1]), shift) for factor, shift in pairs]
    return halves[0], halves[1]


def _half_multiply(x: Int, factor: int) -> Int:
    """gemmlowp's rounding doubling high product of 16-bit numbers: round(x*factor / 2**15)."""
    return np.minimum((x * factor + (1 << 14)) >> 15, _INT16[1])


def leaky_relu(
    x: Int, alpha: float, in_scale: float, in_zero: int, out_scale: float, out_zero: int
) -> Int:
    """x, or alpha * x below zero."""
    wide, narrow = np.float32(in_scale), np.float32(out_scale)
    above = quantise_multiplier(float(wide / narrow))
    below = quantise_multiplier(float(wide * np.float32(alpha) / narrow))
    centred = x - in_zero
    return out_zero + np.where(centred >= 0, multiply(centred, *above), multiply(centred, *below))


def rescaled(x: Int, in_scale: float, in_zero: int, out_scale: float, out_zero: int) -> Int:
    """The same real numbers on another scale; halves away from zero."""
    factor = quantise_multiplier(float(np.float32(in_scale) / np.float32(out_scale)))
    return multiply(x - in_zero, *factor) + out_zero
