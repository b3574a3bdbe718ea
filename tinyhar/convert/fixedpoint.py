"""TensorFlow Lite Micro's integer arithmetic, bit for bit, on numpy arrays.

Two roundings: TFLM's default build multiplies high with rounding, then divides by a power of two
with rounding half away from zero (`kernels/internal/common.cc`, TFLITE_SINGLE_ROUNDING unset; the
`tflite-micro` package and CMSIS-NN do the same). All arrays here are int64 holding int32 values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]


def quantise_multiplier(real: float) -> tuple[int, int]:
    """Real factor as (multiplier, shift): real = multiplier * 2**(shift - 31).

    The multiplier is in [2**30, 2**31) or 0; a factor below 2**-31 becomes 0 (TFLM's
    `QuantizeMultiplier`).
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def doubling_high_multiply(x: Int, y: Any) -> Int:
    """gemmlowp `SaturatingRoundingDoublingHighMul`: round(x*y / 2**31).

    The C's sign-dependent nudge and truncation are this floor; -2**31 times itself saturates.
    """
    product = (np.asarray(x, np.int64) * y + (1 << 30)) >> 31
    return np.minimum(product, (1 << 31) - 1)


def divide_by_power_of_two(x: Int, exponent: Any) -> Int:
    """gemmlowp `RoundingDivideByPOT`: x / 2**exponent, halves away from zero."""
    exponent = np.asarray(exponent, np.int64)
    half = (np.int64(1) << exponent) >> 1
    return (x + half - ((x < 0) & (exponent > 0))) >> exponent


def multiply(x: Int, multiplier: Any, shift: Any) -> Int:
    """TFLM `MultiplyByQuantizedMultiplier`; a positive shift is to the left, before."""
    shift = np.asarray(shift, np.int64)
    left = np.maximum(shift, 0)
    return divide_by_power_of_two(doubling_high_multiply(x << left, multiplier), left - shift)


def round_half_away(x: np.float32) -> int:
    """C's `round` on a float32."""
    return math.floor(abs(float(x)) + 0.5) * (1 if x >= 0 else -1)


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """int8 limits of a fused activation, as TFLM quantises them (in float32)."""

    def quantised(value: float) -> int:
        return zero_point + round_half_away(np.float32(value) / np.float32(scale))

    low, high = -128, 127
    if activation in ("RELU", "RELU6"):
        low = max(low, quantised(0.0))
    if activation == "RELU6":
        high = min(high, quantised(6.0))
    if activation == "RELU_N1_TO_1":
        low, high = max(low, quantised(-1.0)), min(high, quantised(1.0))
    return low, high
