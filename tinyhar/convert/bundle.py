"""A bundle: one file with all that a band needs to run a model.

Labels, window and scaling travel with the model, never beside it; CRC-32 finds damage, and the
SHA-256 of the content is its identity. The layout is in bundle_format.py; the firmware's reader
refuses the same files for the same field.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.bundle_format import (
    COUNT_MAP,
    ENGINES,
    FORMAT,
    HEADER,
    HEADER_BYTES,
    MAGIC,
    BundleError,
    identity,
    is_name,
    open_header,
    padded,
    seal,
)
from tinyhar.convert.bundle_reader import (
    check_header,
    check_lengths,
    read_channels,
    read_classes,
    read_count_map,
    sections,
)
from tinyhar.convert.teaching import Teaching
from tinyhar.convert.teaching import unpack as unpack_teaching
from tinyhar.counts import CountMap

__all__ = ["ENGINES", "Bundle", "BundleError", "Smoothing", "identity", "pack", "unpack"]


@dataclass(frozen=True)
class Smoothing:
    """How the band steadies its answers.

    Args:
        length: windows whose logits are averaged, 1..255.
        hold: windows in a row that a new class must lead before it is shown, 1..255; 1 is at once.
    """

    length: int = 1
    hold: int = 1


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model with its labels, scaling and self-test; equal when packed to the same bytes.

    Args:
        classes: names, in the order of the logits.
        channels: names, in the order of the counts.
        units: the channels' units.
        window: samples.
        stride: samples from one window's start to the next one's.
        rate: Hz; kept to the millihertz.
        lsb: what a count is worth in its channel's unit, float64 [channel].
        count_map: counts to the model's int8 input.
        smoothing: of the answers.
        engine: "compiled" or "tflm".
        model: what the engine takes.
        arena_bytes: working memory that the engine needs for it.
        output_scale: of the logits; kept as float32.
        output_zero_point: likewise.
        golden_counts: int16 [golden, window, channel], at most 255.
        golden_logits: int8 [golden, class]: what the band must answer.
        teaching: what it takes to teach the band classes; None: it cannot be taught.

    Raises:
        BundleError: a field is out of range or does not fit the others.
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    window: int
    stride: int
    rate: float
    lsb: NDArray[np.float64]
    count_map: CountMap
    engine: str
    model: bytes = field(repr=False)
    arena_bytes: int
    output_scale: float
    output_zero_point: int
    golden_counts: NDArray[np.int16] = field(repr=False)
    golden_logits: NDArray[np.int8] = field(repr=False)
    smoothing: Smoothing = Smoothing()
    teaching: Teaching | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", round(self.rate * 1000) / 1000)
        object.__setattr__(self, "output_scale", float(np.float32(self.output_scale)))
        _check(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bundle) and pack(self) == pack(other)

    def __hash__(self) -> int:
        return hash(pack(self))


# ---- checks ----


def _fail_unless(ok: bool, field: str, problem: str) -> None:
    if not ok:
        raise BundleError(field, problem)


def _check(b: Bundle) -> None:
    _check_numbers(b)
    _check_names("classes", b.classes, unique=True)
    _check_names("channels", b.channels, unique=True)
    _check_names("units", b.units, unique=False)
    _check_arrays(b)
    if b.teaching is not None:
        taught, there = len(b.teaching.means), len(b.classes)
        _fail_unless(taught == there, "teaching", f"means of {taught} classes, not {there}")


def _check_numbers(b: Bundle) -> None:
    for name, value, low, high in (
        ("window", b.window, 1, 0xFFFF),
        ("stride", b.stride, 1, 0xFFFF),
        ("channels", len(b.channels), 1, 255),
        ("classes", len(b.classes), 1, 255),
        ("rate", round(b.rate * 1000), 1, 0xFFFFFFFF),
        ("arena_bytes", b.arena_bytes, 0, 0xFFFFFFFF),
        ("output_zero_point", b.output_zero_point, -128, 127),
        ("smooth_length", b.smoothing.length, 1, 255),
        ("smooth_hold", b.smoothing.hold, 1, 255),
        ("model", len(b.model), 1, 0xFFFFFFFF),
    ):
        _fail_unless(low <= value <= high, name, f"{value} is not within {low}..{high}")
    _fail_unless(b.engine in ENGINES, "engine", f"{b.engine!r} is none of {', '.join(ENGINES)}")
    _fail_unless(
        bool(np.isfinite(b.output_scale)) and b.output_scale > 0,
        "output_scale",
        f"{b.output_scale} is not a positive float32",
    )


def _check_names(field: str, names: tuple[str, ...], *, unique: bool) -> None:
    for name in names:
        _fail_unless(
            1 <= len(name.encode("utf-8", "surrogatepass")) <= 255,
            field,
            f"{name!r} is empty or above 255 bytes",
        )
        _fail_unless(is_name(name), field, f"{name!r} has characters that cannot be shown")
    if unique:
        twins = sorted({name for name in names if names.count(name) > 1})
        _fail_unless(not twins, field, f"{', '.join(twins)} comes twice")


def _check_arrays(b: Bundle) -> None:
    channels, classes = len(b.channels), len(b.classes)
    golden = len(b.golden_counts)
    _fail_unless(golden <= 255, "golden_counts", f"{golden} windows are more than 255")
    for name, array, dtype, shape in (
        ("lsb", b.lsb, np.float64, (channels,)),
        ("golden_counts", b.golden_counts, np.int16, (golden, b.window, channels)),
        ("golden_logits", b.golden_logits, np.int8, (golden, classes)),
    ):
        _fail_unless(
            array.dtype == dtype and array.shape == shape,
            name,
            f"is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}",
        )
    _fail_unless(
        bool((np.isfinite(b.lsb) & (b.lsb > 0)).all()), "lsb", "is not positive throughout"
    )
    _fail_unless(len(b.units) == channels, "units", f"{len(b.units)} for {channels} channels")
    _fail_unless(
        b.count_map.multiplier.shape == (channels,),
        "count_map",
        f"{b.count_map.multiplier.shape} for {channels} channels",
    )


# ---- writing ----


def _name(text: str) -> bytes:
    encoded = text.encode()
    return bytes([len(encoded)]) + encoded


def _channel_table(b: Bundle) -> bytes:
    rows = zip(b.lsb, b.channels, b.units, strict=True)
    return b"".join(struct.pack("<d", lsb) + _name(name) + _name(unit) for lsb, name, unit in rows)


def _count_map_table(count_map: CountMap) -> bytes:
    table = np.zeros(len(count_map.multiplier), COUNT_MAP)
    table["offset"] = count_map.offset
    table["multiplier"] = count_map.multiplier
    table["shift"] = count_map.shift
    return table.tobytes()


def pack(bundle: Bundle) -> bytes:
    """The file's bytes; the same bundle gives the same bytes."""
    b = bundle
    parts = (
        b"".join(_name(name) for name in b.classes),
        _channel_table(b),
        _count_map_table(b.count_map),
        b.model,
        b.golden_counts.astype("<i2").tobytes(),
        b.golden_logits.astype("<i1").tobytes(),
        b.teaching.pack() if b.teaching else b"",
    )
    body = b"".join(padded(part) for part in parts)
    header = HEADER.pack(
        MAGIC,
        FORMAT,
        HEADER_BYTES,
        HEADER_BYTES + len(body),
        0,
        bytes(32),
        b.window,
        b.stride,
        len(b.channels),
        len(b.classes),
        ENGINES.index(b.engine),
        len(b.golden_counts),
        round(b.rate * 1000),
        b.arena_bytes,
        b.output_scale,
        b.output_zero_point,
        b.smoothing.length,
        b.smoothing.hold,
        0,
        *(len(part) for part in parts),
        b.teaching.size if b.teaching else 0,
    )
    return seal(header.ljust(HEADER_BYTES, b"\0") + body)


