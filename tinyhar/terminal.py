"""The terminal, kept from what native libraries write to it past Python."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

STREAMS: Final = (1, 2)
"""File descriptors of stdout and stderr."""


@dataclass
class Held:
    """What was written; filled in at the end."""

    text: str = ""


@contextmanager
def native_output_held_back() -> Iterator[Held]:
    """Holds back all that this process writes to stdout and stderr, C and C++ code included.

    When the block fails, what was held back goes to stderr after all: it may tell why.
    """
    held, failed = Held(), False
    _flush()
    kept = [os.dup(stream) for stream in STREAMS]
    with tempfile.TemporaryFile() as file:
        for stream in STREAMS:
            os.dup2(file.fileno(), stream)
        try:
            yield held
        except BaseException:
            failed = True
            raise
        finally:
            _flush()
            for stream, terminal in zip(STREAMS, kept, strict=True):
                os.dup2(terminal, stream)
                os.close(terminal)
            file.seek(0)
            held.text = file.read().decode("utf-8", "replace")
            if failed:
                os.write(2, held.text.encode())


def _flush() -> None:
    """Python's own buffers, and those of the C library."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
