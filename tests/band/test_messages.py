"""messages.py against the C table, and against itself."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.band import (
    codes,
    deploy_messages,
    frames,
    live_messages,
    messages,
    teach_messages,
    wire,
)
from tinyhar.band.errors import MessageError

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "firmware/include/tinyhar/messages.h").read_text()
MACROS = dict(re.findall(r"#define (THAR_\w+)(?:\([XF]\))? +(.*)", HEADER.replace("\\\n", " ")))

ENUMS = {
    "THAR_MESSAGE_TYPES": codes.MessageType,
    "THAR_ERROR_CODES": codes.ErrorCode,
    "THAR_RESET_REASONS": codes.ResetReason,
    "THAR_ENGINES": codes.Engine,
    "THAR_DESCRIBE_WHATS": codes.What,
    "THAR_SLOT_STATES": codes.SlotState,
    "THAR_TEACH_ACTIONS": codes.TeachAction,
}

PARTS = {
    "identify_request": messages.Identify,
    "identify_response": messages.Identity,
    "describe_request": messages.Describe,
    "infer_request": messages.Infer,
    "infer_response": messages.InferResponse,
    "infer_result": messages.InferResult,
    "trace_request": messages.TraceChannels,
    "trace_response": messages.LayerChecks,
    "stream_request": messages.Stream,
    "stream_response": messages.StreamResponse,
    "selftest_response": messages.SelfTestResult,
    "stats_request": messages.Stats,
    "stats_response": messages.Statistics,
    "settings_body": messages.SettingsInForce,
    "live_request": live_messages.Live,
    "live_response": live_messages.LiveResponse,
    "samples_event": live_messages.Samples,
    "slot_request": deploy_messages.Slot,
    "slot_response": deploy_messages.SlotResponse,
    "blocks_request": deploy_messages.Blocks,
    "blocks_response": deploy_messages.BlocksResponse,
    "begin_request": deploy_messages.Begin,
    "begin_response": deploy_messages.BeginResponse,
    "chunk_request": deploy_messages.Chunk,
    "chunk_response": deploy_messages.ChunkResponse,
    "copy_request": deploy_messages.Copy,
    "activated_response": deploy_messages.Activated,
    "teach_request": teach_messages.Teach,
    "teach_response": teach_messages.TeachResponse,
    "taught_request": teach_messages.Taught,
    "taught_response": teach_messages.TaughtResponse,
    "prediction_event": messages.Prediction,
    "error_body": messages.Refusal,
}


@pytest.mark.parametrize("macro", ENUMS)
def test_every_number_is_the_tables(macro: str) -> None:
    table = {name: int(code, 0) for name, code in re.findall(r"X\((\w+), (\w+)\)", MACROS[macro])}
    assert table == {member.name: member.value for member in ENUMS[macro]}


def test_the_table_has_no_enum_that_python_lacks() -> None:
    lists = {name for name, text in MACROS.items() if re.search(r"X\([A-Z_]+, \w+\)", text)}
    assert lists == set(ENUMS)


def test_every_part_of_the_table_has_a_class() -> None:
    assert set(re.findall(r"X\((\w+), THAR_\w+\)", MACROS["THAR_FIXED_PARTS"])) == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_every_field_is_the_tables(part: str) -> None:
    (fields,) = re.findall(rf"X\({part}, (THAR_\w+)\)", MACROS["THAR_FIXED_PARTS"])
    assert tuple(re.findall(r"F\((\w+), (\w+)\)", MACROS[fields])) == PARTS[part].LAYOUT


def test_setting_has_the_layout_of_what_is_in_force() -> None:
    assert messages.SetSettings.LAYOUT == messages.SettingsInForce.LAYOUT


def test_constants_are_the_tables() -> None:
    for name, value in {
        "PROTOCOL_VERSION": codes.PROTOCOL_VERSION,
        "RESPONSE_BIT": codes.RESPONSE_BIT,
        "NONE": codes.NONE,
        "DEPLOY_BLOCK": codes.DEPLOY_BLOCK,
        "HEADER_BYTES": frames.HEADER_BYTES,
        "CRC_BYTES": frames.CRC_BYTES,
    }.items():
        assert int(MACROS[f"THAR_{name}"], 0) == value, name


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def some(part: type[wire.Part], **tail: object) -> st.SearchStrategy[wire.Part]:
    kinds = {"u8": numbers(8), "u16": numbers(16), "u32": numbers(32)}
    kinds["id32"] = st.binary(min_size=32, max_size=32)  # type: ignore[assignment]
    return st.builds(part, **{name: kinds[kind] for kind, name in part.LAYOUT} | tail)


logits = st.binary(min_size=1, max_size=40)
EXAMPLES = st.one_of(
    some(messages.Identify),
    some(messages.Describe),
    some(messages.Infer, samples=logits.map(lambda data: data * 2)),
    st.builds(messages.InferResponse, done=st.just(0)),
    st.builds(
        messages.InferResponse, done=st.just(1), result=some(messages.InferResult, logits=logits)
    ),
    st.lists(numbers(32), max_size=20).map(lambda c: messages.LayerChecks(len(c), tuple(c))),
    some(messages.Statistics),
    some(deploy_messages.SlotResponse),
    some(deploy_messages.Begin),
    some(deploy_messages.Chunk, data=logits),
    some(deploy_messages.Copy),
    st.lists(numbers(32), max_size=20).map(
        lambda c: deploy_messages.BlocksResponse(9, len(c), tuple(c))
    ),
    some(teach_messages.Teach, name=st.text(max_size=10)),
    some(teach_messages.TeachResponse),
    some(teach_messages.TaughtResponse, mean=logits),
    some(messages.SetSettings),
    some(messages.Prediction, logits=logits),
    some(live_messages.Samples, samples=logits.map(lambda data: data * 2)),
    some(messages.Refusal, text=st.text(max_size=20)),
    logits.map(lambda got: messages.SelfTestResult(2, 1, 0, got[::-1], got)),
)


@given(EXAMPLES)
def test_what_is_encoded_is_decoded(message: wire.Part) -> None:
    assert type(message).decode(message.encode()) == message


@given(st.sampled_from([p for p in PARTS.values() if p.LAYOUT]), st.binary(max_size=200))
def test_any_body_is_a_message_or_a_clear_error(part: type[wire.Part], body: bytes) -> None:
    if part is messages.Identity:
        body = bytes((codes.PROTOCOL_VERSION,)) + body
    try:
        message = part.decode(body)
    except MessageError as error:
        assert part.__name__ in str(error) or "InferResult" in str(error)
    else:
        with_text = (messages.Refusal, messages.Identity, teach_messages.Teach)
        if part not in with_text:  # it may hold broken UTF-8
            assert message.encode() == body


def test_identity_keeps_the_boards_name() -> None:
    fields = {name: 1 for _, name in messages.Identity.LAYOUT}
    fields |= {"bundle_id": bytes(32), "board_length": 4, "board": "host"}
    identity = messages.Identity(**fields)  # type: ignore[arg-type]
    assert messages.Identity.decode(identity.encode()).board == "host"
    assert identity.firmware == "1.1.1"
    assert identity.reason == "requested"


def test_a_number_too_big_for_its_field_is_named() -> None:
    with pytest.raises(MessageError, match="index=256"):
        messages.Describe(0, 256).encode()


def test_counts_travel_little_endian() -> None:
    assert messages.pack_counts(np.array([[1, -2]], np.int16)) == b"\x01\x00\xfe\xff"
    swapped = np.array([[1, -2]], ">i2")
    assert messages.pack_counts(swapped) == b"\x01\x00\xfe\xff"


def test_unknown_codes_keep_their_number() -> None:
    assert codes.name_of(codes.ResetReason, 3) == "fault"
    assert codes.name_of(codes.ResetReason, 77) == "ResetReason 77"
    assert all(issubclass(enum, IntEnum) for enum in ENUMS.values())
