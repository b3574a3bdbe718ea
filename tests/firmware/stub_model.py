"""A bundle for firmware/tests/stub_engine.c, and what that engine answers."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.bundle import Bundle, Smoothing
from tinyhar.convert.teaching import Teaching, fit_teaching
from tinyhar.counts import CountMap

WINDOW, CHANNELS, CLASSES, STRIDE = 16, 3, 4, 5
TEACHING_STRIDE = max(1, WINDOW // 10)


def stub_logits(q: NDArray[np.int8]) -> NDArray[np.int8]:
    """int8 [class] of int8 [time, channel]."""
    flat = q.reshape(-1).astype(int)
    return np.array(
        [np.clip(flat[k::CLASSES].sum() >> 4, -128, 127) for k in range(CLASSES)], np.int8
    )


def stub_trace(q: NDArray[np.int8]) -> list[int]:
    """CRC-32 of input and layers."""
    return [zlib.crc32(a.tobytes()) for a in (q, ~q, stub_logits(q))]


def random_counts(seed: int, samples: int = WINDOW) -> NDArray[np.int16]:
    """int16 [samples, channel], all values alike probable."""
    return np.random.default_rng(seed).integers(-32768, 32768, (samples, CHANNELS), dtype=np.int16)


COUNT_MAP = CountMap(
    multiplier=np.array([30, -17, 9], np.int16),
    shift=np.array([12, 13, 11], np.uint8),
    offset=np.array([2048, -100_000, 700], np.int32),
)


def crashing_counts(*, by_stack: bool) -> NDArray[np.int16]:
    """A window on which the stub engine crashes: an illegal instruction, or endless recursion."""
    counts = np.zeros((WINDOW, CHANNELS), np.int16)
    counts[0] = 32767, -32000 if by_stack else -32768, 0
    assert COUNT_MAP.apply(counts)[0, :2].tolist() == [127, 54 if by_stack else 55]
    return counts


def answer(counts: NDArray[np.int16]) -> NDArray[np.int8]:
    """Logits of a window of counts."""
    return stub_logits(COUNT_MAP.apply(counts))


def embedding(counts: np.ndarray) -> np.ndarray:
    """int8 [48]: what the stub engine shows of a window."""
    return ~COUNT_MAP.apply(counts).reshape(-1)


def movement(seed: int, samples: int = 40) -> np.ndarray:
    """Counts int16 [samples, 3] that keep to one posture, with some noise."""
    random = np.random.default_rng(seed)
    posture = random.integers(-9000, 9000, 3)
    return (posture + random.normal(0, 1500, (samples, 3))).astype(np.int16)


def windows_of(counts: np.ndarray) -> list[np.ndarray]:
    """What a band that is shown these counts averages."""
    return [counts[i : i + WINDOW] for i in range(0, len(counts) - WINDOW + 1, TEACHING_STRIDE)]


def stub_teaching() -> Teaching:
    """From four postures."""
    shown = [windows_of(movement(seed, 60)) for seed in range(4)]
    x = np.stack([embedding(window) for windows in shown for window in windows])
    y = np.repeat(np.arange(4), len(shown[0]))
    return fit_teaching(x, y, 4, zero_point=-128, output_scale=0.125)


def stub_bundle(**changed: object) -> Bundle:
    """A whole bundle; name fields to change them."""
    golden = np.stack([random_counts(seed) for seed in (1, 2, 3)])
    fields: dict[str, object] = {
        "classes": ("walk", "stairs", "sit", "drink ☕"),
        "channels": ("wrist_acc_x", "wrist_acc_y", "wrist_acc_z"),
        "units": ("m/s^2",) * CHANNELS,
        "window": WINDOW,
        "stride": STRIDE,
        "rate": 31.25,
        "lsb": np.full(CHANNELS, 0.0024),
        "count_map": COUNT_MAP,
        "engine": "compiled",
        "model": struct.pack("<4sII", b"STUB", WINDOW * CHANNELS, CLASSES),
        "arena_bytes": WINDOW * CHANNELS,
        "output_scale": 0.125,
        "output_zero_point": -3,
        "golden_counts": golden,
        "golden_logits": np.stack([answer(window) for window in golden]),
        "smoothing": Smoothing(length=3, hold=2),
    }
    return Bundle(**(fields | changed))  # type: ignore[arg-type]
