"""Whatever bytes come, the desk's readers give what was meant or one of the house's own errors."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.band.simulated import SimulatedBand
from tests.band.test_messages import EXAMPLES, PARTS
from tests.band.test_quality import take
from tests.firmware.stub_model import stub_bundle
from tinyhar.band import frames, wire
from tinyhar.band.client import Client
from tinyhar.band.deploy_file import of_bytes
from tinyhar.band.deploy_plan import Plan, full, partial
from tinyhar.band.errors import MessageError, OtherProtocol
from tinyhar.band.frames import Decoder, Frame
from tinyhar.band.sensing import Sensing, sensing_of
from tinyhar.band.takes import INDEX, open_takes
from tinyhar.convert.bundle import Bundle, pack, unpack
from tinyhar.convert.bundle_format import BundleError, seal
from tinyhar.errors import BandError, ModelError, TinyharError
from tinyhar.recordings import load

MANY = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHOLE = pack(stub_bundle(golden_counts=stub_bundle().golden_counts[:1],
                         golden_logits=stub_bundle().golden_logits[:1]))  # fmt: skip

Change = tuple[str, int, bytes]
changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert"]), st.integers(0, 2**16), st.binary(max_size=9)
    ),
    min_size=1,
    max_size=4,
)


def changed(data: bytes, how: list[Change]) -> bytes:
    """With some bytes overwritten, cut out, or put between."""
    for kind, where, new in how:
        at = where % (len(data) + 1)
        skipped = 0 if kind == "insert" else len(new)
        data = data[:at] + (b"" if kind == "cut" else new) + data[at + skipped :]
    return data


# -- frames ----------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=80)), st.integers(0, 60))
@MANY
def test_any_bytes_are_frames_or_counted(pieces: list[bytes], most: int) -> None:
    decoder = Decoder(most)
    found = [frame for piece in pieces for frame in decoder.feed(piece)]
    ends = [stuffed for stuffed in b"".join(pieces).split(b"\0")[:-1] if stuffed]
    assert decoder.good == len(found)
    assert decoder.good + decoder.bad == len(ends)


@given(st.binary(max_size=60), changes)
@MANY
def test_a_changed_frame_is_itself_or_none(body: bytes, how: list[Change]) -> None:
    """Or one whose CRC is right: no other way in. What was inserted may hold frames of its own."""
    sent = Frame(3, 9, body)
    line = changed(frames.encode(sent), how)
    for frame in Decoder().feed(line + frames.FLUSH):
        assert frames.encode(frame).rstrip(b"\0") in line or frame == sent


# -- messages --------------------------------------------------------------------------------


@given(EXAMPLES, changes)
@MANY
def test_a_changed_message_is_a_message_or_an_error(message: wire.Part, how: list[Change]) -> None:
    body = changed(message.encode(), how)
    try:
        decoded = type(message).decode(body)
    except MessageError:
        return
    if not {"text", "name"} & set(vars(decoded)):  # whose broken UTF-8 is replaced
        assert decoded.encode() == body


@given(st.sampled_from(sorted(PARTS)), st.binary(max_size=120))
@example("identify_response", b"")
@MANY
def test_any_body_raises_nothing_else(part: str, body: bytes) -> None:
    try:
        PARTS[part].decode(body)
    except (MessageError, OtherProtocol) as error:
        assert "\n" not in str(error)


@given(st.lists(st.binary(max_size=60), max_size=20), st.data())
@MANY
def test_a_client_that_hears_nonsense_raises_a_band_error(
    noise: list[bytes], data: st.DataObject
) -> None:
    """Whole frames of any type with any body, in place of what the band says."""
    band = SimulatedBand()
    client = Client(band, timeout=0.1, tries=2)
    told = [
        frames.encode(Frame(data.draw(st.sampled_from([0x40, 0x41, 0x83, 0x85, 0x87, 0xFF])),
                            (client.exchange._seq + data.draw(st.integers(0, 2))) % 256, body))
        for body in noise
    ]  # fmt: skip
    band.deaf = True
    band._arrived = b"".join(told)
    for ask in (client.statistics, lambda: client.stream(np.zeros((3, 3), np.int16), 0)):
        with pytest.raises(BandError) if not told else _either():
            ask()
        client.take_predictions()


class _either:  # noqa: N801 - reads like pytest.raises
    """A BandError or nothing."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, BandError)


