"""How a bundle's bytes are laid out, sealed and first looked at; see bundle.py for the whole.

Little-endian: a header of 128 bytes, then class names, channels, count map, model, golden counts,
golden logits and what teaching needs, each starting at the next multiple of 16, zeros between them.
firmware/include/tinyhar/bundle.h describes the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any, Final

import numpy as np

from tinyhar.errors import ModelError

FORMAT: Final = 1
"""Version of the layout; a reader refuses any other."""

ENGINES: Final = ("compiled", "tflm")
"""By their number in the file and on the wire."""

HEADER_FIELDS: Final = (
    ("magic", "4s"),
    ("format", "H"),
    ("header_bytes", "H"),
    ("total_bytes", "I"),
    ("crc32", "I"),
    ("identity", "32s"),
    ("window", "H"),
    ("stride", "H"),
    ("channels", "B"),
    ("classes", "B"),
    ("engine", "B"),
    ("golden", "B"),
    ("rate", "I"),
    ("arena_bytes", "I"),
    ("output_scale", "f"),
    ("output_zero_point", "b"),
    ("smooth_length", "B"),
    ("smooth_hold", "B"),
    ("reserved", "B"),
    ("class_names_bytes", "I"),
    ("channels_bytes", "I"),
    ("count_map_bytes", "I"),
    ("model_bytes", "I"),
    ("golden_counts_bytes", "I"),
    ("golden_logits_bytes", "I"),
    ("teaching_bytes", "I"),
    ("embedding", "H"),
)
"""Name and struct code of every header field in file order; zeros fill the header up."""

HEADER_NAMES: Final = tuple(name for name, _ in HEADER_FIELDS)
HEADER: Final = struct.Struct("<" + "".join(code for _, code in HEADER_FIELDS))

SECTIONS: Final = tuple(
    f"{name}_bytes"
    for name in (
        "class_names",
        "channels",
        "count_map",
        "model",
        "golden_counts",
        "golden_logits",
        "teaching",
    )
)
"""Their lengths' fields, in file order."""

MAGIC: Final = b"THAB"
HEADER_BYTES: Final = 128
ALIGN: Final = 16
CRC_AT: Final = 12
CONTENT_AT: Final = 48

COUNT_MAP: Final = np.dtype(
    [("offset", "<i4"), ("multiplier", "<i2"), ("shift", "u1"), ("zero", "u1")]
)


class BundleError(ModelError):
    """A bundle that cannot be, or that is damaged; `field` names the culprit."""

    def __init__(self, field: str, problem: str, source: str = "bundle") -> None:
        self.field = field
        super().__init__(f"{source}, {field}: {problem}")


def is_name(text: str) -> bool:
    """Whether a decoded text can be shown: not empty, no control characters, no lone surrogates."""
    shown = not any(c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text)
    return bool(text) and shown


def padded(section: bytes) -> bytes:
    """With zeros up to the next multiple of 16."""
    return section + bytes(-len(section) % ALIGN)


def seal(data: bytes) -> bytes:
    """The same bundle bytes with identity and CRC-32 made right for them."""
    sealed = bytearray(data)
    sealed[CRC_AT + 4 : CONTENT_AT] = hashlib.sha256(data[CONTENT_AT:]).digest()
    sealed[CRC_AT : CRC_AT + 4] = struct.pack("<I", _crc(sealed))
    return bytes(sealed)


def _crc(data: bytes | bytearray) -> int:
    return zlib.crc32(data[CRC_AT + 4 :], zlib.crc32(data[:CRC_AT]))


def open_header(data: bytes, source: str) -> dict[str, Any]:
    """The header's fields by name, of bytes that are a whole, undamaged bundle of this format.

    Raises BundleError otherwise.
    """
    if len(data) < HEADER_BYTES:
        raise BundleError("length", f"{len(data)} bytes are no bundle", source)
    h = dict(zip(HEADER_NAMES, HEADER.unpack_from(data), strict=True))
    for name, ok, problem in (
        ("magic", h["magic"] == MAGIC, "this is not a bundle"),
        ("format", h["format"] == FORMAT, f"version {h['format']}, this tinyhar reads {FORMAT}"),
        ("header_bytes", h["header_bytes"] == HEADER_BYTES, f"{h['header_bytes']} is not 128"),
        (
            "total_bytes",
            h["total_bytes"] == len(data),
            f"{h['total_bytes']}, but {len(data)} came",
        ),
        ("crc32", h["crc32"] == _crc(data), "the bytes were damaged"),
        (
            "identity",
            h["identity"] == hashlib.sha256(data[CONTENT_AT:]).digest(),
            "is not that of the content",
        ),
    ):
        if not ok:
            raise BundleError(name, problem, source)
    return h


def identity(data: bytes, source: str = "bundle") -> bytes:
    """SHA-256 of a bundle's content, 32 bytes: what a band reports as bundle_id.

    Raises BundleError for bytes that are no whole bundle.
    """
    return bytes(open_header(data, source)["identity"])
