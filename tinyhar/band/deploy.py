"""A bundle over the line into a running band: announced, sent, checked, tried, activated.

The band goes on with its old model until the new one has answered its golden windows. A transfer
that was cut, by whatever, goes on where it stopped when the same bundle is deployed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tinyhar.band import deploy_messages as dm
from tinyhar.band.client import Client
from tinyhar.band.codes import ErrorCode
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.deploy_plan import ALIGN, Plan, full, partial
from tinyhar.band.deploy_refused import NotDeployed, explain
from tinyhar.band.deploy_report import BITS_PER_BYTE, Deployed
from tinyhar.band.errors import BandRefused
from tinyhar.band.messages import Request

MOST_CHUNK: Final = 2048
"""Bytes of the bundle in one frame: enough to make the frame's own few a percent."""

MOST_COPY: Final = 8192
"""Bytes that a band copies at one request; it answers nothing else meanwhile."""

IN_FLIGHT: Final = 1024
"""Bytes on their way beside a chunk that is being written, on a real wire: what a USB serial chip's
16 ms in each direction and some more are worth at 115,200 baud."""

MOST_IN_FLIGHT: Final = 8
"""Chunks on their way at once."""

WORK: Final[dict[str, Any]] = {"timeout": 3.0, "tries": 20}
"""Patience with what a band takes long over: erasing, checking, trying."""

_CHUNK_HEADER: Final = 4

Progress = Callable[[int, int], None]
"""Called with bytes that are there and bytes in all."""


def deploy(
    client: Client,
    file: BundleFile,
    *,
    whole: bool = False,
    any_sensors: bool = False,
    progress: Progress = lambda done, total: None,
) -> Deployed:
    """Bring a bundle onto a band and make it the one that runs, now and from every boot on.

    Args:
        client: the band.
        file: the bundle.
        whole: send every byte, also those that the band could copy.
        any_sensors: let it have other channels, scales or rate than the running bundle.
        progress: hears how far it is.

    Raises:
        NotDeployed: the band refuses; it runs on with what it ran.
        BandError: the line or the band went away; deploying again goes on where it stopped.
    """
    try:
        return _Deployment(client, file, any_sensors, progress).run(whole)
    except BandRefused as refusal:
        if refusal.code == ErrorCode.NOTHING_THERE:
            client.identify()  # BandRestarted, if that is why
        raise explain(refusal, file, client) from refusal


def rollback(client: Client) -> dm.Activated:
    """Back to the bundle before; NotDeployed when there is none that works."""
    try:
        activated = client.exchange.request(dm.Rollback(), **WORK)
    except BandRefused as refusal:
        raise NotDeployed(f"no roll back: {refusal.text}", refusal.code) from refusal
    client.identify()
    return activated


def slots(client: Client) -> tuple[dm.SlotResponse, ...]:
    """Slots 0 and 1, and the image's own bundle; none from firmware without a model store."""
    try:
        return tuple(client.exchange.request(dm.Slot(index)) for index in range(3))
    except BandRefused:
        return ()


