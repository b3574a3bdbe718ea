"""Lines of every kind, and what is said when one cannot be had."""

from __future__ import annotations

import errno
import os
import pty
import socket
import threading
import time
from pathlib import Path

import pytest
import serial

from tests.band.on_a_line import on_a_pty, on_a_socket
from tests.band.simulated import SimulatedBand
from tinyhar.band import link
from tinyhar.band.client import connect
from tinyhar.band.errors import LinkError
from tinyhar.band.link import SerialLink


def test_loop_gives_back_what_it_gets() -> None:
    with SerialLink("loop://") as line:
        line.write(b"abc")
        assert line.read(1.0) == b"abc"
        start = time.monotonic()
        assert line.read(0.05) == b""
        assert 0.04 < time.monotonic() - start < 1


@pytest.mark.parametrize("way", [on_a_pty, on_a_socket])
def test_a_band_answers_over(way) -> None:
    with way(SimulatedBand()) as url, connect(url) as client:
        assert client.identity.board == "simulated"
        assert client.statistics().ticks_mean == 25
        assert client.exchange.link.buffered
        assert client.exchange.link.baud is None


def test_rfc2217_reaches_a_band_behind_a_terminal_server() -> None:
    """pyserial's own server half, in a thread, in front of a simulated band."""
    from serial.rfc2217 import PortManager

    band, stop = SimulatedBand(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            client, _ = server.accept()
            port = serial.serial_for_url("loop://", timeout=0)

            class Out:
                def write(self, data: bytes) -> None:
                    client.sendall(data)

            manager = PortManager(port, Out())
            client.settimeout(0.02)
            while not stop.is_set():
                try:
                    data = client.recv(4096)
                except TimeoutError:
                    data = b""
                band.write(b"".join(manager.filter(data)))
                while out := band.read(0):
                    client.sendall(b"".join(manager.escape(out)))
            client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with connect(f"rfc2217://127.0.0.1:{server.getsockname()[1]}") as client:
            assert client.identity.board == "simulated"
            assert client.selftest().run == 4
        stop.set()
        thread.join(5)


def test_a_taken_port_is_busy() -> None:
    held = pytest.raises(LinkError, match="busy: another program holds it")
    with on_a_pty(SimulatedBand()) as url, SerialLink(url), held:
        SerialLink(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/dev/no-such-port", "does not exist: plug the band in"),
        ("/dev/null/band", "does not exist: plug the band in"),
        ("/dev/pts/987654", "does not exist: start an emulated band with `tinyhar band start"),
        ("/etc/hostname", "is no serial port"),
        ("/tmp", "is no serial port"),
        ("foo://x", "no URL that pyserial knows"),
        ("socket://127.0.0.1:1", "nothing listens at"),
        ("rfc2217://127.0.0.1:1", "nothing listens at"),
        ("socket://abc", "cannot be opened"),
    ],
)
def test_what_cannot_be_opened_is_told_with_a_remedy(url: str, said: str) -> None:
    with pytest.raises(LinkError, match=said) as caught:
        SerialLink(url)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_permission_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "serial_for_url", denied)
    with pytest.raises(LinkError, match="sudo usermod -aG dialout"):
        SerialLink("/dev/ttyACM9")


def test_a_vanished_port_is_told() -> None:
    ours, theirs = pty.openpty()
    line = SerialLink(os.ttyname(theirs))
    os.close(theirs)
    os.close(ours)
    with pytest.raises(LinkError, match="went away"):
        line.read(1.0)
    with pytest.raises(LinkError):
        line.write(b"x")
    line.close()


def test_a_board_that_went_away_is_to_be_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    line = SerialLink(os.ttyname(theirs))
    line.name = "/dev/ttyACM0"
    os.close(theirs)
    os.close(ours)
    with pytest.raises(LinkError, match=r"/dev/ttyACM0 went away.*plug the band in again"):
        line.read(1.0)


def test_a_closed_socket_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = SerialLink(f"socket://127.0.0.1:{server.getsockname()[1]}")
        server.accept()[0].close()
        with pytest.raises(LinkError, match=r"went away.*program behind it ended.*band start"):
            line.read(1.0)


def test_a_line_that_takes_no_bytes_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "WRITE_TIMEOUT", 0.1)
    ours, theirs = pty.openpty()
    with SerialLink(os.ttyname(theirs)) as line, pytest.raises(LinkError, match="no more bytes"):
        for _ in range(100):
            line.write(bytes(65536))
    os.close(theirs)
    os.close(ours)


def test_only_the_link_knows_of_pyserials_errors() -> None:
    for source in Path(link.__file__).parent.glob("*.py"):
        if source.name != "link.py":
            assert "SerialException" not in source.read_text(), source
