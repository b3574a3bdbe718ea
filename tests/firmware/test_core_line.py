"""The band on a bad line: repeats, late copies, damage, frames too big."""

from __future__ import annotations

import os
import struct

import numpy as np

from tests.firmware.stub_model import (
    CHANNELS,
    STRIDE,
    WINDOW,
    answer,
    random_counts,
    stub_bundle,
)
from tests.firmware.talk import (
    BAD_LENGTH,
    ERROR,
    IDENTIFY,
    INFER,
    OUT_OF_ORDER,
    PREDICTION,
    SETTINGS,
    STATS,
    STREAM,
    TOO_BIG,
    Start,
    infer_body,
    logits_of,
    parse_prediction,
    predictions,
    stream_body,
)
from tests.firmware.wire import Client, frame
from tinyhar.convert.bundle import Smoothing


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
