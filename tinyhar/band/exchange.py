"""Requests and their answers over a line that loses, damages, repeats and delays.

Each request carries a sequence number. What is not answered in time is asked again with the SAME
number, and the band then repeats its answer without doing the work twice. Several requests may be
outstanding at once, as long as each stands for itself: a band never goes back to a number before
its last one, so that a late copy does no harm, and one lost among several gets a new number.
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
from tinyhar.band.link import BAUD, Link
from tinyhar.band.messages import Refusal, Request
from tinyhar.band.wire import Part

R = TypeVar("R", bound=Part)

TIMEOUT: Final = 1.0
"""Seconds without any answer after which a request is sent again."""

SLOW_TIMEOUT: Final = 5.0
"""The same on a line that loses nothing: an emulated band is slow on a busy machine, and asking
again would only give it more to do."""

_BITS_A_BYTE: Final = 10
_LARGEST: Final = 2 * frames.MAX_BODY
"""Bytes of a request and its answer, at most."""

TRIES: Final = 3
"""How often a request is sent before the band counts as silent."""

OUTSTANDING: Final = 8
"""Requests under way at once, on a line that holds bytes back until the band takes them."""


@dataclass
class _Pending:
    index: int
    request: Request[Any]
    body: bytes
    tries: int = 1
    hurried: bool = False


def _longer_on_the_way(baud: int | None) -> float:
    """Seconds that the largest exchange takes more than at the usual speed."""
    if baud is None or baud >= BAUD:
        return 0.0
    return _LARGEST * _BITS_A_BYTE * (1 / baud - 1 / BAUD)


class Exchange:
    """Sends requests over one line and matches their answers; events go to ``on_event``.

    ``live`` is the number that events of the band's own sensor carry; None: none are awaited.
    """

    def __init__(self, link: Link, *, timeout: float | None = None, tries: int = TRIES) -> None:
        self.link = link
        usual = SLOW_TIMEOUT if link.buffered else TIMEOUT
        self.timeout = (timeout or usual) + _longer_on_the_way(link.baud)
        self.tries = tries
        self.outstanding = OUTSTANDING if link.buffered else 1
        self.on_event: Callable[[Frame], None] = lambda frame: None
        self.live: int | None = None
        self.retries = 0
        self.strays = 0
        self.sent = self.received = 0
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
            if not self._pending:
                lines.append(frames.FLUSH)
                self._last_heard = self.link.now()
            lines.append(self._numbered(_Pending(index, request, request.encode())))
        if lines:
            self._write(b"".join(lines))

    def _write(self, data: bytes) -> None:
        self.sent += len(data)
        self.link.write(data)

    def _numbered(self, pending: _Pending) -> bytes:
        """The request's frame, with the next number."""
        self._seq = (self._seq + 1) % 256
        self._pending[self._seq] = pending
        return frames.encode(Frame(pending.request.TYPE, self._seq, pending.body))

    def _receive(self) -> dict[int, Part]:
        """Answers that arrived by now, by index; asks again when none did for too long."""
        left = self._last_heard + self.timeout - self.link.now()
        answers = self._take(self.link.read(max(0.0, left)))
        if not answers and self.link.now() >= self._last_heard + self.timeout:
            self._ask_again()
        return answers

    def _take(self, data: bytes) -> dict[int, Part]:
        answers: dict[int, Part] = {}
        self.received += len(data)
        for frame in self.decoder.feed(data):
            if frame.type == MessageType.BOOT or self._is_event(frame):
                self.on_event(frame)
            elif not self._is_awaited(frame):
                self.strays += 1
            elif self._came_too_late(frame):
                self._ask_anew(frame.seq)
            else:
                self._last_heard = self.link.now()
                self._hurry_before(frame.seq)
                pending = self._pending.pop(frame.seq)
                answers[pending.index] = self._answer(pending.request, frame)
        return answers

    @property
    def last_seq(self) -> int:
        """The number of the last request."""
        return self._seq

    def _is_event(self, frame: Frame) -> bool:
        """Of the stream that is under way: a late one of an earlier stream looks just the same."""
        if frame.type in (MessageType.PREDICTION, MessageType.SAMPLES) and frame.seq == self.live:
            return True
        pending = self._pending.get(frame.seq)
        asked = pending is not None and pending.request.TYPE == MessageType.STREAM
        return asked and frame.type == MessageType.PREDICTION

    def _is_awaited(self, frame: Frame) -> bool:
        """The frame answers, or refuses, a request that waits for it."""
        pending = self._pending.get(frame.seq)
        if pending is None:
            return False
        kind = pending.request.TYPE
        refused = frame.type == MessageType.ERROR and frame.body[1:2] == bytes((kind,))
        return refused or frame.type == kind | RESPONSE_BIT

    def _came_too_late(self, frame: Frame) -> bool:
        """Another request overtook this one on its way, and the band does not go back."""
        out_of_order = frame.type == MessageType.ERROR and frame.body[0] == ErrorCode.OUT_OF_ORDER
        return out_of_order and frame.seq != self._seq

    @staticmethod
    def _answer(request: Request[Any], frame: Frame) -> Part:
        if frame.type != MessageType.ERROR:
            return request.RESPONSE.decode(frame.body)
        refusal = Refusal.decode(frame.body)
        code = name_of(ErrorCode, refusal.code)
        raise BandRefused(refusal.code, code, request.TYPE.name, refusal.text)

    def _hurry_before(self, seq: int) -> None:
        """A later answer overtook these: they are lost; ask again without waiting."""
        for other in list(self._pending):
            if other == seq:
                return
            if not self._pending[other].hurried:
                self._pending[other].hurried = True
                self._send_again(other)

    def _ask_again(self) -> None:
        """Nothing came for too long."""
        self.outstanding = max(1, self.outstanding // 2)
        self._last_heard = self.link.now()
        for seq in list(self._pending):
            self._ask_anew(seq)

    def _ask_anew(self, seq: int) -> None:
        pending = self._pending[seq]
        if pending.tries >= self.tries:
            raise SilentBand(self._silence(pending))
        pending.tries += 1
        self._send_again(seq)

    def _send_again(self, seq: int) -> None:
        """With the same number where it is the last; the band would refuse an earlier one."""
        self.retries += 1
        pending = self._pending.pop(seq)
        if seq == self._seq:
            self._seq = (seq - 1) % 256
        self._write(frames.FLUSH + self._numbered(pending))

    def _silence(self, pending: _Pending) -> str:
        asked = f"no answer to {pending.request.TYPE.name} from {self.link.name}"
        if self.decoder.bad and not self.decoder.good:
            baud = " or another baud rate (--baud)" if self.link.baud else ""
            return (
                f"{asked}: something talks there, but no whole frame came in; "
                f"it is another firmware{baud}"
            )
        tries = f"{pending.tries} tries of" if pending.tries > 1 else "trying for"
        return (
            f"{asked} after {tries} {self.timeout:g} s; is it the band's port, "
            "is the band running, does another program hold the line? `doctor` finds out"
        )
