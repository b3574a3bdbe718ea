"""The parts of a bundle out of its bytes, each checked; `tinyhar.convert.bundle.unpack` joins them.

The order of the checks is the firmware's (thar_bundle_open), so that both readers name the same
field of a damaged file.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.bundle_format import (
    ALIGN,
    COUNT_MAP,
    ENGINES,
    HEADER,
    HEADER_BYTES,
    SECTIONS,
    BundleError,
    is_name,
)
from tinyhar.convert.teaching import MOST_EMBEDDING, section_bytes
from tinyhar.counts import LARGEST_SHIFT, OFFSET_LIMIT, CountMap


def check_header(h: dict[str, Any], data: bytes, source: str) -> None:
    """Every number in range, or BundleError."""
    scale = h["output_scale"]
    reserved = h["reserved"] or any(data[HEADER.size : HEADER_BYTES])
    for name, ok in (
        ("window", h["window"] >= 1),
        ("stride", h["stride"] >= 1),
        ("channels", h["channels"] >= 1),
        ("classes", h["classes"] >= 1),
        ("engine", h["engine"] < len(ENGINES)),
        ("rate", h["rate"] >= 1),
        ("output_scale", bool(np.isfinite(scale)) and scale > 0),
        ("smooth_length", h["smooth_length"] >= 1),
        ("smooth_hold", h["smooth_hold"] >= 1),
        ("embedding", h["embedding"] <= MOST_EMBEDDING),
        ("reserved", not reserved),
    ):
        if not ok:
            raise BundleError(name, f"{h[name]!r} is out of range", source)


def check_lengths(h: dict[str, Any], source: str) -> None:
    """Sections as long as the numbers say, or BundleError."""
    for name, expected in (
        ("count_map_bytes", h["channels"] * COUNT_MAP.itemsize),
        ("model_bytes", max(h["model_bytes"], 1)),
        ("golden_counts_bytes", h["golden"] * h["window"] * h["channels"] * 2),
        ("golden_logits_bytes", h["golden"] * h["classes"]),
        ("teaching_bytes", section_bytes(h["embedding"], h["classes"])),
    ):
        if h[name] != expected:
            raise BundleError(name, f"{h[name]}, not {expected}", source)


def sections(h: dict[str, Any], data: bytes, source: str) -> list[bytes]:
    """Class names, channels, count map, model, golden counts and logits, teaching, as bytes."""
    sections = []
    padding = b""
    at = HEADER_BYTES
    for name in SECTIONS:
        end = at + h[name]
        sections.append(data[at:end])
        at = end + -end % ALIGN
        padding += data[end:at]
    if at != len(data):
        raise BundleError("total_bytes", f"{len(data)}, but the sections take {at}", source)
    if any(padding):
        raise BundleError("padding", "bytes between sections are not 0", source)
    return sections


def _take_name(data: bytes, at: int) -> tuple[str, int] | None:
    """The name at `at` and where it ends, or None for none."""
    end = at + 1 + data[at] if at < len(data) else len(data) + 1
    if end > len(data):
        return None
    try:
        name = data[at + 1 : end].decode()
    except UnicodeDecodeError:
        return None
    return (name, end) if is_name(name) else None


def read_classes(h: dict[str, Any], section: bytes, source: str) -> tuple[str, ...]:
    """The class names."""
    names: list[str] = []
    at = 0
    while len(names) < h["classes"] and (taken := _take_name(section, at)):
        names.append(taken[0])
        at = taken[1]
    if at != len(section) or len(set(names)) != h["classes"]:
        raise BundleError("classes", "the names are cut, empty or double", source)
    return tuple(names)


def read_channels(
    h: dict[str, Any], section: bytes, source: str
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """What a count is worth, float64 [channel], the channels' names and their units."""
    lsb: list[float] = []
    texts: dict[str, list[str]] = {"channels": [], "units": []}
    at = 0
    for _ in range(h["channels"]):
        worth = struct.unpack_from("<d", section, at)[0] if at + 8 <= len(section) else 0.0
        if not (np.isfinite(worth) and worth > 0):
            raise BundleError("lsb", f"{worth} is not positive", source)
        lsb.append(worth)
        at += 8
        for name, found in texts.items():
            taken = _take_name(section, at)
            if taken is None:
                raise BundleError(name, "a text is cut, empty or no text", source)
            found.append(taken[0])
            at = taken[1]
    channels = tuple(texts["channels"])
    if at != len(section) or len(set(channels)) != len(channels):
        raise BundleError("channels", "a name comes twice, or bytes are left over", source)
    return np.array(lsb, np.float64), channels, tuple(texts["units"])


def read_count_map(section: bytes, source: str) -> CountMap:
    """One map a channel."""
    table = np.frombuffer(section, COUNT_MAP)
    offset = table["offset"].astype(np.int64)
    wrong = (
        (table["multiplier"] == -32768)
        | (table["shift"] > LARGEST_SHIFT)
        | (np.abs(offset) >= OFFSET_LIMIT)
        | (table["zero"] != 0)
    )
    if wrong.any():
        channel = int(np.flatnonzero(wrong)[0])
        raise BundleError("count_map", f"channel {channel} is out of range", source)
    return CountMap(
        multiplier=table["multiplier"].astype(np.int16),
        shift=table["shift"].astype(np.uint8),
        offset=table["offset"].astype(np.int32),
    )
