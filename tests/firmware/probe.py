"""firmware/tests/probe.c from Python: the core's pure functions, one request at a time."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from types import TracebackType


class Probe:
    """Runs the probe; a sanitizer's complaint ends it and fails the test that asked."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __enter__(self) -> Probe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        _, complaints = self._process.communicate(timeout=10)
        assert self._process.returncode == 0, complaints.decode()

    def ask(self, op: str, payload: bytes) -> bytes:
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        try:
            process.stdin.write(op.encode() + struct.pack("<I", len(payload)) + payload)
            process.stdin.flush()
        except BrokenPipeError:
            pass
        head = process.stdout.read(4)
        assert len(head) == 4, process.stderr.read().decode()
        return process.stdout.read(struct.unpack("<I", head)[0])
