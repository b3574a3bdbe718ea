"""The band as a host meets it: requests over a socket, answers judged by an independent client."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import serial

from tests.firmware.conftest import FIRMWARE
from tests.firmware.stub_model import (
    CHANNELS,
    CLASSES,
    COUNT_MAP,
    STRIDE,
    WINDOW,
    answer,
    crashing_counts,
    random_counts,
    stub_bundle,
    stub_trace,
)
from tests.firmware.wire import Client, frame, parse
from tinyhar.convert.bundle import Bundle, Smoothing, identity, pack
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


@pytest.mark.parametrize("kind", [0, 0x0A, 0x20, 0x2F, 0x3F, BOOT, PREDICTION])
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


# ---- a bad line ----


def test_a_repeated_request_gets_the_same_answer_without_the_work(band: Client) -> None:
    band.ask(IDENTIFY, b"\1")
    request = frame(INFER, 2, infer_body(random_counts(1)))
    band.send(request)
    first = band.response()
    band.send(request + request)
    assert band.response() == band.response() == first
    band.seq = 2
    assert struct.unpack("<11I", band.ask(STATS, b"\0"))[1] == 1


def test_a_repeated_stream_request_gets_its_predictions_again(band: Client) -> None:
    request = frame(STREAM, 1, stream_body(random_counts(1, WINDOW + STRIDE), 0))
    band.send(request)
    once = [band.receive() for _ in range(3)]
    band.send(request)
    assert [band.receive() for _ in range(3)] == once
    assert [kind for kind, _, _ in once] == [PREDICTION, PREDICTION, STREAM | 0x80]


def test_many_predictions_of_one_request_all_come(band: Client) -> None:
    band.ask(SETTINGS, struct.pack("<HBB", 1, 1, 1))
    counts = random_counts(1, 600)
    band.ask(STREAM, stream_body(counts, 0))
    found = [parse_prediction(event) for event in band.events]
    assert found == predictions(counts, 1, Smoothing(1, 1))


def test_many_classes_make_large_predictions_and_all_come(start: Start) -> None:
    classes = 254
    band = start(
        stub_bundle(
            classes=tuple(f"class {k}" for k in range(classes)),
            model=struct.pack("<4sII", b"STUB", WINDOW * CHANNELS, classes),
            golden_counts=np.zeros((0, WINDOW, CHANNELS), np.int16),
            golden_logits=np.zeros((0, classes), np.int8),
            stride=1,
        )
    )
    band.ask(STREAM, stream_body(random_counts(1, 100), 0))
    assert [struct.unpack_from("<I", body)[0] for _, _, body in band.events[-85:]] == [*range(85)]
    assert {len(body) for _, _, body in band.events[-85:]} == {15 + classes}


def test_a_late_copy_of_an_old_request_does_no_harm(band: Client) -> None:
    a, b = random_counts(1), random_counts(2)
    late = frame(INFER, 2, infer_body(a[:8], 0))
    band.ask(IDENTIFY, b"\1")
    for body in (infer_body(a[:8], 0), infer_body(a[8:], 8), infer_body(b[:8], 0)):
        band.ask(INFER, body)
    band.send(late)
    kind, seq, error = band.response()
    assert (kind, seq, error[0]) == (ERROR, 2, OUT_OF_ORDER)
    assert logits_of(band.ask(INFER, infer_body(b[8:], 8))) == answer(b).tolist()


def test_identify_starts_a_conversation_at_any_seq(band: Client) -> None:
    band.seq = 200
    band.ask(STATS, b"\0")
    band.seq = 99
    assert band.refused(STATS, b"\0")[0] == OUT_OF_ORDER
    band.ask(IDENTIFY, b"\1")
    for _ in range(300):
        band.ask(STATS, b"\0")


def test_the_same_seq_with_another_body_is_not_taken_for_a_repeat(band: Client) -> None:
    band.send(frame(INFER, 1, infer_body(random_counts(1))))
    band.response()
    band.send(frame(INFER, 1, infer_body(random_counts(2))))
    kind, _, error = band.response()
    assert (kind, error[0]) == (ERROR, OUT_OF_ORDER)


def test_damaged_frames_are_dropped_and_counted(band: Client) -> None:
    good = frame(STATS, 1, b"\0")
    damaged = bytes([good[0], good[1] ^ 0x40]) + good[2:]
    band.send(damaged + b"\x05noise\0" + os.urandom(50).replace(b"\0", b"") + b"\0" + good)
    kind, seq, body = band.response()
    assert (kind, seq) == (STATS | 0x80, 1)
    assert struct.unpack("<11I", body)[2:4] == (1, 3)


def test_a_frame_above_max_body_is_refused(band: Client) -> None:
    assert band.refused(INFER, bytes(4097))[:2] == (TOO_BIG, INFER)
    assert band.refused(INFER, bytes(20_000))[:2] == (TOO_BIG, INFER)
    assert band.refused(INFER, bytes(4096))[0] == BAD_LENGTH


def test_its_own_answers_sent_back_are_met_with_silence(band: Client) -> None:
    band.send(frame(ERROR, 1, b"\1\1") + frame(IDENTIFY | 0x80, 2, b""))
    assert band.ask(STATS, b"\0")


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


# ---- restarts, clients, bundles ----


def boot_of(event: tuple[int, int, bytes]) -> tuple[int, int]:
    """boot_id and reset reason."""
    assert event[:2] == (BOOT, 0)
    return struct.unpack_from("<IB", event[2], 4)


def test_reset_answers_then_boots_again_on_the_same_line(band: Client) -> None:
    before = struct.unpack_from("<IB", band.ask(IDENTIFY, b"\1"), 4)
    assert band.ask(RESET) == b""
    boot, reason = boot_of(band.event())
    assert (before[1], reason) == (0, 1)
    assert boot != before[0]
    assert struct.unpack_from("<IB", band.ask(IDENTIFY, b"\1"), 4) == (boot, 1)


def test_a_crash_is_a_restart_with_reason_fault(band: Client) -> None:
    crash = infer_body(crashing_counts(by_stack=False))
    for _ in range(2):
        band.ask(IDENTIFY, b"\1")
        band.send(frame(INFER, band.seq + 1, crash))
        assert boot_of(band.event())[1] == 3
    os.kill(band.pid, signal.SIGSEGV)
    assert boot_of(band.event())[1] == 3


def test_one_client_after_another_is_served(band: Client) -> None:
    band.send(frame(STATS, 1, b"\0")[:-3])
    for _ in range(3):
        band.close()
        band.connect()
        band.pending = b""
        assert band.ask(IDENTIFY, b"\1")


def next_frame(line: serial.SerialBase) -> tuple[int, int, bytes]:
    while not (encoded := line.read_until(b"\0").rstrip(b"\0")):
        pass
    return parse(encoded)


def test_a_pseudo_terminal_serves_clients_and_survives_a_reset(
    sanitized: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.thb").write_bytes(pack(stub_bundle()))
    command = [str(sanitized / "tinyhar-band"), "--pty", "--bundle", str(tmp_path / "model.thb")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().removeprefix("listening ").strip()
    body = infer_body(random_counts(1))
    for _ in range(3):
        with serial.serial_for_url(name, timeout=10) as line:
            for kind, content in ((IDENTIFY, b"\1"), (INFER, body), (RESET, b"")):
                line.write(b"\0" + frame(kind, 7 + kind, content))
                while (got := next_frame(line))[0] == BOOT:
                    pass  # of the start or of the last restart, before this client came
                assert got[:2] == (kind | 0x80, 7 + kind)
            assert boot_of(next_frame(line))[1] == 1
    process.terminate()
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("options", [["--tcp"], ["--tcp", "x"], ["--bundle", "/none"], ["--fast"]])
def test_wrong_options_end_in_one_line_and_status_2(sanitized: Path, options: list[str]) -> None:
    done = subprocess.run(
        [str(sanitized / "tinyhar-band"), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert options[-1] in done.stderr


def test_without_a_bundle_it_answers_and_says_so(start: Start) -> None:
    band = start(None)
    assert struct.unpack_from("<HHBB", band.ask(IDENTIFY, b"\1"), 12) == (0, 0, 0, 0)
    for kind, body in (
        *((DESCRIBE, b"\0\0"), (INFER, bytes(8)), (TRACE, b""), (STREAM, bytes(8))),
        *((SELFTEST, b""), (SETTINGS, b""), (SETTINGS, bytes(4))),
    ):
        assert band.refused(kind, body) == (NO_MODEL, kind, "no bundle")
    assert band.ask(STATS, b"\0")


def misfits() -> list[tuple[str, Bundle | bytes]]:
    whole = pack(stub_bundle())
    return [
        ("the bundle is damaged or not one: crc32", whole[:-1] + b"\1"),
        ("the bundle is damaged or not one: total_bytes", whole + bytes(16)),
        ("the bundle is damaged or not one: length", b"THAB"),
        ("the bundle does not fit this firmware: engine", stub_bundle(engine="tflm")),
        ("the bundle does not fit this firmware: arena_bytes", stub_bundle(arena_bytes=1 << 24)),
        ("the engine does not take the model", stub_bundle(model=b"other")),
        (
            "the model's input or output is not the bundle's",
            stub_bundle(model=struct.pack("<4sII", b"STUB", 7, CLASSES)),
        ),
    ]


@pytest.mark.parametrize("case", misfits(), ids=lambda case: case[0].split(": ")[-1])
def test_a_bundle_that_it_cannot_run_is_named(
    start: Start, case: tuple[str, Bundle | bytes]
) -> None:
    text, bundle = case
    assert start(bundle).refused(SELFTEST)[2] == text
