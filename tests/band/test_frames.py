"""Frames come through whole, or not at all."""

from __future__ import annotations

from random import Random

from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.band import frames
from tinyhar.band.frames import Decoder, Frame

bodies = st.binary(max_size=600)
some_frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), bodies)
garbage = st.binary(max_size=300)


def test_the_crc_is_the_published_one() -> None:
    assert frames.crc16(b"123456789") == 0x29B1


def test_a_frame_has_one_zero_at_its_end() -> None:
    data = frames.encode(Frame(1, 2, bytes(1000)))
    assert data.count(0) == 1
    assert data.endswith(b"\0")


@given(st.lists(some_frames, max_size=5), st.data())
def test_pieces_do_not_matter(sent: list[Frame], data: st.DataObject) -> None:
    line = b"".join(frames.encode(frame) for frame in sent)
    decoder, got = Decoder(), []
    while line:
        size = data.draw(st.integers(1, max(1, min(len(line), 300))))
        got += decoder.feed(line[:size])
        line = line[size:]
    assert got == sent
    assert (decoder.good, decoder.bad) == (len(sent), 0)


@given(garbage, some_frames)
def test_any_garbage_resynchronises(noise: bytes, frame: Frame) -> None:
    decoder = Decoder()
    got = decoder.feed(noise + frames.FLUSH + frames.encode(frame))
    assert got[-1] == frame


@given(garbage, some_frames, some_frames)
def test_without_a_flush_garbage_costs_one_frame_at_most(
    noise: bytes, lost: Frame, kept: Frame
) -> None:
    got = Decoder().feed(noise + frames.encode(lost) + frames.encode(kept))
    assert got[-1] == kept


@given(some_frames, st.data())
def test_a_flip_in_a_payload_never_passes(frame: Frame, data: st.DataObject) -> None:
    stuffed = frames.encode(frame)[:-1]
    payload = bytearray(cobs.decode(stuffed))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8
    assert frames.decode(cobs.encode(bytes(payload))) is None


def test_flips_on_the_line_pass_no_oftener_than_a_16_bit_crc_lets_them() -> None:
    """A flip in COBS's own bytes moves others; the CRC lets one in 65,536 of those through."""
    random = Random(7)
    passed = 0
    for _ in range(20_000):
        frame = Frame(3, random.randrange(256), random.randbytes(random.randrange(60)))
        line = bytearray(frames.encode(frame))
        line[random.randrange(len(line))] ^= 1 << random.randrange(8)
        passed += sum(got != frame for got in Decoder().feed(bytes(line) + frames.FLUSH))
    assert passed <= 2


@given(st.binary(max_size=64))
def test_decode_gives_only_what_encodes_to_the_same(stuffed: bytes) -> None:
    frame = frames.decode(stuffed)
    if frame is not None:
        assert Decoder().feed(frames.encode(frame)) == [frame]


def test_a_frame_without_end_is_forgotten_and_the_next_one_comes_through() -> None:
    decoder = Decoder(max_body=100)
    for _ in range(1000):
        assert decoder.feed(b"\x55" * 50) == []
    assert len(decoder._partial) <= 200
    assert decoder.feed(frames.FLUSH + frames.encode(Frame(1, 2, b"x"))) == [Frame(1, 2, b"x")]
    assert (decoder.good, decoder.bad) == (1, 1)


def test_the_longest_body_passes() -> None:
    frame = Frame(3, 4, b"\xff" * frames.MAX_BODY)
    assert Decoder().feed(frames.encode(frame)) == [frame]


def test_zeros_between_frames_are_no_errors() -> None:
    decoder = Decoder()
    line = b"\0\0" + frames.encode(Frame(1, 1, b"")) + b"\0\0\0"
    assert len(decoder.feed(line)) == 1
    assert decoder.bad == 0