class _Deployment:
    def __init__(
        self, client: Client, file: BundleFile, any_sensors: bool, progress: Progress
    ) -> None:
        self.client, self.file, self.progress = client, file, progress
        self.exchange = client.exchange
        self.begin = file.begin(any_sensors=any_sensors)
        self.partial_bytes: int | None = None
        self.started = self.now()

    def now(self) -> float:
        return self.exchange.link.now()

    def run(self, whole: bool) -> Deployed:
        begun = self.exchange.request(self.begin, **WORK)
        if begun.running:
            return self._report("running already", full(b""), 0, 0, 0.0, dm.Activated(255, 0, 0))
        plan = full(self.file.data) if whole else self._plan()
        try:
            return self._send_and_commit(plan, begun.received)
        except BandRefused as refusal:
            if refusal.code != ErrorCode.DAMAGED or not plan.copied_bytes:
                raise
        # A block that only looked the same: rare as a CRC-32's chance, and no reason to give up.
        begun = self.exchange.request(self.begin, **WORK)
        return self._send_and_commit(full(self.file.data), begun.received)

    def _plan(self) -> Plan:
        """The cheaper of the two ways."""
        everything = full(self.file.data)
        if not self.client.identity.classes:
            return everything
        first = self.exchange.request(dm.Blocks(0, 255))
        crcs = list(first.crcs)
        while crcs and (got := self.exchange.request(dm.Blocks(len(crcs), 255)).crcs):
            crcs += got
        changes = partial(self.file.data, first.bundle_bytes, crcs)
        self.partial_bytes = changes.sent_bytes
        return min(everything, changes, key=lambda plan: plan.cost)

    def _send_and_commit(self, plan: Plan, received: int) -> Deployed:
        before, sent = self.now(), self.exchange.sent
        self._send(plan, received)
        seconds, sent = self.now() - before, self.exchange.sent - sent
        activated = self.exchange.request(dm.Commit(), **WORK)
        self.client.identify()
        how = "partial" if plan.copied_bytes else "full"
        return self._report(how, plan, received, sent, seconds, activated)

    def _report(
        self,
        how: str,
        plan: Plan,
        resumed: int,
        line_bytes: int,
        seconds: float,
        activated: dm.Activated,
    ) -> Deployed:
        left = Plan(tuple(p for piece in plan.pieces for p in piece.cut(resumed, piece.size or 1)))
        return Deployed(
            bundle_id=self.file.bundle_id,
            how=how,
            full_bytes=len(self.file.data),
            partial_bytes=self.partial_bytes,
            sent_bytes=left.sent_bytes,
            copied_bytes=left.copied_bytes,
            resumed_bytes=resumed,
            line_bytes=line_bytes,
            transfer_seconds=seconds,
            seconds=self.now() - self.started,
            slot=activated.slot,
            golden=activated.golden,
            baud=self.exchange.link.baud,
        )

    # -- sending -----------------------------------------------------------------------------

    def _send(self, plan: Plan, received: int) -> None:
        kept = self.exchange.outstanding, self.exchange.timeout
        self.exchange.outstanding = max(kept[0], self._in_flight())
        self.exchange.timeout = max(kept[1], self._chunk_seconds())
        tries = self.exchange.tries
        try:
            self.progress(received, len(self.file.data))
            while received < len(self.file.data):
                now = self._stretch(plan, received)
                tries = self.exchange.tries if now > received else tries - 1
                if tries == 0:
                    raise NotDeployed(f"{self.file.source}: the band takes no more bytes; reset it")
                received = now
        finally:
            self.exchange.outstanding, self.exchange.timeout = kept

    def _stretch(self, plan: Plan, received: int) -> int:
        """Send on from there until all is sent, or something was lost; how far the band is."""
        ends: list[int] = []
        lost = False

        def requests() -> Iterator[Request[dm.ChunkResponse]]:
            for request, end in self._requests(plan, received):
                if lost:
                    return
                ends.append(end)
                yield request

        reached = received
        for n, answer in enumerate(self.exchange.many(requests())):
            lost = lost or answer.received < ends[n]
            reached = max(reached, answer.received)
            self.progress(reached, len(self.file.data))
        return reached

    def _requests(self, plan: Plan, start: int) -> Iterator[tuple[Request[dm.ChunkResponse], int]]:
        """What is to be sent from there on, and where each of it ends."""
        for piece in plan.pieces:
            most = self._most_chunk() if piece.source is None else MOST_COPY
            for part in piece.cut(start, most):
                end = part.offset + part.size
                if part.source is None:
                    yield dm.Chunk(part.offset, self.file.data[part.offset : end]), end
                else:
                    yield dm.Copy(part.offset, part.source, part.size), end

    def _most_chunk(self) -> int:
        room = min(MOST_CHUNK, self.client.identity.max_body - _CHUNK_HEADER)
        return max(ALIGN, room // ALIGN * ALIGN)

    def _in_flight(self) -> int:
        """Chunks on their way at once: one is written while others arrive."""
        return min(MOST_IN_FLIGHT, 1 + max(1, IN_FLIGHT // self._most_chunk()))

    def _chunk_seconds(self) -> float:
        """For all that is under way to cross the line, and some for the band to write it."""
        baud = self.exchange.link.baud
        bits = BITS_PER_BYTE * self._in_flight() * (self._most_chunk() + 64)
        return bits / baud + 0.5 if baud else 0.0
