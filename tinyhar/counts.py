"""Physical units <-> sensor counts <-> int8: integer preprocessing, bit for bit the firmware's.

A count is the int16 that an IMU delivers. A model wants int8 of the normalised signal,

    q = round(((count * lsb - mean) / std) / scale) + zero_point

which is affine in the count, so that one integer multiplier, shift and offset a channel do it all:

    q = clamp((count * multiplier + offset) >> shift, -128, 127)

in int32 with an arithmetic shift; half a step of rounding is inside the offset. As |count| <= 2^15,
|multiplier| < 2^15 and |offset| < 2^30, the sum stays within int32 for every count there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings import STANDARD_GRAVITY, Channel
from tinyhar.windows import Windows

COUNTS: Final = 32768
"""Counts from zero to full scale."""

FULL_SCALE: Final[Mapping[str, float]] = MappingProxyType(
    {"acc": 8 * STANDARD_GRAVITY, "gyro": 2000 * np.pi / 180, "mag": 4900.0}
)
"""What the largest count stands for, in the kind's unit: 8 g, 2000 deg/s, 4900 uT."""

MULTIPLIER_LIMIT: Final = 32767
OFFSET_LIMIT: Final = 1 << 30
LARGEST_SHIFT: Final = 22
"""Above this the offset of a zero point alone would pass OFFSET_LIMIT."""


def lsb_of(
    channels: Sequence[Channel], full_scale: Mapping[str, float] = FULL_SCALE
) -> NDArray[np.float64]:
    """What one count is worth in each channel's unit: float64 [channel].

    Raises DataError for a kind without a full scale.
    """
    for channel in channels:
        if not full_scale.get(channel.kind, 0) > 0:
            raise DataError(
                f"channel {channel.name}: no full scale is given for kind {channel.kind!r}; "
                f"there is {', '.join(full_scale)}"
            )
    return np.array([full_scale[channel.kind] / COUNTS for channel in channels], np.float64)


def to_counts(x: NDArray[np.floating], lsb: NDArray[np.float64]) -> NDArray[np.int16]:
    """Values [..., channel] as an IMU would deliver them: rounded, clipped at full scale."""
    counts = np.rint(x / lsb)
    if np.isnan(counts).any():
        raise DataError("a value that is not a number has no count: fill or cut it first")
    return np.clip(counts, -COUNTS, COUNTS - 1).astype(np.int16)


def from_counts(counts: NDArray[np.int16], lsb: NDArray[np.float64]) -> NDArray[np.float32]:
    """Counts [..., channel] as values in the channels' units."""
    return (counts * lsb).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Mean and standard deviation a channel, and on whom they were measured."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    subjects: tuple[str, ...]

    @classmethod
    def fit(cls, windows: Windows) -> Normalisation:
        """Over all samples of the given windows: pass training windows only.

        Raises DataError for a channel that never changes.
        """
        if not len(windows):
            raise DataError("no windows to measure mean and deviation on")
        mean = windows.x.mean(axis=(0, 1), dtype=np.float64)
        std = windows.x.std(axis=(0, 1), dtype=np.float64)
        for channel, deviation, middle in zip(windows.channels, std, mean, strict=True):
            if not deviation > 1e-6 * (1 + abs(middle)):
                raise DataError(
                    f"channel {channel.name} is constant: a dead sensor or a wrong column"
                )
        return cls(mean=mean, std=std, subjects=windows.subjects)

    def apply(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """(x - mean) / std, [..., channel]."""
        return ((x - self.mean) / self.std).astype(np.float32)


@dataclass(frozen=True, eq=False)
class CountMap:
    """From counts to a model's int8 input, one affine map a channel.

    Args:
        multiplier: int16 [channel], |multiplier| <= 32767.
        shift: uint8 [channel], 0..22.
        offset: int32 [channel], |offset| < 2^30, rounding included.
    """

    multiplier: NDArray[np.int16]
    shift: NDArray[np.uint8]
    offset: NDArray[np.int32]

    def __post_init__(self) -> None:
        if not self.multiplier.shape == self.shift.shape == self.offset.shape:
            raise DataError("a count map needs as many multipliers as shifts and offsets")
        if (
            (np.abs(self.multiplier.astype(np.int64)) > MULTIPLIER_LIMIT).any()
            or (np.abs(self.offset.astype(np.int64)) >= OFFSET_LIMIT).any()
            or (self.shift > LARGEST_SHIFT).any()
        ):
            raise DataError("a count map's multiplier, shift or offset is out of range")

    @classmethod
    def fold(
        cls,
        normalisation: Normalisation,
        lsb: NDArray[np.float64],
        input_scale: float,
        input_zero_point: int,
    ) -> CountMap:
        """Normalisation and input quantisation as integers, with the largest precision that fits.

        Args:
            normalisation: mean and std [channel] in the channels' units.
            lsb: what a count is worth, [channel].
            input_scale: of the model's int8 input.
            input_zero_point: likewise, -128..127.

        Raises:
            DataError: a scale that is not positive, or a mean beyond the sensor's full scale.
        """
        if not (np.isfinite(input_scale) and input_scale > 0):
            raise DataError(f"input scale {input_scale}: it must be positive")
        if not -128 <= input_zero_point <= 127:
            raise DataError(f"input zero point {input_zero_point}: it must be within -128..127")
        maps = [
            _fold_one(index, m, s, unit, input_scale, input_zero_point)
            for index, (m, s, unit) in enumerate(
                zip(normalisation.mean, normalisation.std, lsb, strict=True)
            )
        ]
        multiplier, shift, offset = zip(*maps, strict=True)
        return cls(
            np.array(multiplier, np.int16), np.array(shift, np.uint8), np.array(offset, np.int32)
        )

    def apply(self, counts: NDArray[np.int16]) -> NDArray[np.int8]:
        """Counts int16 [..., channel] to int8 [..., channel], in int32 as the firmware does."""
        if counts.dtype != np.int16:
            raise DataError(f"counts are int16, not {counts.dtype}")
        total = counts.astype(np.int32) * self.multiplier.astype(np.int32) + self.offset
        shifted = np.right_shift(total, self.shift.astype(np.int32))
        return np.clip(shifted, -128, 127).astype(np.int8)


def _fold_one(
    index: int, mean: float, std: float, lsb: float, scale: float, zero_point: int
) -> tuple[int, int, int]:
    """Multiplier, shift and offset of one channel.

    The offset is anchored at the mean's count, not at count 0: the rounding of the multiplier then
    costs nothing where the signal lives, and its error has grown to a few hundredths of a step only
    where the int8 range ends.
    """
    middle = mean / lsb
    if not (std > 0 and lsb > 0 and abs(middle) <= COUNTS):
        raise DataError(
            f"channel {index + 1}: mean {mean:g} and deviation {std:g} do not fit a sensor whose "
            f"full scale is {lsb * COUNTS:g}; raise the full scale in the recipe's table [data]"
        )
    slope = lsb / (std * scale)
    for shift in range(LARGEST_SHIFT, -1, -1):
        multiplier = round(slope * (1 << shift))
        half = (1 << shift) >> 1
        offset = round(zero_point * (1 << shift) - multiplier * middle) + half
        if multiplier <= MULTIPLIER_LIMIT and abs(offset) < OFFSET_LIMIT:
            return multiplier, shift, offset
    raise DataError(
        f"channel {index + 1}: one count is {slope:g} steps of the int8 input; the deviation "
        f"{std:g} is too small for this sensor: lower the full scale in the recipe's table [data], "
        "or leave the sensor out of its kinds"
    )
