"""Bands without a board: the firmware as a process of this machine, or booted in QEMU.

``host`` runs the executable on a pseudo-terminal or a socket; ``mps2_an386`` boots the image on an
emulated Cortex-M4 whose serial port is a socket. A band ends with the program that started it.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

from tinyhar.band import elf, running
from tinyhar.band.client import connect
from tinyhar.band.errors import SilentBand
from tinyhar.errors import BandError, ToolError

BOARDS: Final = ("host", "mps2_an386")
"""Boards that build and run here; others take their vendor's tools (firmware/README.md)."""

QEMU: Final = "qemu-system-arm"
"""The emulator of Cortex-M boards, and the Debian package that holds it."""

START_SECONDS: Final = 10.0
"""How long a band may take until it listens."""

CONSOLE_WORD: Final = b"semihost"
"""Left at CONSOLE_WORD_AT, it tells mps2_an386's firmware to talk by QEMU's console instead of its
UART, which is some twenty times as fast; an image without the word knows only the UART."""

CONSOLE_WORD_AT: Final = 0x203FFFF0
"""Behind the note that one boot leaves for the next (``main.c`` of the port)."""

BUILD_AGAIN: Final = "if it is damaged, `tinyhar run` with its recipe builds it again"

IMAGES: Final = {"host": "tinyhar-band", "mps2_an386": "tinyhar-band.elf"}
"""What the build calls the firmware, for each board."""


def image_of(run: Path, board: str) -> Path:
    """The firmware that a run built for a board.

    Raises ToolError for a board that cannot be emulated or a run without its firmware.
    """
    if board not in IMAGES:
        raise ToolError(f"board {board!r} cannot be emulated; there is {', '.join(BOARDS)}")
    image = run / "firmware" / board / IMAGES[board]
    if not image.is_file():
        raise ToolError(
            f"{image} is missing: `tinyhar run` builds it when {board} is in the recipe's "
            f"band.boards, `tinyhar personal fit --board {board}` for a personal run"
        )
    return image


