"""A line as slow as a serial one: a rate and a latency in each direction, in front of a band."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

BYTES_PER_SECOND = 11_520
"""115,200 baud with start and stop bit."""

PIECE = 64
"""Bytes that travel together, as in a USB packet."""


@dataclass
class Line:
    """What happens on it. ``cut_after``: bytes to the band until the cable is pulled."""

    rate: float = BYTES_PER_SECOND
    latency: float = 0.002
    cut_after: int | None = None
    to_band: int = 0
    to_desk: int = 0
    keep: Callable[[bytes], bytes] = bytes


@contextmanager
def throttled(url: str, line: Line) -> Iterator[str]:
    """The URL of the slow end of a line to a band at socket://host:port; serves many clients."""
    host, port = url.removeprefix("socket://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                band = socket.create_connection((host, int(port)))
                for sock in (client, band):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _serve(client, band, line)

        threading.Thread(target=serve, daemon=True).start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        stop.set()


def _serve(client: socket.socket, band: socket.socket, line: Line) -> None:
    ways = [
        threading.Thread(target=_pump, args=(client, band, line, True), daemon=True),
        threading.Thread(target=_pump, args=(band, client, line, False), daemon=True),
    ]
    for way in ways:
        way.start()
    for way in ways:
        way.join()
    client.close()
    band.close()


def _pump(source: socket.socket, sink: socket.socket, line: Line, to_band: bool) -> None:
    """A piece leaves when the one before has left, and arrives a latency later."""
    under_way: queue.Queue[tuple[float, bytes] | None] = queue.Queue()

    def deliver() -> None:
        while (item := under_way.get()) is not None:
            time.sleep(max(0.0, item[0] - time.monotonic()))
            with suppress(OSError):
                sink.sendall(item[1])

    writer = threading.Thread(target=deliver, daemon=True)
    writer.start()
    free = 0.0
    with suppress(OSError):
        while piece := source.recv(PIECE):
            free = max(free, time.monotonic()) + len(piece) / line.rate
            if to_band:
                line.to_band += len(piece)
                piece = line.keep(piece)
            else:
                line.to_desk += len(piece)
            under_way.put((free + line.latency, piece))
            if to_band and line.cut_after is not None and line.to_band >= line.cut_after:
                break
    under_way.put(None)
    writer.join()
    for sock in (source, sink):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