# -- bundles ---------------------------------------------------------------------------------


def opened(data: bytes) -> Bundle | None:
    try:
        return unpack(data)
    except BundleError as error:
        assert error.field
        assert "\n" not in str(error)
        return None


@given(st.binary(max_size=400))
@MANY
def test_any_bytes_are_no_bundle(data: bytes) -> None:
    assert opened(data) is None
    with pytest.raises(ModelError, match="copy it again"):
        of_bytes(data)


@given(changes)
@MANY
def test_a_changed_bundle_is_refused(how: list[Change]) -> None:
    data = changed(WHOLE, how)
    assert (opened(data) is not None) == (data == WHOLE)


@given(changes)
@MANY
def test_a_bundle_changed_under_its_seal_is_what_it_says_or_refused(how: list[Change]) -> None:
    data = changed(WHOLE, how)
    if len(data) < 128:
        return
    data = seal(data[:8] + struct.pack("<I", len(data)) + data[12:])
    bundle = opened(data)
    assert bundle is None or pack(bundle) == data


@given(st.binary(max_size=3000), st.integers(0, 5000), st.lists(st.integers(0, 2**32 - 1)))
@MANY
def test_a_plan_covers_the_bundle_once_whatever_the_band_tells(
    data: bytes, old_bytes: int, crcs: list[int]
) -> None:
    for plan in (full(data), partial(data, old_bytes, crcs)):
        check_covers(plan, len(data), old_bytes)


def check_covers(plan: Plan, size: int, old_bytes: int) -> None:
    at = 0
    for piece in plan.pieces:
        assert piece.offset == at
        assert piece.source is None or 0 <= piece.source <= old_bytes - piece.size
        at += piece.size
    assert at == size


# -- recordings ------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def sensing() -> Sensing:
    return sensing_of(Client(SimulatedBand()))


@pytest.fixture(scope="module")
def folder(sensing: Sensing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One kept take, and its index."""
    made = tmp_path_factory.mktemp("takes")
    open_takes(made, sensing, "anna").add("drinking", take(3), [], kept=True, heard={"walk": 3})
    return made


def put(plain: Any, path: tuple[int, ...], value: object) -> None:
    """In place of one of the values inside."""
    keys = list(plain) if isinstance(plain, dict) else range(len(plain))
    key = keys[path[0] % len(keys)]
    if len(path) > 1 and isinstance(plain[key], dict | list) and plain[key]:
        put(plain[key], path[1:], value)
    else:
        plain[key] = value


@given(st.tuples(*[st.integers(0, 20)] * 3), json_values)
@MANY
def test_a_changed_index_of_recordings_is_read_or_refused(
    sensing: Sensing, folder: Path, path: tuple[int, ...], value: object
) -> None:
    index = folder / INDEX
    whole = index.read_text()
    plain = json.loads(whole)
    put(plain, path, value)
    try:
        index.write_text(json.dumps(plain))
        check_readable(folder, sensing)
    finally:
        index.write_text(whole)


@given(changes)
@MANY
def test_a_damaged_index_of_recordings_is_read_or_refused(
    sensing: Sensing, folder: Path, how: list[Change]
) -> None:
    index = folder / INDEX
    whole = index.read_bytes()
    try:
        index.write_bytes(changed(whole, how))
        check_readable(folder, sensing)
    finally:
        index.write_bytes(whole)


@given(changes)
@settings(max_examples=100)
def test_a_damaged_recording_is_read_or_refused(
    sensing: Sensing, folder: Path, how: list[Change]
) -> None:
    (file,) = folder.glob("*.csv")
    whole = file.read_bytes()
    try:
        file.write_bytes(changed(whole, how))
        check_readable(folder, sensing)
        try:
            load("csv", folder, cache=False)
        except TinyharError as error:
            assert str(error)
    finally:
        file.write_bytes(whole)


def check_readable(folder: Path, sensing: Sensing) -> None:
    try:
        takes = open_takes(folder, sensing, None)
        takes.signals()
        assert takes.next_take("drinking") >= 1
    except TinyharError as error:
        assert str(error)
