"""What a desk and a band say to each other, as frozen data classes without any I/O.

``firmware/include/tinyhar/messages.h`` is the table that defines them; a test holds every number
and every field here to it. Names of fields are the table's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from tinyhar.band.codes import PROTOCOL_VERSION, MessageType, ResetReason, name_of
from tinyhar.band.errors import OtherProtocol
from tinyhar.band.wire import U8, U16, U32, Id32, Part

Counts = npt.NDArray[np.int16]

R = TypeVar("R", bound=Part)


@dataclass(frozen=True)
class Request(Part, Generic[R]):
    """What a desk asks; RESPONSE says what the answer is made of."""

    TYPE: ClassVar[MessageType]
    RESPONSE: ClassVar[type[Part]]


class _TextTail(Part):
    """Ends in a text, in UTF-8."""

    text: str

    def tail(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode()

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """All there is."""
        return {"text": tail.decode(errors="replace")}


class CountsTail(Part):
    """Ends in counts int16 [k, channels], as little-endian bytes."""

    samples: bytes

    def tail(self) -> bytes:
        """The counts."""
        return self.samples

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """One sample or more."""
        if not tail or len(tail) % 2:
            raise cls.bad_length(tail, "an even number above 0", "of counts")
        return {"samples": tail}


class _LogitsTail(Part):
    """Ends in logits int8 [classes], as bytes."""

    logits: bytes

    def tail(self) -> bytes:
        """The logits."""
        return self.logits

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """One class or more."""
        if not tail:
            raise cls.bad_length(tail, "one or more", "of logits")
        return {"logits": tail}


@dataclass(frozen=True)
class Identity(Part):
    """Who a band is, what it runs, and since when. ``rate_mhz`` is in millihertz."""

    protocol: U8
    fw_major: U8
    fw_minor: U8
    fw_patch: U8
    boot_id: U32
    reset_reason: U8
    engine: U8
    max_body: U16
    window: U16
    stride: U16
    channels: U8
    classes: U8
    layers: U8
    golden: U8
    rate_mhz: U32
    tick_hz: U32
    instructions_per_tick: U16
    arena_bytes: U32
    model_bytes: U32
    bundle_id: Id32
    board_length: U8
    board: str

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The identity; OtherProtocol before anything that another version may lay out anew."""
        if body and body[0] != PROTOCOL_VERSION:
            raise OtherProtocol(PROTOCOL_VERSION, body[0])
        return super().decode(body)

    def tail(self) -> bytes:
        """The board's name in UTF-8."""
        return self.board.encode()

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """The board's name."""
        if len(tail) != fixed["board_length"]:
            raise cls.bad_length(tail, f"{fixed['board_length']}", "of board name")
        return {"board": tail.decode(errors="replace")}

    @property
    def firmware(self) -> str:
        """The firmware's version, as "1.2.3"."""
        return f"{self.fw_major}.{self.fw_minor}.{self.fw_patch}"

    @property
    def reason(self) -> str:
        """Why it last started, in words."""
        return name_of(ResetReason, self.reset_reason)


@dataclass(frozen=True)
class Identify(Request[Identity]):
    """Who are you?"""

    TYPE = MessageType.IDENTIFY
    RESPONSE = Identity
    protocol: U8


@dataclass(frozen=True)
class Text(_TextTail):
    """A name in UTF-8, and nothing else."""

    text: str


@dataclass(frozen=True)
class Describe(Request[Text]):
    """What is the class, or channel, of this index called?"""

    TYPE = MessageType.DESCRIBE
    RESPONSE = Text
    what: U8
    index: U8


def pack_counts(counts: Counts) -> bytes:
    """Counts int16 [..., channels] as the wire carries them."""
    return np.ascontiguousarray(counts, "<i2").tobytes()


@dataclass(frozen=True)
class InferResult(_LogitsTail):
    """The answer to a whole window: ticks it took, class, logits int8 [classes] as bytes."""

    ticks: U32
    class_index: U8
    logits: bytes


@dataclass(frozen=True)
class InferResponse(Part):
    """``done`` 0: samples loaded, more to come. ``done`` 1: there is a result."""

    done: U8
    result: InferResult | None = None

    def tail(self) -> bytes:
        """The result, where there is one."""
        return self.result.encode() if self.result else b""

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """The result of a window that is done."""
        if fixed["done"]:
            return {"result": InferResult.decode(tail)}
        return super().read_tail(tail, fixed)


@dataclass(frozen=True)
class Infer(CountsTail, Request[InferResponse]):
    """Samples of one window; those that reach its end start the inference."""

    TYPE = MessageType.INFER
    RESPONSE = InferResponse
    first_sample: U16
    samples: bytes


