"""A band on simulated flash (firmware/tests/store_probe.c), and deployments that are cut."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from tests.firmware.probe import Probe
from tests.firmware.wire import parse
from tinyhar.band import deploy_messages as dm
from tinyhar.band.codes import ErrorCode, SlotState
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.deploy_plan import Plan
from tinyhar.band.messages import Identify, Identity, Request, SelfTest
from tinyhar.band.wire import Part

POWER_ON, REQUESTED, WATCHDOG = 0, 1, 2
CLEAN, HALF, NOISY = 0, 1, 2

R = TypeVar("R", bound=Part)


class PowerCutError(Exception):
    pass


class RefusedError(Exception):
    def __init__(self, code: int, text: str) -> None:
        self.code = ErrorCode(code)
        super().__init__(f"{self.code.name}: {text}")


@dataclass(frozen=True)
class Shape:
    """Flash of two slots of so many pages each."""

    pages: int
    page: int
    unit: int

    def blank(self, value: int = 0xFF) -> bytes:
        size = 2 * self.pages * self.page
        return struct.pack("<II", self.page, self.unit) + bytes([value]) * size + b"\xff" * size


class SimulatedFlashBand:
    """The band; every request is asked once, over a line without faults."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._seq = 0

    # -- flash -------------------------------------------------------------------------------

    def load(self, snapshot: bytes) -> None:
        self._probe.ask("S", snapshot)

    def save(self) -> bytes:
        return self._probe.ask("G", b"")

    def image(self, bundle: bytes) -> None:
        self._probe.ask("I", bundle)

    def cut_after(self, operations: int, torn: int = CLEAN) -> None:
        """And counts operations from here."""
        self._probe.ask("C", struct.pack("<iB", operations, torn))

    def operations(self) -> int:
        count, broken = struct.unpack("<II", self._probe.ask("N", b""))
        assert broken == 0, f"{broken} rules of flash were broken"
        return count

    def room(self, arena_bytes: int) -> None:
        """The arena that the image has for models, from the next boot on."""
        self._probe.ask("A", struct.pack("<I", arena_bytes))

    # -- band --------------------------------------------------------------------------------

    def boot(self, reason: int = POWER_ON) -> None:
        self._run("B", bytes([reason]))

    def press(self) -> bool:
        """The button; whether it did anything."""
        return self._run("P", b"") == b"\x01"

    def ask(self, request: Request[R]) -> R:
        self._seq = (self._seq + 1) % 256
        said = self._run("R", bytes([request.TYPE, self._seq]) + request.encode())
        kind, seq, body = [parse(piece) for piece in said.split(b"\0") if piece][-1]
        assert seq == self._seq
        if kind == 0xFF:
            raise RefusedError(body[0], body[2:].decode())
        assert kind == request.TYPE | 0x80
        return cast(R, request.RESPONSE.decode(body))

    def _run(self, op: str, payload: bytes) -> bytes:
        said = self._probe.ask(op, payload)
        if said[0]:
            raise PowerCutError
        return said[1:]

    def identity(self) -> Identity:
        return self.ask(Identify(1))

    def runs(self) -> bytes:
        """The bundle that runs, after it answered its golden windows."""
        result = self.ask(SelfTest())
        assert (result.run, result.failed) == (6, 0)
        return self.identity().bundle_id

    def states(self) -> list[SlotState]:
        return [SlotState(self.ask(dm.Slot(n)).state) for n in range(2)]

    # -- deployments -------------------------------------------------------------------------

    def send(self, file: BundleFile, plan: Plan, most: int = 128, upto: int | None = None) -> int:
        """Without the commit; how much was there before."""
        begun = self.ask(file.begin())
        assert not begun.running
        for piece in plan.pieces:
            for part in piece.cut(begun.received, most):
                end = part.offset + part.size
                if upto is not None and end > upto:
                    return begun.received
                answer = self.ask(request_of(file, part.offset, part.size, part.source))
                assert answer.received == end
        return begun.received

    def deploy(self, file: BundleFile, plan: Plan, most: int = 128) -> dm.Activated:
        self.send(file, plan, most)
        return self.ask(dm.Commit())


def request_of(file: BundleFile, offset: int, size: int, source: int | None) -> Request[Any]:
    if source is not None:
        return dm.Copy(offset, source, size)
    return dm.Chunk(offset, file.data[offset : offset + size])
