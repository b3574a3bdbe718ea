"""A client of its own, as small as can be: it judges the firmware without the desk's code."""

from __future__ import annotations

import binascii
import socket
import struct
from dataclasses import dataclass, field

from cobs import cobs


def crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0xFFFF)


def frame(kind: int, seq: int, body: bytes = b"") -> bytes:
    payload = bytes([kind, seq]) + body
    return cobs.encode(payload + struct.pack("<H", crc16(payload))) + b"\0"


def parse(encoded: bytes) -> tuple[int, int, bytes]:
    decoded = cobs.decode(encoded)
    payload, crc = decoded[:-2], struct.unpack("<H", decoded[-2:])[0]
    assert crc16(payload) == crc
    return payload[0], payload[1], payload[2:]


@dataclass
class Client:
    """Talks to socket://127.0.0.1:port."""

    port: int
    pid: int = 0
    seq: int = 0
    pending: bytes = b""
    events: list[tuple[int, int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.socket.settimeout(10)

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> tuple[int, int, bytes]:
        """The next frame that is not empty."""
        while True:
            while b"\0" not in self.pending:
                got = self.socket.recv(65536)
                if not got:
                    raise ConnectionError("the band hung up")
                self.pending += got
            encoded, self.pending = self.pending.split(b"\0", 1)
            if encoded:
                return parse(encoded)

    def event(self) -> tuple[int, int, bytes]:
        """The oldest event that has not been looked at."""
        return self.events.pop(0) if self.events else self.receive()

    def response(self) -> tuple[int, int, bytes]:
        """The next frame that is no event; events on the way are kept."""
        while True:
            got = self.receive()
            if got[0] & 0x80:
                return got
            self.events.append(got)

    def ask(self, kind: int, body: bytes = b"") -> bytes:
        """The response's body; the seq goes up by one."""
        self.seq = (self.seq + 1) % 256
        self.send(frame(kind, self.seq, body))
        got = self.response()
        assert got[:2] == (kind | 0x80, self.seq), got
        return got[2]

    def refused(self, kind: int, body: bytes = b"") -> tuple[int, int, str]:
        """Code, request and text of the error that must come."""
        self.seq = (self.seq + 1) % 256
        self.send(frame(kind, self.seq, body))
        got = self.response()
        assert got[:2] == (0xFF, self.seq), got
        return got[2][0], got[2][1], got[2][2:].decode()