# ---- reading ----


def unpack(data: bytes, source: str = "bundle") -> Bundle:
    """Bytes that `pack` wrote, checked to the last one.

    Args:
        data: the whole file.
        source: what to call it in an error, for example its path.

    Raises:
        BundleError: naming the first field that is wrong, in the firmware's order.
    """
    h = open_header(data, source)
    check_header(h, data, source)
    check_lengths(h, source)
    names, table, count_map, model, counts, logits, teaching = sections(h, data, source)
    classes = read_classes(h, names, source)
    lsb, channels, units = read_channels(h, table, source)
    return Bundle(
        classes=classes,
        channels=channels,
        units=units,
        window=h["window"],
        stride=h["stride"],
        rate=h["rate"] / 1000,
        lsb=lsb,
        count_map=read_count_map(count_map, source),
        engine=ENGINES[h["engine"]],
        model=model,
        arena_bytes=h["arena_bytes"],
        output_scale=h["output_scale"],
        output_zero_point=h["output_zero_point"],
        golden_counts=np.frombuffer(counts, "<i2")
        .astype(np.int16)
        .reshape(h["golden"], h["window"], h["channels"]),
        golden_logits=np.frombuffer(logits, np.int8).reshape(h["golden"], h["classes"]).copy(),
        smoothing=Smoothing(length=h["smooth_length"], hold=h["smooth_hold"]),
        teaching=unpack_teaching(teaching, h["embedding"], h["classes"], source)
        if teaching
        else None,
    )
