"""The host build of the firmware as the far end of a faulty line.

What it has been sent is decoded here as well: so one knows how many answers must come, waits for
just these, and sees that the firmware counts the same frames, whole and damaged, as the desk.
"""

from __future__ import annotations

import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tinyhar.band.codes import RESPONSE_BIT, MessageType
from tinyhar.band.frames import Decoder

PATIENCE: Final = 30.0
"""Seconds of a real clock; a band that owes an answer for longer hangs."""

FLASH: Final = "16384,512,4"
"""Size, page and unit: two slots of 7 kB for a bundle."""


class ProcessEnd:
    """Talks to socket://127.0.0.1:port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sent = Decoder()
        self._said = Decoder()
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def hear(self, data: bytes, now: float) -> bytes:
        asked = [f for f in self._sent.feed(data) if not f.type & RESPONSE_BIT]
        self._socket.sendall(data)
        return self._collect(len(asked)) if asked else b""

    def _collect(self, answers: int, boots: int = 0) -> bytes:
        said = b""
        end = time.monotonic() + PATIENCE
        while answers or boots:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._socket], [], [], left)[0], "the band hangs"
            got = self._socket.recv(65536)
            assert got, "the band died"
            said += got
            for frame in self._said.feed(got):
                if frame.type == MessageType.BOOT:
                    boots -= boots > 0
                    self._sent = Decoder()
                elif frame.type & RESPONSE_BIT:
                    answers -= 1
                    boots += frame.type == MessageType.RESET | RESPONSE_BIT
        assert (answers, boots) == (0, 0)
        assert self._said.bad == 0
        return said

    def hang_up(self) -> None:
        self._socket.close()
        self._said = Decoder()
        self._connect()

    def close(self) -> None:
        self._socket.close()

    @property
    def counted(self) -> tuple[int, int]:
        return self._sent.good, self._sent.bad


@contextmanager
def process_end(program: Path, bundle: bytes, folder: Path) -> Iterator[ProcessEnd]:
    """A band that carries this bundle, and flash for more; it must end without complaint."""
    (folder / "image.thb").write_bytes(bundle)
    command = [
        str(program), "--tcp", "0", "--bundle", str(folder / "image.thb"),
        "--flash", str(folder / "flash"), "--flash-shape", FLASH,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        end = ProcessEnd(int(process.stdout.readline().rsplit(":", 1)[1]))
        yield end
        end.close()
    finally:
        process.terminate()
        _, complaints = process.communicate(timeout=10)
    assert (process.returncode, complaints) == (0, "")
