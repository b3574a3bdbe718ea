"""The band through restarts, clients that come and go, and bundles that it cannot run."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest
import serial
from cobs import cobs

from tests.firmware.stub_model import (
    CLASSES,
    crashing_counts,
    random_counts,
    stub_bundle,
)
from tests.firmware.talk import (
    BOOT,
    DESCRIBE,
    IDENTIFY,
    INFER,
    NO_MODEL,
    RESET,
    SELFTEST,
    SETTINGS,
    STATS,
    STREAM,
    TRACE,
    Start,
    infer_body,
)
from tests.firmware.wire import Client, frame, parse
from tinyhar.convert.bundle import Bundle, pack


def boot_of(event: tuple[int, int, bytes]) -> tuple[int, int]:
    """boot_id and reset reason."""
    assert event[:2] == (BOOT, 0)
    return struct.unpack_from("<IB", event[2], 4)


def test_reset_answers_then_boots_again_on_the_same_line(band: Client) -> None:
    before = struct.unpack_from("<IB", band.ask(IDENTIFY, b"\1"), 4)
    assert band.ask(RESET) == b""
    boot, reason = boot_of(band.event())
    assert (before[1], reason) == (0, 1)
    assert boot != before[0]
    assert struct.unpack_from("<IB", band.ask(IDENTIFY, b"\1"), 4) == (boot, 1)


def test_a_crash_is_a_restart_with_reason_fault(band: Client) -> None:
    crash = infer_body(crashing_counts(by_stack=False))
    for _ in range(2):
        band.ask(IDENTIFY, b"\1")
        band.send(frame(INFER, band.seq + 1, crash))
        assert boot_of(band.event())[1] == 3
    os.kill(band.pid, signal.SIGSEGV)
    assert boot_of(band.event())[1] == 3


def test_one_client_after_another_is_served(band: Client) -> None:
    band.send(frame(STATS, 1, b"\0")[:-3])
    for _ in range(3):
        band.close()
        band.connect()
        band.pending = b""
        assert band.ask(IDENTIFY, b"\1")


def next_frame(line: serial.SerialBase) -> tuple[int, int, bytes]:
    """The next whole one: of what was sent before the line was open, a part can be lost."""
    while True:
        encoded = line.read_until(b"\0").rstrip(b"\0")
        with contextlib.suppress(AssertionError, cobs.DecodeError, struct.error):
            return parse(encoded)


def test_a_pseudo_terminal_serves_clients_and_survives_a_reset(
    sanitized: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.thb").write_bytes(pack(stub_bundle()))
    command = [str(sanitized / "tinyhar-band"), "--pty", "--bundle", str(tmp_path / "model.thb")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().removeprefix("listening ").strip()
    body = infer_body(random_counts(1))
    for _ in range(3):
        with serial.serial_for_url(name, timeout=10) as line:
            for kind, content in ((IDENTIFY, b"\1"), (INFER, body), (RESET, b"")):
                line.write(b"\0" + frame(kind, 7 + kind, content))
                while (got := next_frame(line))[0] == BOOT:
                    pass  # of the start or of the last restart, before this client came
                assert got[:2] == (kind | 0x80, 7 + kind)
            assert boot_of(next_frame(line))[1] == 1
    process.terminate()
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("options", [["--tcp"], ["--tcp", "x"], ["--bundle", "/none"], ["--fast"]])
def test_wrong_options_end_in_one_line_and_status_2(sanitized: Path, options: list[str]) -> None:
    done = subprocess.run(
        [str(sanitized / "tinyhar-band"), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert options[-1] in done.stderr


def test_without_a_bundle_it_answers_and_says_so(start: Start) -> None:
    band = start(None)
    assert struct.unpack_from("<HHBB", band.ask(IDENTIFY, b"\1"), 12) == (0, 0, 0, 0)
    for kind, body in (
        *((DESCRIBE, b"\0\0"), (INFER, bytes(8)), (TRACE, b""), (STREAM, bytes(8))),
        *((SELFTEST, b""), (SETTINGS, b""), (SETTINGS, bytes(4))),
    ):
        assert band.refused(kind, body) == (NO_MODEL, kind, "no bundle")
    assert band.ask(STATS, b"\0")


def misfits() -> list[tuple[str, Bundle | bytes]]:
    whole = pack(stub_bundle())
    return [
        ("the bundle is damaged or not one: crc32", whole[:-1] + b"\1"),
        ("the bundle is damaged or not one: total_bytes", whole + bytes(16)),
        ("the bundle is damaged or not one: length", b"THAB"),
        ("the bundle does not fit this firmware: engine", stub_bundle(engine="tflm")),
        ("the bundle does not fit this firmware: arena_bytes", stub_bundle(arena_bytes=1 << 24)),
        ("the engine does not take the model", stub_bundle(model=b"other")),
        (
            "the model's input or output is not the bundle's",
            stub_bundle(model=struct.pack("<4sII", b"STUB", 7, CLASSES)),
        ),
    ]


@pytest.mark.parametrize("case", misfits(), ids=lambda case: case[0].split(": ")[-1])
def test_a_bundle_that_it_cannot_run_is_named(
    start: Start, case: tuple[str, Bundle | bytes]
) -> None:
    text, bundle = case
    assert start(bundle).refused(SELFTEST)[2] == text


def test_a_band_without_a_model_says_so_to_whoever_starts_it(
    sanitized: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cut.thb"
    file.write_bytes(pack(stub_bundle())[:-1])
    for options, said in (
        (["--bundle", str(file)], f"{file}: the bundle is damaged or not one: total_bytes"),
        ([], "built in: no bundle"),
    ):
        process = subprocess.Popen(
            [str(sanitized / "tinyhar-band"), "--tcp", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening ")
        process.terminate()
        _, told = process.communicate(timeout=10)
        assert told == f"tinyhar-band: no model: {said}; the band runs without\n"
