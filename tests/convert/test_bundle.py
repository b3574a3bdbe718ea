"""Bundles: what goes in comes out, damage is found and named. The firmware is held to the same."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.firmware.stub_model import stub_bundle
from tinyhar.convert.bundle import Bundle, BundleError, Smoothing, identity, pack, unpack
from tinyhar.convert.bundle_format import ALIGN, HEADER, HEADER_FIELDS, seal
from tinyhar.convert.teaching import Teaching
from tinyhar.counts import CountMap

HEADER_FILE = Path(__file__).resolve().parents[2] / "firmware/include/tinyhar/bundle.h"

names = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\x7f"),
    min_size=1,
    max_size=20,
)


@st.composite
def teachings(draw: st.DrawFn, classes: int) -> Teaching:
    size = draw(st.integers(1, 9))
    half = draw(arrays.arrays(np.int8, (size, size)))
    return Teaching(
        zero_point=draw(st.integers(-128, 127)),
        shift=draw(st.integers(1, 62)),
        multiplier=draw(st.integers(0, 0xFFFF)),
        precision=np.tril(half) + np.tril(half, -1).T,
        means=draw(arrays.arrays(np.int8, (classes, size))),
    )


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    channels = tuple(draw(st.lists(names, min_size=1, max_size=5, unique=True)))
    classes = tuple(draw(st.lists(names, min_size=1, max_size=5, unique=True)))
    window, golden, c = draw(st.integers(1, 20)), draw(st.integers(0, 3)), len(channels)
    return Bundle(
        classes=classes,
        channels=channels,
        units=tuple(draw(st.lists(names, min_size=c, max_size=c))),
        window=window,
        stride=draw(st.integers(1, 0xFFFF)),
        rate=draw(st.floats(0.001, 4_000_000)),
        lsb=draw(arrays.arrays(np.float64, c, elements=st.floats(1e-300, 1e300))),
        count_map=CountMap(
            multiplier=draw(arrays.arrays(np.int16, c, elements=st.integers(-32767, 32767))),
            shift=draw(arrays.arrays(np.uint8, c, elements=st.integers(0, 22))),
            offset=draw(arrays.arrays(np.int32, c, elements=st.integers(1 - 2**30, 2**30 - 1))),
        ),
        engine=draw(st.sampled_from(["compiled", "tflm"])),
        model=draw(st.binary(min_size=1, max_size=99)),
        arena_bytes=draw(st.integers(0, 2**32 - 1)),
        output_scale=draw(st.floats(2.0**-100, 2.0**100, width=32)),
        output_zero_point=draw(st.integers(-128, 127)),
        golden_counts=draw(arrays.arrays(np.int16, (golden, window, c))),
        golden_logits=draw(arrays.arrays(np.int8, (golden, len(classes)))),
        smoothing=Smoothing(draw(st.integers(1, 255)), draw(st.integers(1, 255))),
        teaching=draw(st.none() | teachings(len(classes))),
    )


PLAIN = ("classes", "channels", "units", "window", "stride", "rate", "engine", "model")
NUMBERS = ("arena_bytes", "output_scale", "output_zero_point", "smoothing")


def assert_same(a: Bundle, b: Bundle) -> None:
    for name in PLAIN + NUMBERS:
        assert getattr(a, name) == getattr(b, name), name
    for name in ("lsb", "golden_counts", "golden_logits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)
    for name in ("multiplier", "shift", "offset"):
        np.testing.assert_array_equal(
            getattr(a.count_map, name), getattr(b.count_map, name), strict=True
        )


@given(bundle=bundles())
def test_what_was_packed_comes_back(bundle: Bundle) -> None:
    data = pack(bundle)
    back = unpack(data)
    assert_same(back, bundle)
    assert back == bundle
    assert pack(back) == data


@given(bundle=bundles())
def test_the_model_lies_at_a_multiple_of_16(bundle: Bundle) -> None:
    data = pack(bundle)
    h = dict(zip((name for name, _ in HEADER_FIELDS), HEADER.unpack_from(data), strict=True))
    sections = (h["class_names_bytes"], h["channels_bytes"], h["count_map_bytes"])
    at = 128 + sum(-(-size // ALIGN) * ALIGN for size in sections)
    assert data[at : at + len(bundle.model)] == bundle.model
    assert len(data) % ALIGN == 0


def test_identity_is_the_sha256_of_the_content() -> None:
    data = pack(stub_bundle())
    assert identity(data) == hashlib.sha256(data[48:]).digest()
    assert identity(pack(stub_bundle(stride=6))) != identity(data)


def test_every_changed_byte_is_found() -> None:
    data = pack(stub_bundle())
    for at in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= flip
            with pytest.raises(BundleError):
                unpack(bytes(changed))


def test_every_cut_and_every_addition_is_found() -> None:
    data = pack(stub_bundle())
    for size in range(len(data)):
        with pytest.raises(BundleError):
            unpack(data[:size])
    with pytest.raises(BundleError, match="total_bytes"):
        unpack(data + b"\0")


def test_the_error_names_file_field_and_remedy() -> None:
    data = bytearray(pack(stub_bundle()))
    data[300] ^= 1
    with pytest.raises(BundleError) as caught:
        unpack(bytes(data), "runs/a/bundle.thb")
    assert str(caught.value) == ("runs/a/bundle.thb, crc32: the bytes were damaged")


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("window", {"window": 0}),
        ("stride", {"stride": 0x10000}),
        ("rate", {"rate": 0.0}),
        ("engine", {"engine": "onnx"}),
        ("model", {"model": b""}),
        ("output_scale", {"output_scale": 0.0}),
        ("output_scale", {"output_scale": 1e-60}),
        ("output_scale", {"output_scale": float("nan")}),
        ("output_zero_point", {"output_zero_point": 128}),
        ("smooth_length", {"smoothing": Smoothing(0, 1)}),
        ("smooth_hold", {"smoothing": Smoothing(1, 256)}),
        ("classes", {"classes": ("a", "b", "a", "c")}),
        ("classes", {"classes": ("a", "b\x1b[2J", "c", "d")}),
        ("classes", {"classes": ("a", "", "c", "d")}),
        ("classes", {"classes": ("a" * 256, "b", "c", "d")}),
        ("classes", {"classes": ()}),
        ("channels", {"channels": ("x", "x", "z")}),
        ("units", {"units": ("g",)}),
        ("lsb", {"lsb": np.array([1.0, -1.0, 1.0])}),
        ("lsb", {"lsb": np.ones(3, np.float32)}),
        ("golden_counts", {"golden_counts": np.zeros((3, 16, 4), np.int16)}),
        ("golden_logits", {"golden_logits": np.zeros((2, 4), np.int8)}),
        (
            "count_map",
            {"count_map": CountMap(*(np.ones(2, t) for t in (np.int16, np.uint8, np.int32)))},
        ),
    ],
)
def test_a_bundle_that_cannot_be_names_the_field(field: str, changed: dict[str, object]) -> None:
    with pytest.raises(BundleError) as caught:
        stub_bundle(**changed)
    assert caught.value.field == field


# ---- sealed, but wrong inside: only the checks on fields can find it ----


def with_header(data: bytes, field: str, value: object) -> bytes:
    names = [name for name, _ in HEADER_FIELDS]
    values = list(HEADER.unpack_from(data))
    values[names.index(field)] = value
    return seal(HEADER.pack(*values) + data[HEADER.size :])


@pytest.mark.parametrize(
    ("field", "value", "blamed"),
    [
        ("format", 2, "format"),
        ("header_bytes", 96, "header_bytes"),
        ("window", 0, "window"),
        ("window", 15, "golden_counts_bytes"),
        ("channels", 0, "channels"),
        ("channels", 4, "count_map_bytes"),
        ("classes", 5, "golden_logits_bytes"),
        ("engine", 2, "engine"),
        ("golden", 4, "golden_counts_bytes"),
        ("rate", 0, "rate"),
        ("output_scale", float("inf"), "output_scale"),
        ("reserved", 1, "reserved"),
        ("model_bytes", 0, "model_bytes"),
        ("model_bytes", 5, "padding"),
        ("model_bytes", 17, "total_bytes"),
        ("model_bytes", 0xFFFFFFFF, "total_bytes"),
        ("class_names_bytes", 1, "total_bytes"),
        ("channels_bytes", 0xFFFFFFF0, "total_bytes"),
    ],
)
def test_a_sealed_lie_in_the_header_is_found(field: str, value: object, blamed: str) -> None:
    data = with_header(pack(stub_bundle()), field, value)
    with pytest.raises(BundleError) as caught:
        unpack(data)
    assert caught.value.field == blamed


@pytest.mark.parametrize("text", [b"walk\xff", b"\xc0\x80ab!", b"\xed\xa0\x80ab", b"wal\nk"])
def test_a_sealed_name_that_is_no_text_is_found(text: bytes) -> None:
    data = pack(stub_bundle(classes=("plain", "b", "c", "d")))
    assert len(text) == 5
    with pytest.raises(BundleError) as caught:
        unpack(seal(data.replace(b"plain", text)))
    assert caught.value.field == "classes"


# ---- the firmware's header file says the same ----


def test_the_layout_is_the_one_in_bundle_h() -> None:
    text = HEADER_FILE.read_text()
    table = text[text.index("#define THAR_BUNDLE_HEADER(F)") :]
    fields = re.findall(r"F\((\w+), (\w+)\)", table[: table.index("typedef")])
    codes = {"u8": "B", "i8": "b", "u16": "H", "u32": "I", "id32": "32s"}
    same_bytes = {"magic": "I", "output_scale": "I"}  # text and float to the desk, bits to the band
    renamed = {"rate_mhz": "rate"}
    assert [(renamed.get(name, name), codes[kind]) for kind, name in fields] == [
        (name, same_bytes.get(name, code)) for name, code in HEADER_FIELDS
    ]
    assert struct.calcsize("<4s") == struct.calcsize("<I")
