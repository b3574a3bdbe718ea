"""The band as a host meets it: requests over a socket, answers judged by an independent client."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace

import pytest

from tests.firmware.conftest import FIRMWARE
from tests.firmware.stub_model import (
    CHANNELS,
    CLASSES,
    COUNT_MAP,
    STRIDE,
    WINDOW,
    answer,
    random_counts,
    stub_bundle,
    stub_trace,
)
from tests.firmware.talk import (
    BAD_LENGTH,
    BAD_VALUE,
    BOOT,
    DESCRIBE,
    IDENTIFY,
    INFER,
    OUT_OF_ORDER,
    PREDICTION,
    PROTOCOL,
    RESET,
    SELFTEST,
    SETTINGS,
    STATS,
    STREAM,
    TRACE,
    UNKNOWN,
    Start,
    infer_body,
    logits_of,
    parse_prediction,
    predictions,
    stream_body,
)
from tests.firmware.wire import Client
from tinyhar.convert.bundle import Smoothing, identity, pack

# ---- about itself ----


def test_identify_tells_what_the_bundle_and_the_board_are(band: Client) -> None:
    bundle = stub_bundle()
    fields = struct.unpack_from("<4BIBBHHH4BIIHII32sB", band.ask(IDENTIFY, b"\1"))
    board = band.ask(IDENTIFY, b"\1")[-4:]
    assert fields[:4] == (1, 0, 1, 0)
    assert fields[5:10] == (0, 0, 4096, WINDOW, STRIDE)
    assert fields[10:15] == (CHANNELS, CLASSES, 2, 3, 31_250)
    assert fields[15:17] == (1_000_000_000, 0)
    assert fields[17:19] == (bundle.arena_bytes, len(bundle.model))
    assert fields[19] == identity(pack(bundle))
    assert (fields[20], board) == (4, b"host")


def test_the_firmware_says_the_version_that_cmake_knows() -> None:
    text = (FIRMWARE / "include/tinyhar/band.h").read_text()
    numbers = re.findall(r"THAR_FIRMWARE_(?:MAJOR|MINOR|PATCH) (\d+)", text)
    assert f"VERSION {'.'.join(numbers)} " in (FIRMWARE / "CMakeLists.txt").read_text()


def test_another_protocol_is_refused(band: Client) -> None:
    assert band.refused(IDENTIFY, b"\2")[0] == PROTOCOL


def test_names_come_one_by_one(band: Client) -> None:
    bundle = stub_bundle()
    assert [band.ask(DESCRIBE, bytes([0, k])).decode() for k in range(CLASSES)] == list(
        bundle.classes
    )
    assert [band.ask(DESCRIBE, bytes([1, c])).decode() for c in range(CHANNELS)] == list(
        bundle.channels
    )
    for body in (bytes([0, CLASSES]), bytes([1, CHANNELS]), bytes([2, 0]), b"\1\xff"):
        assert band.refused(DESCRIBE, body)[0] == BAD_VALUE


@pytest.mark.parametrize("kind", [0, 0x0B, 0x1F, 0x28, 0x2F, 0x3F, BOOT, PREDICTION])
def test_a_request_that_it_does_not_know_gets_an_error(band: Client, kind: int) -> None:
    assert band.refused(kind)[:2] == (UNKNOWN, kind)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((IDENTIFY, b""), (IDENTIFY, b"\1\1"), (DESCRIBE, b"\0"), (DESCRIBE, b"\0\0\0")),
        *((INFER, b""), (INFER, b"\0"), (INFER, b"\0\0"), (INFER, b"\0\0" + bytes(5))),
        *((TRACE, b"\0"), (STREAM, b""), (STREAM, bytes(4)), (STREAM, bytes(4 + 7))),
        *((SELFTEST, b"\0"), (STATS, b""), (STATS, b"\0\0"), (SETTINGS, b"\1\0\1")),
        *((SETTINGS, b"\1\0\1\1\1"), (RESET, b"\0")),
    ],
)
def test_a_body_of_the_wrong_length_gets_an_error(band: Client, kind: int, body: bytes) -> None:
    assert band.refused(kind, body)[:2] == (BAD_LENGTH, kind)
    assert band.ask(IDENTIFY, b"\1")


# ---- windows from the host ----


def test_a_window_in_one_frame_is_inferred(band: Client) -> None:
    for seed in range(20):
        counts = random_counts(seed)
        response = band.ask(INFER, infer_body(counts))
        assert logits_of(response) == answer(counts).tolist()
        assert response[5] == int(answer(counts).argmax())


def test_a_window_may_come_in_pieces(band: Client) -> None:
    counts = random_counts(0)
    for at in range(WINDOW - 1):
        assert band.ask(INFER, infer_body(counts[at : at + 1], at)) == b"\0"
    response = band.ask(INFER, infer_body(counts[-1:], WINDOW - 1))
    assert logits_of(response) == answer(counts).tolist()


def test_pieces_out_of_order_are_refused_and_spoil_nothing(band: Client) -> None:
    counts = random_counts(0)
    assert band.refused(INFER, infer_body(counts[4:], 4))[0] == OUT_OF_ORDER
    assert band.ask(INFER, infer_body(counts[:4], 0)) == b"\0"
    assert band.refused(INFER, infer_body(counts[5:], 5))[0] == OUT_OF_ORDER
    response = band.ask(INFER, infer_body(counts[4:], 4))
    assert logits_of(response) == answer(counts).tolist()
    assert band.refused(INFER, infer_body(counts[:1], WINDOW))[0] == OUT_OF_ORDER


def test_more_samples_than_a_window_are_refused(band: Client) -> None:
    too_many = random_counts(0, WINDOW + 1)
    assert band.refused(INFER, infer_body(too_many))[0] == BAD_VALUE


def test_trace_gives_the_crc_of_input_and_layers(band: Client) -> None:
    assert band.refused(TRACE)[0] == BAD_VALUE
    counts = random_counts(5)
    band.ask(INFER, infer_body(counts))
    for _ in range(2):
        n, *crcs = struct.unpack("<B3I", band.ask(TRACE))
        assert (n, crcs) == (3, stub_trace(COUNT_MAP.apply(counts)))


def test_trace_tells_the_channels_of_a_layer_apart(band: Client) -> None:
    counts = random_counts(5)
    band.ask(INFER, infer_body(counts))
    q = COUNT_MAP.apply(counts)
    for layer, values in enumerate((q, ~q, answer(counts)[None])):
        channels = values.shape[1]
        n, *crcs = struct.unpack(f"<B{channels}I", band.ask(TRACE, bytes([layer, channels])))
        assert (n, crcs) == (channels, [zlib.crc32(column.tobytes()) for column in values.T])
    for body in (b"\3\3", b"\0\0", b"\2\3", b"\0\x05"):
        assert band.refused(TRACE, body)[0] == BAD_VALUE


def test_the_self_test_passes_on_its_own_golden_windows(band: Client) -> None:
    assert band.ask(SELFTEST) == bytes([3, 0, 255]) + bytes(2 * CLASSES)


def test_the_self_test_names_the_first_window_that_fails(start: Start) -> None:
    bundle = stub_bundle()
    wrong = bundle.golden_logits.copy()
    wrong[1:, 0] += 1
    band = start(replace(bundle, golden_logits=wrong))
    expected = wrong[1].tobytes() + bundle.golden_logits[1].tobytes()
    assert band.ask(SELFTEST) == bytes([3, 2, 1]) + expected


# ---- windows that the band cuts ----


@pytest.mark.parametrize("chunk", [1, 3, 16, 40])
def test_a_stream_is_windowed_inferred_and_smoothed_on_the_band(start: Start, chunk: int) -> None:
    bundle = stub_bundle()
    band = start(bundle)
    counts = random_counts(9, 160)
    for at in range(0, len(counts), chunk):
        response = band.ask(STREAM, stream_body(counts[at : at + chunk], at))
        assert response == struct.pack("<I", min(at + chunk, len(counts)))
    found = [parse_prediction(event) for event in band.events if event[0] == PREDICTION]
    assert found == predictions(counts, STRIDE, bundle.smoothing)


def test_sample_0_restarts_the_stream_and_a_gap_is_refused(band: Client) -> None:
    counts = random_counts(3, WINDOW)
    band.ask(STREAM, stream_body(counts[:10], 0))
    assert band.refused(STREAM, stream_body(counts, 11))[0] == OUT_OF_ORDER
    assert band.refused(STREAM, stream_body(counts, 9))[0] == OUT_OF_ORDER
    band.ask(STREAM, stream_body(counts, 0))
    assert parse_prediction(band.event())[5] == answer(counts).tolist()


def test_infer_in_between_leaves_the_stream_alone(band: Client) -> None:
    counts = random_counts(3, WINDOW)
    band.ask(STREAM, stream_body(counts[:10], 0))
    band.ask(INFER, infer_body(random_counts(4)))
    band.ask(STREAM, stream_body(counts[10:], 10))
    assert parse_prediction(band.event())[5] == answer(counts).tolist()


def test_settings_are_told_set_and_checked(band: Client) -> None:
    assert band.ask(SETTINGS) == struct.pack("<HBB", STRIDE, 3, 2)
    wanted = struct.pack("<HBB", 2, 1, 1)
    assert band.ask(SETTINGS, wanted) == wanted
    assert band.ask(SETTINGS) == wanted
    assert struct.unpack_from("<H", band.ask(IDENTIFY, b"\1"), 14)[0] == 2
    for bad in ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 255, 1)):
        assert band.refused(SETTINGS, struct.pack("<HBB", *bad))[0] == BAD_VALUE
    counts = random_counts(9, 40)
    band.ask(STREAM, stream_body(counts, 0))
    found = [parse_prediction(event) for event in band.events]
    assert found == predictions(counts, 2, Smoothing(1, 1))


# ---- statistics ----


def test_statistics_count_windows_and_ticks_and_can_be_cleared(band: Client) -> None:
    ticks = []
    for seed in range(5):
        ticks.append(struct.unpack_from("<I", band.ask(INFER, infer_body(random_counts(seed))), 1))
    fields = struct.unpack("<11I", band.ask(STATS, b"\1"))
    times = [t for (t,) in ticks]
    assert fields[1:7] == (5, 6, 0, min(times), sum(times) // 5, max(times))
    assert fields[7] == WINDOW * CHANNELS
    assert struct.unpack("<11I", band.ask(STATS, b"\0"))[1:7] == (0, 1, 0, 0, 0, 0)