@dataclass(frozen=True)
class LayerChecks(Part):
    """CRC-32 of the int8 input and of each layer's output, or of one layer's channels."""

    n: U8
    crcs: tuple[int, ...]

    def tail(self) -> bytes:
        """The CRCs."""
        return np.asarray(self.crcs, "<u4").tobytes()

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """As many CRCs as announced."""
        if len(tail) != 4 * fixed["n"]:
            raise cls.bad_length(tail, f"{4 * fixed['n']}", "of CRCs")
        return {"crcs": tuple(np.frombuffer(tail, "<u4").tolist())}


@dataclass(frozen=True)
class Trace(Request[LayerChecks]):
    """Run the last window again and say what every layer gave."""

    TYPE = MessageType.TRACE
    RESPONSE = LayerChecks


@dataclass(frozen=True)
class TraceChannels(Request[LayerChecks]):
    """Run the last window again and say what each channel of one layer gave; layer 0: the input."""

    TYPE = MessageType.TRACE
    RESPONSE = LayerChecks
    layer: U8
    channels: U8


@dataclass(frozen=True)
class StreamResponse(Part):
    """The sample that the band expects next."""

    next_sample: U32


@dataclass(frozen=True)
class Stream(CountsTail, Request[StreamResponse]):
    """Samples of an endless recording; ``first_sample`` 0 starts it anew."""

    TYPE = MessageType.STREAM
    RESPONSE = StreamResponse
    first_sample: U32
    samples: bytes


@dataclass(frozen=True)
class SelfTestResult(Part):
    """Golden windows run and failed, and both logits int8 [classes] of the first failure."""

    run: U8
    failed: U8
    first_failed: U8
    expected: bytes
    got: bytes

    def tail(self) -> bytes:
        """Expected, then got."""
        return self.expected + self.got

    @classmethod
    def read_tail(cls, tail: bytes, fixed: dict[str, Any]) -> dict[str, Any]:
        """Two runs of logits of one length."""
        if len(tail) % 2:
            raise cls.bad_length(tail, "an even number", "of logits")
        half = len(tail) // 2
        return {"expected": tail[:half], "got": tail[half:]}


@dataclass(frozen=True)
class SelfTest(Request[SelfTestResult]):
    """Run the golden windows that the bundle carries."""

    TYPE = MessageType.SELFTEST
    RESPONSE = SelfTestResult


@dataclass(frozen=True)
class Statistics(Part):
    """What a band counted since it started or was cleared; byte figures of 0 are unknown."""

    uptime_ms: U32
    windows: U32
    frames_ok: U32
    frames_bad: U32
    ticks_min: U32
    ticks_mean: U32
    ticks_max: U32
    arena_used: U32
    stack_used: U32
    ram_bytes: U32
    flash_bytes: U32


@dataclass(frozen=True)
class Stats(Request[Statistics]):
    """What did you count? ``clear`` not 0: and start again from zero."""

    TYPE = MessageType.STATS
    RESPONSE = Statistics
    clear: U8


@dataclass(frozen=True)
class SettingsInForce(Part):
    """Stride in samples, and the smoothing of answers in windows."""

    stride: U16
    smooth_length: U8
    smooth_hold: U8


@dataclass(frozen=True)
class GetSettings(Request[SettingsInForce]):
    """Which settings are in force?"""

    TYPE = MessageType.SETTINGS
    RESPONSE = SettingsInForce


@dataclass(frozen=True)
class SetSettings(Request[SettingsInForce]):
    """Take these settings; restarts the stream."""

    TYPE = MessageType.SETTINGS
    RESPONSE = SettingsInForce
    stride: U16
    smooth_length: U8
    smooth_hold: U8


@dataclass(frozen=True)
class Done(Part):
    """An empty response."""


@dataclass(frozen=True)
class Reset(Request[Done]):
    """Start anew."""

    TYPE = MessageType.RESET
    RESPONSE = Done


@dataclass(frozen=True)
class Prediction(_LogitsTail):
    """Event: a window of the stream, its class, the smoothed class, logits int8 as bytes.

    ``confidence`` is the share of recent windows that agree with the smoothed class, 0..255.
    """

    TYPE: ClassVar = MessageType.PREDICTION
    window_index: U32
    last_sample: U32
    class_index: U8
    smoothed: U8
    confidence: U8
    ticks: U32
    logits: bytes


@dataclass(frozen=True)
class Refusal(_TextTail):
    """In place of a response: why not."""

    TYPE: ClassVar = MessageType.ERROR
    code: U8
    request: U8
    text: str
