"""The band's teaching arithmetic against the desk's, byte for byte."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.probe import Probe
from tinyhar.convert.teaching import Teaching

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 256)


def some(seed: int, size: int, classes: int, shift: int, extreme: bool) -> Teaching:
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        if extreme:
            return random.choice(np.array([-128, 127], np.int8), shape)
        return random.integers(-128, 128, shape).astype(np.int8)

    lower = np.tril(draw(size, size))
    precision = lower + np.tril(lower, -1).T
    multiplier = 0xFFFF if extreme else int(random.integers(0, 0x10000))
    zero = int(random.choice([-128, 0, 127, random.integers(-128, 128)]))
    return Teaching(zero, shift, multiplier, precision, draw(classes, size))


@given(SEEDS, SIZES, st.integers(1, 12), st.integers(1, 62), st.booleans())
def test_logits(
    probe: Probe, seed: int, size: int, classes: int, shift: int, extreme: bool
) -> None:
    teaching = some(seed, size, classes, shift, extreme)
    x = some(seed + 1, size, 3, 1, extreme).means
    said = probe.ask("t", struct.pack("<HB", size, classes) + teaching.pack() + x.tobytes())
    expected = teaching.logits(x, teaching.means)
    np.testing.assert_array_equal(np.frombuffer(said, np.int8).reshape(3, -1), expected)


@given(SEEDS, SIZES, st.integers(1, 40), st.integers(1, 0xFFFF), st.booleans(), st.booleans())
def test_means(
    probe: Probe, seed: int, size: int, windows: int, window: int, known: bool, extreme: bool
) -> None:
    shown = some(seed, size, windows, 1, extreme).means
    teaching = some(seed + 1, size, 1, 1, extreme)
    samples = 0xFFFFFFFF if extreme else window + (windows - 1) * max(1, window // 10)
    head = struct.pack("<HHIB", size, window, samples, known)
    said = probe.ask("a", head + teaching.means.tobytes() + shown.tobytes())
    expected = teaching.mean(shown, samples, window, teaching.means[0] if known else None)
    np.testing.assert_array_equal(np.frombuffer(said, np.int8), expected)
