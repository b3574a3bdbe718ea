"""Numbers of the wire: types, error codes, reasons; ``messages.h`` defines them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

PROTOCOL_VERSION: Final = 1
"""Version of the wire that this desk speaks."""

RESPONSE_BIT: Final = 0x80
"""Set in the type of a response."""

NONE: Final = 255
"""An index that is not there."""

DEPLOY_BLOCK: Final = 256
"""Bytes of the running bundle that one CRC-32 of BLOCKS covers."""


class MessageType(IntEnum):
    """First byte of every frame; 0x01..0x3F requests, 0x40..0x4F events."""

    IDENTIFY = 0x01
    DESCRIBE = 0x02
    INFER = 0x03
    TRACE = 0x04
    STREAM = 0x05
    SELFTEST = 0x06
    STATS = 0x07
    SETTINGS = 0x08
    RESET = 0x09
    LIVE = 0x0A
    SLOT = 0x20
    BLOCKS = 0x21
    BEGIN = 0x22
    CHUNK = 0x23
    COPY = 0x24
    COMMIT = 0x25
    ABORT = 0x26
    ROLLBACK = 0x27
    TEACH = 0x30
    TAUGHT = 0x31
    BOOT = 0x40
    PREDICTION = 0x41
    SAMPLES = 0x42
    ERROR = 0xFF


class ErrorCode(IntEnum):
    """Why a band refuses."""

    UNKNOWN_REQUEST = 1
    BAD_LENGTH = 2
    BAD_VALUE = 3
    NO_MODEL = 4
    PROTOCOL = 5
    OUT_OF_ORDER = 6
    ENGINE = 7
    UNSUPPORTED = 8
    TOO_BIG = 9
    OTHER_ENGINE = 10
    NO_ROOM = 11
    OTHER_SENSORS = 12
    DAMAGED = 13
    TRIAL_FAILED = 14
    FLASH = 15
    NOTHING_THERE = 16


class ResetReason(IntEnum):
    """Why a band started."""

    POWER_ON = 0
    REQUESTED = 1
    WATCHDOG = 2
    FAULT = 3
    UNKNOWN = 4


class Engine(IntEnum):
    """What runs the model."""

    COMPILED = 0
    TFLM = 1


class TeachAction(IntEnum):
    """What TEACH asks for."""

    BEGIN = 0
    KEEP = 1
    CANCEL = 2
    FORGET = 3


class SlotState(IntEnum):
    """What a slot for models holds."""

    EMPTY = 0
    RECEIVING = 1
    READY = 2
    REJECTED = 3
    BUILT_IN = 4


class What(IntEnum):
    """What DESCRIBE asks for."""

    CLASS_NAME = 0
    CHANNEL_NAME = 1


def name_of(kind: type[IntEnum], value: int) -> str:
    """The value's name in words, or the bare number for one that we do not know."""
    try:
        return kind(value).name.lower().replace("_", " ")
    except ValueError:
        return f"{kind.__name__} {value}"
