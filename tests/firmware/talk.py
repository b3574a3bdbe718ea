"""What the tests say to a band that runs the stub bundle, and how they read its answers."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from tests.firmware.stub_model import CLASSES, WINDOW, answer
from tests.firmware.wire import Client
from tinyhar.convert.bundle import Smoothing
from tinyhar.evaluate.smoothing import Smoother

IDENTIFY, DESCRIBE, INFER, TRACE, STREAM, SELFTEST, STATS, SETTINGS, RESET = range(1, 10)
BOOT, PREDICTION, ERROR = 0x40, 0x41, 0xFF
UNKNOWN, BAD_LENGTH, BAD_VALUE, NO_MODEL, PROTOCOL, OUT_OF_ORDER = range(1, 7)
TOO_BIG = 9

Start = Callable[..., Client]


def infer_body(counts: np.ndarray, first: int = 0) -> bytes:
    return struct.pack("<H", first) + counts.astype("<i2").tobytes()


def stream_body(counts: np.ndarray, first: int) -> bytes:
    return struct.pack("<I", first) + counts.astype("<i2").tobytes()


def logits_of(response: bytes) -> list[int]:
    assert response[0] == 1
    return np.frombuffer(response[6:], np.int8).tolist()


def predictions(
    counts: np.ndarray, stride: int, smoothing: Smoothing
) -> list[tuple[int, int, int, int, int, list[int]]]:
    """index, last sample, class, shown, confidence and logits of every window of a stream."""
    smoother = Smoother(smoothing, CLASSES)
    found = []
    for index, first in enumerate(range(0, len(counts) - WINDOW + 1, stride)):
        logits = answer(counts[first : first + WINDOW])
        shown = smoother.push(logits)
        found.append((index, first + WINDOW - 1, int(logits.argmax()), *shown, logits.tolist()))
    return found


def parse_prediction(event: tuple[int, int, bytes]) -> tuple[int, int, int, int, int, list[int]]:
    assert event[0] == PREDICTION
    index, last, top, shown, confidence, _ = struct.unpack_from("<IIBBBI", event[2])
    return index, last, top, shown, confidence, np.frombuffer(event[2][15:], np.int8).tolist()
