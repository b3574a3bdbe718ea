"""Which students a search may try: the separable family by widths, depth, kernels and stride."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

WIDTHS: Final = (4, 8, 12, 16, 24, 32, 48, 64)
"""Multiples of 4, as the engine's kernels like them; a later stage is never narrower."""
DEPTHS: Final = (1, 2, 3)
KERNELS: Final = (3, 5, 7, 9)
STEM_KERNELS: Final = (5, 9)
STEM_STRIDES: Final = (2, 4)
STAGES: Final = (2, 3)


@dataclass(frozen=True, order=True)
class Candidate:
    """A student: `widths` are those of the stem and of each stage, `window` is in samples."""

    window: int
    widths: tuple[int, ...]
    depth: int
    kernel: int
    stem_kernel: int
    stem_stride: int

    @property
    def name(self) -> str:
        """For files and tables: w128-16.24.32-d2-k5-s9.2."""
        widths = ".".join(map(str, self.widths))
        stem = f"{self.stem_kernel}.{self.stem_stride}"
        return f"w{self.window}-{widths}-d{self.depth}-k{self.kernel}-s{stem}"

    @property
    def options(self) -> dict[str, Any]:
        """Of the architecture ``separable``."""
        return {
            "widths": self.widths,
            "depth": self.depth,
            "kernel": self.kernel,
            "stem_kernel": self.stem_kernel,
            "stem_stride": self.stem_stride,
        }

    @property
    def changes(self) -> list[str]:
        """What makes a recipe of this student, as ``tinyhar run --set`` takes it."""
        widths = ", ".join(map(str, self.widths))
        return [
            "student.architecture=separable",
            f"student.options={{widths=[{widths}], depth={self.depth}, kernel={self.kernel}, "
            f"stem_kernel={self.stem_kernel}, stem_stride={self.stem_stride}}}",
            'pruning={method="none"}',
        ]


def sample(count: int, windows: Sequence[int], *, seed: int) -> list[Candidate]:
    """Different candidates, drawn at random; the same seed draws the same ones."""
    drawn = islice(_endless(windows, seed), 200 * count)
    return list(dict.fromkeys(drawn))[:count]


def _endless(windows: Sequence[int], seed: int) -> Iterator[Candidate]:
    random = np.random.default_rng(seed)

    def one(values: Sequence[int]) -> int:
        return values[int(random.integers(len(values)))]

    while True:
        stages = one(STAGES)
        widths = sorted(one(WIDTHS) for _ in range(stages + 1))
        yield Candidate(
            window=one(windows),
            widths=tuple(widths),
            depth=one(DEPTHS),
            kernel=one(KERNELS),
            stem_kernel=one(STEM_KERNELS),
            stem_stride=one(STEM_STRIDES),
        )
