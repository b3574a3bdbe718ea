"""A band in Python: the same messages over a line that can be made as bad as a test likes.

It is another ``Link``, with a clock of its own that runs only while somebody waits, so that a
hundred seconds of timeouts pass in no time.
"""

from __future__ import annotations

import heapq
import zlib
from dataclasses import dataclass, field
from random import Random

import numpy as np
import numpy.typing as npt

from tinyhar.band import frames
from tinyhar.band import messages as m
from tinyhar.band.codes import NONE, RESPONSE_BIT, ErrorCode, MessageType, ResetReason
from tinyhar.band.errors import LinkError, MessageError
from tinyhar.band.frames import Decoder, Frame

Counts = npt.NDArray[np.int16]
Int8 = npt.NDArray[np.int8]


@dataclass
class Faults:
    """Chances that a frame is dropped, damaged in one bit, doubled, or late by up to 3 s."""

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    random: Random = field(default_factory=lambda: Random(1))

    def on(self, frame: bytes) -> list[tuple[float, bytes]]:
        """The frame as it comes out of the line: (seconds late, bytes), any number of times."""
        if self.random.random() < self.drop:
            return []
        if self.random.random() < self.flip:
            at = self.random.randrange(8 * len(frame))
            damaged = bytearray(frame)
            damaged[at // 8] ^= 1 << at % 8
            frame = bytes(damaged)
        copies = 2 if self.random.random() < self.duplicate else 1
        late = 3 * self.random.random() if self.random.random() < self.delay else 0.0
        return [(late, frame)] * copies


def layers_of(counts: Counts) -> list[Int8]:
    """The simulated model, counts [n, time, channel]: int8 input, one layer, logits [n, 3]."""
    x = (counts >> 8).astype(np.int8)
    hidden = (x[:, ::2].astype(np.int32) * 3 >> 2).astype(np.int8)
    sums = hidden.astype(np.int32).sum(axis=1)
    logits = np.stack([sums[:, 0], -sums[:, -1], sums.sum(axis=1)], axis=1)
    return [x, hidden, np.clip(logits >> 4, -128, 127).astype(np.int8)]


def logits_of(counts: Counts) -> Int8:
    """Logits int8 [n, 3] of counts int16 [n, time, channel]."""
    return layers_of(counts)[-1]


class SimulatedBand:
    """A line with a band at its end. ``broken_layer`` makes the model wrong from that layer on."""

    name = "simulated"
    buffered = True
    baud: int | None = 115_200

    def __init__(
        self,
        window: int = 16,
        channels: int = 3,
        max_body: int = 4096,
        to_band: Faults | None = None,
        to_desk: Faults | None = None,
    ) -> None:
        self.window, self.channels, self.max_body = window, channels, max_body
        self.to_band, self.to_desk = to_band or Faults(), to_desk or Faults()
        self.protocol, self.board = 1, "simulated"
        self.bundle_id = bytes(range(32))
        self.goldens_failed = 0
        self.broken_layer: int | None = None
        self.broken_channel = 0
        self.restart_after: int | None = None
        self.cut_after: int | None = None
        self.deaf = False
        self.has_model = True
        self.frames_in = self.worked = self.boots = 0
        self._time = 0.0
        self._line: list[tuple[float, int, bool, bytes]] = []
        self._order = 0
        self._event_seq = 0
        self._boot(ResetReason.POWER_ON, tell=False)

    # -- the line ----------------------------------------------------------------------------

    def now(self) -> float:
        return self._time

    def close(self) -> None:
        self.cut_after = self.frames_in

    def write(self, data: bytes) -> None:
        self._check_cut()
        for frame in _frames_of(data):
            self._put(self.to_band, frame, to_desk=False)
        self._run(self._time)

    def read(self, timeout: float) -> bytes:
        self._check_cut()
        end = self._time + timeout
        while not self._arrived:
            if not self._line or self._line[0][0] > end:
                self._time = end
                return b""
            self._run(self._line[0][0])
        data, self._arrived = self._arrived, b""
        return data

    def _check_cut(self) -> None:
        if self.cut_after is not None and self.frames_in >= self.cut_after:
            raise LinkError("simulated went away; plug the band in again")

    def _put(self, faults: Faults, frame: bytes, *, to_desk: bool) -> None:
        for late, piece in faults.on(frame):
            self._order += 1
            heapq.heappush(self._line, (self._time + late, self._order, to_desk, piece))

    def _run(self, until: float) -> None:
        while self._line and self._line[0][0] <= until:
            self._time, _, to_desk, piece = heapq.heappop(self._line)
            if to_desk:
                self._arrived += piece
            else:
                for frame in self._decoder.feed(piece):
                    self._hear(frame)
        self._time = max(self._time, until)

    # -- the band ----------------------------------------------------------------------------

    def _boot(self, reason: ResetReason, *, tell: bool = True) -> None:
        self.boots += 1
        self.reason = reason
        self._arrived = getattr(self, "_arrived", b"")
        self._decoder = Decoder(self.max_body)
        self._last: Frame | None = None
        self._outbox: list[bytes] = []
        self._loaded = np.zeros((self.window, self.channels), np.int16)
        self._next = self._expected = 0
        self._stream = np.zeros((0, self.channels), np.int16)
        if tell:
            self._event(MessageType.BOOT, self.identity().encode())
            self._send_outbox()
            self._outbox = []

    def restart(self, reason: ResetReason) -> None:
        """Start anew, as after a crash."""
        self._boot(reason)

    def identity(self) -> m.Identity:
        if not self.has_model:
            nothing = dict.fromkeys((name for _, name in m.Identity.LAYOUT), 0)
            known = {"protocol": self.protocol, "boot_id": 1000 + self.boots, "max_body": 4096}
            return m.Identity(**nothing | known | {"bundle_id": bytes(32), "board": ""})  # type: ignore[arg-type]
        return m.Identity(
            protocol=self.protocol, fw_major=1, fw_minor=2, fw_patch=3, boot_id=1000 + self.boots,
            reset_reason=self.reason, engine=0, max_body=self.max_body, window=self.window,
            stride=self.window // 2, channels=self.channels, classes=3, layers=2, golden=4,
            rate_mhz=50_000, tick_hz=1_000_000, instructions_per_tick=40, arena_bytes=1000,
            model_bytes=2000, bundle_id=self.bundle_id, board_length=len(self.board),
            board=self.board,
        )  # fmt: skip

    def _event(self, kind: MessageType, body: bytes) -> None:
        self._event_seq = (self._event_seq + 1) % 256
        of_stream = kind == MessageType.PREDICTION and self._last is not None
        seq = self._last.seq if of_stream else self._event_seq
        self._outbox.append(frames.encode(Frame(kind, seq, body)))

    def _hear(self, frame: Frame) -> None:
        self.frames_in += 1
        if self.restart_after is not None and self.frames_in > self.restart_after:
            self.restart_after = None
            self.restart(ResetReason.WATCHDOG)
            return
        if self.deaf:
            return
        if frame == self._last and frame.type != MessageType.IDENTIFY:
            self._send_outbox()
            return
        if self._is_late(frame):
            body = m.Refusal(ErrorCode.OUT_OF_ORDER, frame.type, "late").encode()
            late = frames.encode(Frame(MessageType.ERROR, frame.seq, body))
            self._put(self.to_desk, late, to_desk=True)
            return
        self._last, self._outbox = frame, []
        self.worked += 1
        self._outbox.append(frames.encode(self._work(frame)))
        self._send_outbox()
        if frame.type == MessageType.RESET:
            self._boot(ResetReason.REQUESTED)

    def _is_late(self, frame: Frame) -> bool:
        """As the firmware: no number before the last one, except to say who one is."""
        if self._last is None or frame.type == MessageType.IDENTIFY:
            return False
        return not 0 < (frame.seq - self._last.seq) % 256 < 128

    def _send_outbox(self) -> None:
        for line in self._outbox:
            self._put(self.to_desk, line, to_desk=True)

    def _work(self, frame: Frame) -> Frame:
        handle = getattr(self, f"_on_{frame.type:02x}", None)
        try:
            if handle is None:
                raise RefusedError(ErrorCode.UNKNOWN_REQUEST)
            if not self.has_model and frame.type in (2, 3, 4, 5, 6, 8):
                raise RefusedError(ErrorCode.NO_MODEL)
            return Frame(frame.type | RESPONSE_BIT, frame.seq, handle(frame.body).encode())
        except RefusedError as refused:
            body = m.Refusal(refused.code, frame.type, "simulated").encode()
        except MessageError:
            body = m.Refusal(ErrorCode.BAD_LENGTH, frame.type, "").encode()
        return Frame(MessageType.ERROR, frame.seq, body)

    def _on_01(self, body: bytes) -> m.Identity:
        if m.Identify.decode(body).protocol != self.protocol:
            raise RefusedError(ErrorCode.PROTOCOL)
        return self.identity()

    def _on_02(self, body: bytes) -> m.Text:
        asked = m.Describe.decode(body)
        names = (["sit", "walk", "run"], [f"wrist_acc_{a}" for a in "xyzuvw"[: self.channels]])
        return m.Text(names[asked.what][asked.index])

    def _on_03(self, body: bytes) -> m.InferResponse:
        asked = m.Infer.decode(body)
        counts = np.frombuffer(asked.samples, "<i2").reshape(-1, self.channels)
        if asked.first_sample not in (0, self._next):
            raise RefusedError(ErrorCode.OUT_OF_ORDER)
        self._next = asked.first_sample + len(counts)
        if self._next > self.window:
            raise RefusedError(ErrorCode.BAD_LENGTH)
        self._loaded[asked.first_sample : self._next] = counts
        if self._next < self.window:
            return m.InferResponse(0)
        self._next = 0
        logits = self._layers()[-1]
        return m.InferResponse(1, m.InferResult(25, int(logits.argmax()), logits.tobytes()))

    def _layers(self) -> list[Int8]:
        layers = [layer[0].copy() for layer in layers_of(self._loaded[np.newaxis])]
        if self.broken_layer is not None:
            layers[self.broken_layer][..., self.broken_channel] += 1
            layers[-1][0] ^= self.broken_layer < len(layers) - 1
        return layers

    def _on_04(self, body: bytes) -> m.LayerChecks:
        layers = self._layers()
        if body:
            asked = m.TraceChannels.decode(body)
            layers = list(layers[asked.layer].reshape(-1, asked.channels).T)
        crcs = tuple(zlib.crc32(layer.tobytes()) for layer in layers)
        return m.LayerChecks(len(crcs), crcs)

    def _on_05(self, body: bytes) -> m.StreamResponse:
        asked = m.Stream.decode(body)
        if asked.first_sample == 0:
            self._stream, self._expected = self._stream[:0], 0
        if asked.first_sample != self._expected:
            raise RefusedError(ErrorCode.OUT_OF_ORDER)
        counts = np.frombuffer(asked.samples, "<i2").reshape(-1, self.channels)
        before, self._expected = self._expected, self._expected + len(counts)
        self._stream = np.concatenate([self._stream, counts])
        stride = self.window // 2
        for end in range(before + 1, self._expected + 1):
            index, rest = divmod(end - self.window, stride)
            if index >= 0 and rest == 0:
                logits = logits_of(self._stream[np.newaxis, end - self.window : end])[0]
                best = int(logits.argmax())
                event = m.Prediction(index, end - 1, best, best, 255, 25, logits.tobytes())
                self._event(MessageType.PREDICTION, event.encode())
        return m.StreamResponse(self._expected)

    def _on_06(self, body: bytes) -> m.SelfTestResult:
        first = 1 if self.goldens_failed else NONE
        got = bytes(3) if not self.goldens_failed else b"\x01\xff\x00"
        return m.SelfTestResult(4, self.goldens_failed, first, bytes(3), got)

    def _on_07(self, body: bytes) -> m.Statistics:
        return m.Statistics(int(self._time * 1000), 5, self._decoder.good, self._decoder.bad,
                            20, 25, 30, 900, 0, 0, 0)  # fmt: skip

    def _on_08(self, body: bytes) -> m.SettingsInForce:
        return m.SettingsInForce.decode(body) if body else m.SettingsInForce(8, 5, 2)

    def _on_09(self, body: bytes) -> m.Done:
        return m.Done()


class RefusedError(Exception):
    def __init__(self, code: ErrorCode) -> None:
        self.code = code


def _frames_of(data: bytes) -> list[bytes]:
    """Frames with their ending zeros."""
    return [piece + b"\0" for piece in data.split(b"\0") if piece]
