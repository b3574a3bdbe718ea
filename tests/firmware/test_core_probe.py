"""The core's pure functions against the desk's, byte for byte."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.firmware.probe import Probe
from tests.firmware.wire import crc16, frame, parse
from tinyhar.convert.bundle import Smoothing
from tinyhar.counts import CountMap
from tinyhar.evaluate.smoothing import Smoother

READY, BAD, TOO_BIG = 1, 2, 3


def test_the_c_unit_tests_pass(sanitized: Path) -> None:
    done = subprocess.run(
        ["ctest", "--output-on-failure", "--no-tests=error"],
        cwd=sanitized,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# ---- frames ----


@given(payload=st.binary(min_size=2, max_size=700))
def test_the_core_frames_as_the_cobs_package_does(probe: Probe, payload: bytes) -> None:
    sealed = payload + struct.pack("<H", crc16(payload))
    assert probe.ask("e", payload) == cobs.encode(sealed) + b"\0"


def expected_events(line: bytes, capacity: int) -> list[tuple[int, bytes]]:
    """What a receiver must make of a line, by the cobs package."""
    events = []
    for piece in line.split(b"\0")[:-1]:
        if not piece:
            continue
        try:
            kind, seq, body = parse(piece)
        except (cobs.DecodeError, AssertionError, IndexError, struct.error):
            events.append((BAD, b""))
            continue
        fits = len(body) + 4 <= capacity
        events.append((READY, bytes([kind, seq]) + body) if fits else (TOO_BIG, b""))
    return events


def decoded_events(probe: Probe, line: bytes, capacity: int) -> list[tuple[int, bytes]]:
    answer = probe.ask("d", struct.pack("<H", capacity) + line)
    events = []
    while answer:
        event, answer = answer[0], answer[1:]
        size = struct.unpack_from("<I", answer)[0] if event == READY else 0
        start = 4 if event == READY else 0
        events.append((event, answer[start : start + size]))
        answer = answer[start + size :]
    return events


frames = st.builds(frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=600))


@given(
    pieces=st.lists(st.one_of(frames, st.binary(max_size=300), st.just(b"\0")), max_size=8),
    capacity=st.integers(4, 300),
)
def test_the_decoder_makes_of_any_line_what_cobs_makes_of_it(
    probe: Probe, pieces: list[bytes], capacity: int
) -> None:
    line = b"".join(pieces) + b"\0"
    assert decoded_events(probe, line, capacity) == expected_events(line, capacity)


@given(garbage=st.binary(max_size=400), good=frames)
def test_after_any_garbage_a_flushed_frame_comes_through(
    probe: Probe, garbage: bytes, good: bytes
) -> None:
    events = decoded_events(probe, garbage + b"\0" + good, 1024)
    assert events[-1] == (READY, cobs.decode(good[:-1])[:-2])


# ---- counts ----


@st.composite
def count_maps(draw: st.DrawFn) -> CountMap:
    channels = draw(st.integers(1, 9))
    edge = (1 << 30) - 1
    return CountMap(
        multiplier=draw(arrays.arrays(np.int16, channels, elements=st.integers(-32767, 32767))),
        shift=draw(arrays.arrays(np.uint8, channels, elements=st.integers(0, 22))),
        offset=draw(arrays.arrays(np.int32, channels, elements=st.integers(-edge, edge))),
    )


@settings(max_examples=300)
@given(count_map=count_maps(), data=st.data())
def test_counts_map_to_the_same_int8(
    probe: Probe, count_map: CountMap, data: st.DataObject
) -> None:
    channels = len(count_map.shift)
    shape = (data.draw(st.integers(1, 20)), channels)
    counts = data.draw(arrays.arrays(np.int16, shape))
    entries = b"".join(
        struct.pack("<ihBx", offset, multiplier, shift)
        for offset, multiplier, shift in zip(
            count_map.offset, count_map.multiplier, count_map.shift, strict=True
        )
    )
    answer = probe.ask("c", bytes([channels]) + entries + counts.astype("<i2").tobytes())
    assert answer == count_map.apply(counts).tobytes()


@pytest.mark.parametrize("count", [-32768, 32767])
@pytest.mark.parametrize("multiplier", [-32767, 32767])
@pytest.mark.parametrize("offset", [1 - (1 << 30), (1 << 30) - 1])
@pytest.mark.parametrize("shift", [0, 22])
def test_the_corners_of_the_count_map_do_not_overflow(
    probe: Probe, count: int, multiplier: int, offset: int, shift: int
) -> None:
    request = b"\1" + struct.pack("<ihBxh", offset, multiplier, shift, count)
    exact = max(-128, min(127, (count * multiplier + offset) >> shift))
    assert probe.ask("c", request) == struct.pack("<b", exact)


# ---- smoothing ----


@given(
    logits=st.integers(1, 6).flatmap(
        lambda classes: arrays.arrays(
            np.int8,
            st.tuples(st.integers(1, 60), st.just(classes)),
            # Few values, so that ties and changes of the lead are common.
            elements=st.sampled_from([-128, -1, 0, 1, 5, 127]),
        )
    ),
    length=st.integers(1, 9),
    hold=st.integers(1, 5),
)
def test_smoothing_shows_the_same_class_and_confidence(
    probe: Probe, logits: np.ndarray, length: int, hold: int
) -> None:
    smoother = Smoother(Smoothing(length=length, hold=hold), logits.shape[1])
    expected = b"".join(bytes(smoother.push(row)) for row in logits)
    request = bytes([logits.shape[1], length, hold]) + logits.tobytes()
    assert probe.ask("m", request) == expected


# ---- checksums ----


@given(data=st.binary(max_size=300))
def test_sha256_is_hashlibs(probe: Probe, data: bytes) -> None:
    assert probe.ask("s", data) == hashlib.sha256(data).digest()
