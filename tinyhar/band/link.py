"""A line to a band: bytes in, bytes out, and every way it can fail told in one sentence.

Whatever pyserial's ``serial_for_url`` opens is a line: ``/dev/ttyACM0``, ``COM3``, ``/dev/pts/4``,
``socket://host:port``, ``rfc2217://host:port``, ``loop://``. This is the one place that knows of
``SerialException``.
"""

from __future__ import annotations

import errno
import getpass
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, Self

import serial

from tinyhar.band.errors import LinkError

BAUD: Final = 115_200
"""Speed of a real serial port, bits a second; pseudo-terminals and sockets do not care."""

START_ONE: Final = "`tinyhar band start --board host --run RUN`"
"""How to get an emulated band."""

WRITE_TIMEOUT: Final = 5.0
"""Seconds that a line may refuse to take bytes."""

_CHUNK: Final = 65536
_POLL: Final = 0.005


class Link(Protocol):
    """What a client needs of a line; a simulated band in the tests is one, too."""

    name: str
    buffered: bool
    """The line holds bytes back until the band takes them, so several requests may wait in it."""
    baud: int | None
    """Bits a second, of a line that has a speed: a pseudo-terminal or a socket has none."""

    def read(self, timeout: float) -> bytes:
        """What has arrived, at least one byte; empty when nothing came within the seconds."""

    def write(self, data: bytes) -> None:
        """Send all of it."""

    def close(self) -> None:
        """Let go of the line."""

    def now(self) -> float:
        """Seconds on the clock that ``read`` waits by."""


class SerialLink:
    """A line that pyserial opened. Raises LinkError only."""

    def __init__(self, url: str, baud: int = BAUD) -> None:
        self.name = url
        self.buffered = _is_program(url)
        self.baud = None if self.buffered else baud
        exclusive = True if os.name == "posix" and "://" not in url else None
        with _told(url, "opened"):
            self._port = serial.serial_for_url(
                url,
                baud,
                timeout=0,
                write_timeout=None if url.startswith("rfc2217:") else WRITE_TIMEOUT,
                exclusive=exclusive,
            )
        self._fd = _descriptor(self._port)
        if self._fd is None:
            with _told(url, "opened"):
                self._port.timeout = _POLL

    def read(self, timeout: float) -> bytes:
        """What has arrived, at least one byte; empty when nothing came within the seconds."""
        with _told(self.name, "read"):
            if self._fd is not None:
                select.select([self._fd], [], [], max(0.0, timeout))
                return bytes(self._port.read(_CHUNK))
            return self._poll(timeout)

    def _poll(self, timeout: float) -> bytes:
        """For lines without a file descriptor (loop://, rfc2217://, Windows)."""
        end = self.now() + timeout
        while True:
            data = bytes(self._port.read(max(1, self._port.in_waiting)))
            if data or self.now() >= end:
                return data

    def write(self, data: bytes) -> None:
        """Send all of it."""
        with _told(self.name, "written"):
            self._port.write(data)

    def close(self) -> None:
        """Let go of the line."""
        with _told(self.name, "closed"):
            self._port.close()

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_program(url: str) -> bool:
    """A program is at the other end, not a wire."""
    return url.startswith(("socket:", "loop:")) or "/pts/" in url


def _descriptor(port: serial.SerialBase) -> int | None:
    """A file descriptor that ``select`` takes, where the line has one."""
    if os.name != "posix":
        return None
    try:
        return int(port.fileno())
    except (OSError, AttributeError):
        return None


@contextmanager
def _told(url: str, what: str) -> Iterator[None]:
    """Turns whatever pyserial and the system raise into one LinkError with a remedy."""
    try:
        yield
    except (OSError, ValueError, TypeError) as error:  # SerialException is an OSError
        raise LinkError(_explain(url, what, error)) from error
    except Exception as error:
        if type(error).__name__ != "error":  # termios.error, absent on Windows
            raise
        raise LinkError(f"{url} is no serial port: {error}; `discover` lists ports") from error


def _explain(url: str, what: str, error: Exception) -> str:
    if isinstance(error, ValueError | TypeError) and what == "opened":
        return (
            f"{url} is no port and no URL that pyserial knows ({error}); "
            "name a port, or socket://HOST:PORT, rfc2217://HOST:PORT"
        )
    if isinstance(error, serial.SerialTimeoutException):
        return f"{url} takes no more bytes: the band reads nothing; reset it, then run `doctor`"
    if what != "opened":
        return f"{url} went away while it was {what} ({error}); {_back_again(url)}"
    return _not_opened(url, error)


def _back_again(url: str) -> str:
    if _is_program(url):
        return (
            "the program behind it ended; an emulated band starts anew with "
            "`tinyhar band start --board BOARD --run RUN`"
        )
    return "plug the band in again"


def _not_opened(url: str, error: Exception) -> str:
    code = _errno(error)
    if code in (errno.EBUSY, errno.EAGAIN):
        return f"{url} is busy: another program holds it; close that one first"
    if code in (errno.EACCES, errno.EPERM):
        user = getpass.getuser()
        return (
            f"no permission for {url}: join its group with "
            f"`sudo usermod -aG {_group(url)} {user}`, then log in again"
        )
    if code in (errno.ENOENT, errno.ENOTDIR):
        do = f"start an emulated band with {START_ONE}" if _is_program(url) else "plug the band in"
        return f"{url} does not exist: {do}, or see the ports with `discover`"
    if code in (errno.ENOTTY, errno.EISDIR):
        return f"{url} is no serial port: see the ports with `discover`"
    if code == errno.ECONNREFUSED:
        return f"nothing listens at {url}: start the band, or see which run with `discover`"
    return f"{url} cannot be opened ({error}); see the ports with `discover`"


def _errno(error: BaseException | None) -> int | None:
    """pyserial keeps the system's number here or in the error that it caught, or drops it."""
    while error is not None:
        if isinstance(error, OSError) and isinstance(error.errno, int):
            return error.errno
        if type(error).__name__ == "error" and error.args:  # termios.error is no OSError
            return int(error.args[0])
        error = error.__cause__ or error.__context__
    return None


def _group(url: str) -> str:
    """The port's group where that helps; Debian's is dialout."""
    try:
        group = Path(url).group()
    except (OSError, KeyError, NotImplementedError):
        return "dialout"
    return "dialout" if group == "root" else group
