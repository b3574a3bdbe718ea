"""A simulated band at the other end of a pseudo-terminal or a socket."""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from tests.band.simulated import SimulatedBand


@contextmanager
def on_a_pty(band: SimulatedBand) -> Iterator[str]:
    """The path of the pseudo-terminal."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with _serving(band, ours):
        yield os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)


@contextmanager
def on_a_socket(band: SimulatedBand) -> Iterator[str]:
    """The socket's URL; serves one client."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            server.settimeout(10)
            client, _ = server.accept()
            with client, _serving(band, client.fileno()):
                stop.wait(10)

        stop = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield url
        stop.set()
        thread.join(10)


@contextmanager
def _serving(band: SimulatedBand, line: int) -> Iterator[None]:
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            ready, _, _ = select.select([line], [], [], 0.02)
            if ready:
                try:
                    data = os.read(line, 65536)
                except OSError:
                    return
                if not data:
                    return
                band.write(data)
            while out := band.read(0):
                os.write(line, out)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(5)