class Emulated:
    """A band that runs as a process. Stop it, or use it as a context manager."""

    def __init__(self, board: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.board = board
        self.url = url
        self.process = process
        self.log = log

    def wait(self) -> str:
        """Wait until the process ends; why it did, in words."""
        self.process.wait()
        return _last_words(self.process, self.log)

    def stop(self) -> None:
        """End the process; its log stays if anything is in it."""
        running.forget(self.process.pid)
        _end(self.process)
        _drop_if_empty(self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    board: str,
    image: Path,
    *,
    tcp: bool = False,
    bundle: Path | None = None,
    flash: Path | None = None,
    sensor: Path | None = None,
    log: Path | None = None,
) -> Emulated:
    """Start a band and wait until it listens.

    Args:
        board: one of BOARDS.
        image: the firmware that was built for it.
        tcp: host only: listen on a socket instead of a pseudo-terminal.
        bundle: host only: run this bundle instead of the one built in.
        flash: host only: the file that keeps what is deployed to the band, made where missing;
            without one that ends with the band.
        sensor: host only: counts int16 [n, channel] in a file, which its own sensor delivers over
            and over at the bundle's rate.
        log: where what the process says goes; a temporary file if not given.

    Raises:
        ToolError: no such board or image, or no QEMU.
        BandError: the process ended, or never listened.
    """
    if board not in BOARDS:
        raise ToolError(f"board {board!r} cannot be emulated; there is {', '.join(BOARDS)}")
    if not image.is_file():
        raise ToolError(f"{image} is missing: build the firmware for {board} first")
    if board != "host":
        asked = {"a socket": tcp, "a bundle": bundle, "a flash file": flash, "a sensor": sensor}
        for what, value in asked.items():
            if value:
                raise ToolError(f"board {board} runs as it was built: {what} is for board host")
    log = log or _fresh_log(board)
    image = image.resolve()
    options = ["--tcp", "0"] if tcp else ["--pty"]
    options += ["--bundle", str(bundle)] if bundle else []
    options += ["--flash", str(flash)] if flash else []
    options += ["--sensor", str(sensor)] if sensor else []
    try:
        band = _start_host(image, log, options) if board == "host" else _start_qemu(image, log)
    except BaseException:
        _drop_if_empty(log)
        raise
    running.remember(running.Running(band.process.pid, band.url, board, str(image)))
    return band


def _fresh_log(board: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f"tinyhar-{board}-", suffix=".log")
    os.close(descriptor)
    return Path(name)


def _drop_if_empty(log: Path) -> None:
    with suppress(OSError):
        if not log.stat().st_size:
            log.unlink()


def _start_host(image: Path, log: Path, options: Sequence[str]) -> Emulated:
    if image.read_bytes()[:4] == b"\x7fELF":
        elf.check_whole(image)
    process = _spawn([str(image), *options], log, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = _first_line(process.stdout, START_SECONDS)
        if not line.startswith("listening "):
            words = _last_words(process, log) or f"it says {line!r}"
            raise BandError(f"{image} does not listen: {words}; {BUILD_AGAIN}")
    except BaseException:
        _end(process)
        raise
    return Emulated("host", line.removeprefix("listening ").strip(), process, log)


def _start_qemu(image: Path, log: Path) -> Emulated:
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise ToolError(
            f"{QEMU} is not installed, and board mps2_an386 runs in it: "
            f"`sudo apt install {QEMU}`, or use board host"
        )
    elf.check_whole(image)
    # We open the socket and hand it over, so that no other program takes the port in between.
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        command = [
            *(qemu, "-M", "mps2-an386", "-nographic", "-monitor", "none"),
            *("-chardev", f"socket,id=line,fd={server.fileno()},server=on,wait=off,nodelay=on"),
            *line_of(image),
            *("-icount", "shift=0", "-kernel", str(image)),
        ]  # fmt: skip
        process = _spawn(command, log, pass_fds=[server.fileno()])
    band = Emulated("mps2_an386", url, process, log)
    try:
        _wait_until_it_answers(band, image)
    except BaseException:
        band.stop()
        raise
    return band


def line_of(image: Path) -> list[str]:
    """QEMU's options that make chardev `line` the band's: the console where the image knows it."""
    if CONSOLE_WORD not in image.read_bytes():
        return ["-serial", "chardev:line"]
    word = int.from_bytes(CONSOLE_WORD, "little")
    return [
        *("-serial", "none", "-semihosting-config", "enable=on,target=native,chardev=line"),
        *("-device", f"loader,addr={CONSOLE_WORD_AT:#x},data={word:#x},data-len=8"),
    ]


def _wait_until_it_answers(band: Emulated, image: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect(band.url).close()
        except BandError as error:
            words = _last_words(band.process, band.log)
            if words:
                raise BandError(f"QEMU ended with {image}: {words}; {BUILD_AGAIN}") from error
            if time.monotonic() > end or not isinstance(error, SilentBand):
                raise BandError(
                    f"{image} does not answer in QEMU: {error}; {BUILD_AGAIN}"
                ) from error


def _spawn(
    command: list[str],
    log: Path,
    stdout: int | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out if stdout is None else stdout,
                stderr=out,
                pass_fds=pass_fds,
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise ToolError(
                f"{command[0]} cannot be run ({error.strerror}); {BUILD_AGAIN}"
            ) from error


def _end_with_parent() -> Callable[[], None] | None:
    """Linux ends the child when its parent ends, however that ends."""
    if sys.platform != "linux":
        return None
    set_death_signal = ctypes.CDLL(None).prctl
    return lambda: set_death_signal(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def _first_line(stream: IO[bytes], seconds: float) -> str:
    """What a process says first, or what there is of it when it ends or takes too long."""
    end, line = time.monotonic() + seconds, b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
        piece = os.read(stream.fileno(), 1) if ready else b""
        if not piece:
            break
        line += piece
    return line.decode(errors="replace")


def _last_words(process: subprocess.Popen[bytes], log: Path) -> str:
    """Why a process ended, or nothing while it runs."""
    try:
        status = process.wait(0.3)
    except subprocess.TimeoutExpired:
        return ""
    lines = log.read_text(errors="replace").strip().splitlines()
    ended = f"status {status}" if status >= 0 else signal.Signals(-status).name
    return f"{ended}, {lines[-1]} (log: {log})" if lines else f"{ended}, without a word"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        with suppress(OSError):
            process.stdout.close()
