"""Requests and their answers over a line that loses, damages, repeats and delays.

Each request carries a sequence number. What is not answered in time is asked again with the SAME
number, and the band then repeats its answer without doing the work twice. Several requests may be
outstanding at once, as long as each can be answered on its own, in any order and twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar, cast

from tinyhar.band import frames
from tinyhar.band.codes import RESPONSE_BIT, ErrorCode, MessageType, name_of
from tinyhar.band.errors import BandRefused, SilentBand
from tinyhar.band.frames import Decoder, Frame
from tinyhar.band.link import Link
from tinyhar.band.messages import Refusal, Request
from tinyhar.band.wire import Part

R = TypeVar("R", bound=Part)

TIMEOUT: Final = 1.0
"""Seconds without any answer after which a request is sent again."""

TRIES: Final = 3
"""How often a request is sent before the band counts as silent."""

OUTSTANDING: Final = 8
"""Requests under way at once, on a line that holds bytes back until the band takes them."""


@dataclass
class _Pending:
    index: int
    request: Request[Any]
    line: bytes
    tries: int = 1
    hurried: bool = False


class Exchange:
    """Sends requests over one line and matches their answers; events go to ``on_event``."""

    def __init__(self, link: Link, *, timeout: float = TIMEOUT, tries: int = TRIES) -> None:
        self.link = link
        self.timeout = timeout
        self.tries = tries
        self.outstanding = OUTSTANDING if link.buffered else 1
        self.on_event: Callable[[Frame], None] = lambda frame: None
        self.retries = 0
        self.strays = 0
        self.decoder = Decoder()
        self._seq = random.randrange(256)
        self._pending: dict[int, _Pending] = {}
        self._last_heard = 0.0
        self._busy = False

    @property
    def waiting_for(self) -> str:
        """The request that the band owes an answer to."""
        oldest = next(iter(self._pending.values()), None)
        return oldest.request.TYPE.name if oldest else "nothing"

    @property
    def troubles(self) -> int:
        """How often anything was not as it should be: retries, strays, damaged frames."""
        return self.retries + self.strays + self.decoder.bad

    def request(
        self, request: Request[R], *, timeout: float | None = None, tries: int | None = None
    ) -> R:
        """One answer; SilentBand when none comes, BandRefused when the band says no."""
        kept = self.timeout, self.tries
        self.timeout, self.tries = timeout or self.timeout, tries or self.tries
        try:
            (answer,) = self.many([request])
            return answer
        finally:
            self.timeout, self.tries = kept

    def many(self, requests: Iterable[Request[R]]) -> Iterator[R]:
        """Answers in the order of the requests, several of which are under way at once.

        Take them all before asking anything else: there is one line, and one conversation on it.
        """
        if self._busy:
            raise RuntimeError(f"requests are still under way on {self.link.name}")
        queue = enumerate(requests)
        ready: dict[int, Part] = {}
        wanted = 0
        self._busy = True
        try:
            while True:
                self._fill(queue, self.outstanding - len(self._pending) - len(ready))
                if not self._pending and wanted not in ready:
                    return
                if wanted not in ready:
                    ready.update(self._receive())
                while wanted in ready:
                    yield cast(R, ready.pop(wanted))
                    wanted += 1
        finally:
            self._pending.clear()
            self._busy = False

    def listen(self, seconds: float) -> None:
        """Let events come in for a while."""
        end = self.link.now() + seconds
        while (left := end - self.link.now()) > 0:
            self._take(self.link.read(left))

    def _fill(self, queue: Iterator[tuple[int, Request[Any]]], room: int) -> None:
        """Send what there is room for; never so far ahead that a number comes round again."""
        lines = []
        for index, request in islice(queue, max(0, room)):
            self._seq = (self._seq + 1) % 256
            line = frames.encode(Frame(request.TYPE, self._seq, request.encode()))
            if not self._pending:
                line = frames.FLUSH + line
                self._last_heard = self.link.now()
            self._pending[self._seq] = _Pending(index, request, line)
            lines.append(line)
        if lines:
            self.link.write(b"".join(lines))

    def _receive(self) -> dict[int, Part]:
        """Answers that arrived by now, by index; asks again when none did for too long."""
        left = self._last_heard + self.timeout - self.link.now()
        answers = self._take(self.link.read(max(0.0, left)))
        if not answers and self.link.now() >= self._last_heard + self.timeout:
            self._ask_again()
        return answers

    def _take(self, data: bytes) -> dict[int, Part]:
        answers: dict[int, Part] = {}
        for frame in self.decoder.feed(data):
            if frame.type in (MessageType.BOOT, MessageType.PREDICTION):
                self.on_event(frame)
            elif (pending := self._owner(frame)) is None:
                self.strays += 1
            else:
                self._last_heard = self.link.now()
                answers[pending.index] = self._answer(pending.request, frame)
                self._hurry_before(frame.seq)
                del self._pending[frame.seq]
        return answers

    def _owner(self, frame: Frame) -> _Pending | None:
        """The request that the frame answers, if any still waits for it."""
        pending = self._pending.get(frame.seq)
        if pending is None:
            return None
        kind = pending.request.TYPE
        if frame.type == kind | RESPONSE_BIT:
            return pending
        refused = frame.type == MessageType.ERROR and frame.body[1:2] == bytes((kind,))
        return pending if refused else None

    @staticmethod
    def _answer(request: Request[Any], frame: Frame) -> Part:
        if frame.type != MessageType.ERROR:
            return request.RESPONSE.decode(frame.body)
        refusal = Refusal.decode(frame.body)
        code = name_of(ErrorCode, refusal.code)
        raise BandRefused(refusal.code, code, request.TYPE.name, refusal.text)

    def _hurry_before(self, seq: int) -> None:
        """A later answer overtook these: they are lost; ask again without waiting."""
        for other, pending in self._pending.items():
            if other == seq:
                return
            if not pending.hurried:
                pending.hurried = True
                self._send_again(pending)

    def _ask_again(self) -> None:
        self.outstanding = max(1, self.outstanding // 2)
        self._last_heard = self.link.now()
        for pending in list(self._pending.values()):
            if pending.tries >= self.tries:
                raise SilentBand(self._silence(pending))
            pending.tries += 1
            self._send_again(pending)

    def _send_again(self, pending: _Pending) -> None:
        self.retries += 1
        self.link.write(frames.FLUSH + pending.line)

    def _silence(self, pending: _Pending) -> str:
        asked = f"no answer to {pending.request.TYPE.name} from {self.link.name}"
        if self.decoder.bad and not self.decoder.good:
            return (
                f"{asked}: something talks there, but no whole frame came in; "
                "it is another firmware or another baud rate (--baud)"
            )
        return (
            f"{asked} after {pending.tries} tries of {self.timeout:g} s; is it the band's port, "
            "is the band running, does another program hold the line? `doctor` finds out"
        )
