"""Data classes that know their place on the wire: fixed fields in order, then at most one tail.

A field of type :data:`U8`, :data:`U16`, :data:`U32` or :data:`Id32` belongs to the fixed part; any
other field is the tail, which the class itself reads and writes. Everything is little-endian.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import Annotated, Any, ClassVar, Self, get_type_hints

from tinyhar.band.errors import MessageError

U8 = Annotated[int, "u8"]
"""One byte, 0..255."""

U16 = Annotated[int, "u16"]
"""Two bytes, 0..65535."""

U32 = Annotated[int, "u32"]
"""Four bytes, 0..2**32-1."""

Id32 = Annotated[bytes, "id32"]
"""Thirty-two bytes that identify a bundle."""

_FORMATS = {"u8": "B", "u16": "H", "u32": "I", "id32": "32s"}


@dataclasses.dataclass(frozen=True)
class Part:
    """A body, or the fixed start of one. Subclasses are frozen data classes without any I/O."""

    LAYOUT: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(type, name) of the fixed fields in wire order, as ``messages.h`` lists them."""

    _PACKER: ClassVar[struct.Struct] = struct.Struct("<")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        hints = get_type_hints(cls, include_extras=True)
        kinds = ((getattr(hint, "__metadata__", ("",))[0], name) for name, hint in hints.items())
        cls.LAYOUT = tuple((kind, name) for kind, name in kinds if kind in _FORMATS)
        cls._PACKER = struct.Struct("<" + "".join(_FORMATS[kind] for kind, _ in cls.LAYOUT))

    def encode(self) -> bytes:
        """The body's bytes; MessageError when a number does not fit its field."""
        cls = type(self)
        values = [getattr(self, name) for _, name in cls.LAYOUT]
        try:
            return cls._PACKER.pack(*values) + self.tail()
        except struct.error as error:
            fields = ", ".join(
                f"{name}={v!r}" for (_, name), v in zip(cls.LAYOUT, values, strict=True)
            )
            raise MessageError(f"{cls.__name__}({fields}) does not fit the wire: {error}") from None

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The message in a body; MessageError when the body is too short or too long for it."""
        packer = cls._PACKER
        if len(body) < packer.size:
            raise cls.bad_length(body, f"at least {packer.size} bytes")
        fixed = dict(zip((name for _, name in cls.LAYOUT), packer.unpack_from(body), strict=True))
        return cls(**fixed, **cls.read_tail(body[packer.size :], fixed))

    def tail(self) -> bytes:
        """What follows the fixed fields; nothing, unless a class says otherwise."""
        return b""

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """The tail's field and value, by name."""
        if tail:
            raise cls.bad_length(tail, "nothing", "after its fields")
        return {}

    @classmethod
    def bad_length(cls, got: bytes, expected: str, where: str = "in all") -> MessageError:
        """The error for a body of the wrong length."""
        return MessageError(f"{cls.__name__} has {len(got)} bytes {where}, expected {expected}")
