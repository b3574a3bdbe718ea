"""The band's reader of bundles and the desk's: same verdict, same field, on the same bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.convert.test_bundle import bundles
from tests.firmware.probe import Probe
from tests.firmware.stub_model import stub_bundle
from tinyhar.convert.bundle import Bundle, BundleError, pack, unpack
from tinyhar.convert.bundle_format import HEADER_BYTES, seal

WHOLE = pack(stub_bundle(golden_counts=stub_bundle().golden_counts[:1],
                         golden_logits=stub_bundle().golden_logits[:1]))  # fmt: skip


def desk_verdict(data: bytes) -> str:
    """The field that the desk blames, "" for none."""
    try:
        unpack(data)
    except BundleError as error:
        return error.field
    return ""


def band_verdict(probe: Probe, data: bytes) -> str:
    answer = probe.ask("b", data)
    return "" if answer[0] == 0 else answer.decode()


@given(bundle=bundles())
def test_the_band_finds_the_same_names_and_places(probe: Probe, bundle: Bundle) -> None:
    data = pack(bundle)
    answer = probe.ask("b", data)
    texts = b"".join(
        bytes([len(name.encode())]) + name.encode() for name in bundle.classes + bundle.channels
    )
    assert answer[: 1 + len(texts)] == b"\0" + texts
    model, counts, logits = struct.unpack("<3I", answer[1 + len(texts) :])
    golden_counts, golden_logits = bundle.golden_counts.tobytes(), bundle.golden_logits.tobytes()
    assert data[model : model + len(bundle.model)] == bundle.model
    assert data[counts : counts + len(golden_counts)] == golden_counts
    assert data[logits : logits + len(golden_logits)] == golden_logits


def test_every_changed_byte_is_blamed_alike(probe: Probe) -> None:
    for at in range(len(WHOLE)):
        data = bytearray(WHOLE)
        data[at] ^= 1 + at % 255
        verdict = band_verdict(probe, bytes(data))
        assert verdict
        assert verdict == desk_verdict(bytes(data)), at


def test_every_changed_byte_is_blamed_alike_when_the_seal_is_right(probe: Probe) -> None:
    found = set()
    for at in range(6, len(WHOLE)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            data = bytearray(WHOLE)
            data[at] = value
            sealed = seal(bytes(data))
            verdict = band_verdict(probe, sealed)
            assert verdict == desk_verdict(sealed), (at, value)
            found.add(verdict)
    # The walk reached all of these checks, and some changes are just another bundle.
    assert found >= {"", "window", "channels", "classes", "engine", "total_bytes", "padding", "lsb"}
    assert found >= {"count_map", "count_map_bytes", "units", "reserved", "golden_counts_bytes"}


@settings(max_examples=400)
@given(
    changes=st.lists(
        st.tuples(st.integers(6, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    cut=st.sampled_from([0, 0, 0, 1, 16, 17, 200]),
)
def test_any_damage_is_blamed_alike(probe: Probe, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(WHOLE)
    for at, value in changes:
        data[at] = value
    shorter = data[: len(data) - cut]
    sealed = seal(bytes(shorter))
    assert band_verdict(probe, sealed) == desk_verdict(sealed)
    relabelled = bytearray(sealed)
    relabelled[8:12] = struct.pack("<I", len(sealed))
    again = seal(bytes(relabelled))
    assert band_verdict(probe, again) == desk_verdict(again)


@settings(max_examples=200)
@given(data=st.binary(max_size=400))
def test_what_is_no_bundle_at_all_is_blamed_alike(probe: Probe, data: bytes) -> None:
    for candidate in (data, WHOLE[:HEADER_BYTES] + data, b"THAB\1\0\x80\0" + data):
        assert band_verdict(probe, candidate) == desk_verdict(candidate)


@pytest.mark.parametrize("codepoint", [0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF])
def test_names_in_any_script_are_read(probe: Probe, codepoint: int) -> None:
    data = pack(stub_bundle(classes=(chr(codepoint), "b", "c", "d")))
    assert band_verdict(probe, data) == ""


@settings(max_examples=400)
@given(text=st.binary(min_size=4, max_size=4))
def test_what_is_utf8_and_what_is_not_is_judged_alike(probe: Probe, text: bytes) -> None:
    data = seal(pack(stub_bundle(classes=("plain", "b", "c", "d"))).replace(b"plai", text))
    assert band_verdict(probe, data) == desk_verdict(data)
