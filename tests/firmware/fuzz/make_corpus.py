"""Seeds for firmware/tests/fuzz_*.c, of real frames, bundles and flash: `python -m
tests.firmware.fuzz.make_corpus` writes them beside this file; inputs that once crashed stay."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tests.convert.tiny_models import random_model
from tests.firmware.stub_model import random_counts, stub_bundle, stub_teaching
from tests.firmware.wire import frame
from tinyhar.band import deploy_messages as dm
from tinyhar.band import messages as m
from tinyhar.band.codes import NONE, TeachAction
from tinyhar.band.deploy_file import of_bytes
from tinyhar.band.teach_messages import Taught, Teach
from tinyhar.convert import integer
from tinyhar.convert.bundle import Bundle, pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.counts import CountMap
from tinyhar.errors import ModelError

HERE = Path(__file__).parent
SLOT, HEADER, TAUGHT = 6144, 1024, 256
STUB = pack(stub_bundle(golden_counts=np.stack([random_counts(1)]),
                        golden_logits=stub_bundle().golden_logits[:1],
                        teaching=stub_teaching()))  # fmt: skip
CONTENT, ACTIVATION, BUNDLE = 2, 4, 1


def requests() -> list[m.Request]:
    """One of every kind, and then some."""
    counts = m.pack_counts(random_counts(1))
    begin = of_bytes(STUB).begin()
    return [
        m.Identify(1), m.Describe(0, 1), m.Describe(1, 2), m.Infer(0, counts), m.Trace(),
        m.TraceChannels(1, 3), m.Infer(0, counts[:30]), m.Infer(5, counts[30:]),
        m.Stream(0, counts), m.Stream(16, counts), m.SelfTest(), m.Stats(1), m.GetSettings(),
        m.SetSettings(2, 4, 1), dm.Slot(0), dm.Slot(2), dm.Blocks(0, 255), begin,
        replace(begin, bundle_id=bytes(32), any_sensors=1), dm.Chunk(0, STUB[:256]),
        dm.Copy(256, 256, 256), dm.Commit(), dm.Abort(), dm.Rollback(), m.Reset(),
        *lesson("hop", 16), Taught(0), Teach(TeachAction.CANCEL, NONE),
        Teach(TeachAction.FORGET, 4),
    ]  # fmt: skip


def lesson(name: str, samples: int) -> list[m.Request]:
    """A new class, shown for so many samples."""
    counts = m.pack_counts(random_counts(7, samples))
    keep = Teach(TeachAction.KEEP, NONE)
    return [Teach(TeachAction.BEGIN, NONE, name), m.Stream(0, counts), keep]


def lines() -> list[bytes]:
    """What goes over the line: frames alone, several, repeated, damaged."""
    framed = [frame(r.TYPE, n + 1, r.encode()) for n, r in enumerate(requests())]
    pairs = [a + a + b for a, b in pairwise(framed)]
    return [*framed, b"\0".join(framed[:16]), *pairs[:6], framed[0][:-3] + b"\0" + framed[2]]


def op(request: m.Request) -> bytes:
    """As a step of fuzz_requests.c."""
    body = request.encode()
    return struct.pack("<BBH", 7, request.TYPE, len(body)) + body


def conversations() -> list[bytes]:
    """Steps of fuzz_requests.c, whole deployments among them."""
    asked = [op(request) for request in requests()]
    commit, rollback, slot = op(dm.Commit()), op(dm.Rollback()), op(dm.Slot(0))
    deployed = bytes([4, 5, 8, 5, 100]) + commit
    cut = [bytes([1, n]) + deployed + slot + rollback for n in (0, 9, 12, 14, 15, 16, 17)]
    boots = bytes([0, 2, 0, 3, 0, 4])
    taught = b"".join(map(op, lesson("row", 20)))
    return [
        *asked, b"".join(asked[:10]), b"".join(asked[14:]), deployed + rollback + slot, *cut,
        deployed + boots + op(m.SelfTest()), bytes([4, 5, 3, 0, 0, 4, 5, 100]) + commit,
        bytes([2, 1]) + deployed + bytes([2, 0]) + deployed, deployed + boots * 6 + deployed,
        taught + op(m.Infer(0, m.pack_counts(random_counts(2)))) + boots + taught + deployed,
        bytes([1, 3]) + taught + op(Taught(0)) + op(Teach(TeachAction.FORGET, NONE)),
        op(Teach(TeachAction.BEGIN, 2)) + b"".join(map(op, lesson("x", 40)[1:])) + op(Taught(0)),
        b"\3\x05\x01\x02\x03\0\x04" + asked[0], b"\6\1\x50\1\0\1" + b"\6\7\x50\1\0\0" * 2,
    ]  # fmt: skip


def tiny_bundles() -> list[bytes]:
    """For the compiled engine: models of a few operators with their own golden answers."""
    bundles: list[bytes] = []
    for seed in range(200):
        tflite = random_model(seed)
        try:
            graph = read_graph(tflite)
            compiled = compile_model(tflite)
            _, _, window, channels = graph.tensors[graph.input].shape
            counts = np.random.default_rng(seed).integers(
                -30000, 30000, (2, window, channels), dtype=np.int16
            )
            logits = integer.run(graph, (counts >> 8).astype(np.int8)[:, np.newaxis])
        except (ModelError, ValueError):
            continue
        few = channels <= 6 and logits.shape[-1] <= 8
        if len(compiled.payload) > 2000 or logits.ndim != 2 or not few:
            continue
        bundles.append(pack(Bundle(
            classes=tuple(f"c{k}" for k in range(logits.shape[1])),
            channels=tuple(f"wrist_acc_{c}" for c in range(channels)), units=("g",) * channels,
            window=window, stride=window, rate=50.0, lsb=np.full(channels, 0.1),
            count_map=CountMap(np.ones(channels, np.int16), np.full(channels, 8, np.uint8),
                               np.zeros(channels, np.int32)),
            engine="compiled", model=compiled.payload, arena_bytes=compiled.arena_bytes,
            output_scale=0.1, output_zero_point=0, golden_counts=counts, golden_logits=logits,
        )))  # fmt: skip
    return sorted(bundles, key=len)[:14]


def slot(sequence: int, boots: bytes = b"") -> bytes:
    """A slot with the stub bundle; its checks are made right by the target."""
    known = of_bytes(STUB)
    header = b"THSL" + struct.pack("<I", len(STUB)) + known.data[12:48] + bytes(20)
    cell = b"THAC" + struct.pack("<I", sequence) + bytes(8)
    body = (header + cell).ljust(512, b"\xff") + boots
    return (body.ljust(HEADER, b"\xff") + STUB).ljust(SLOT, b"\xff")


def with_taught(slot: bytes, sequence: int) -> bytes:
    """A slot's bytes with a class taught to its bundle."""
    known = of_bytes(STUB)
    header = b"THTG" + struct.pack("<I", sequence) + known.bundle_id + bytes(4)
    header += struct.pack("<HBB", 48, 2, 0) + bytes(16)
    entry = struct.pack("<BBHI", NONE, 3, 9, 90) + b"hop".ljust(40, b"\0") + bytes(range(48))
    again = struct.pack("<BBHI", 2, 0, 9, 90) + bytes(40) + bytes(range(48))
    return slot[:-TAUGHT] + (header + entry + again).ljust(TAUGHT, b"\xff")


def flashes() -> list[bytes]:
    """Flags, reset reason, fault, flash: see fuzz_store.c."""
    every = CONTENT | ACTIVATION | BUNDLE
    begun, done = bytes(16), bytes(32)
    ready, older, failing = slot(2, done), slot(1, done), slot(3, done + (begun + b"\xff" * 16) * 3)
    tired = slot(9, done * 16)
    made = []
    for flags in (every | every << 3, every, every << 3, CONTENT | every << 3, 0):
        for reason in (0, 2):
            made += [bytes([flags | 0xC0, reason, 0xFE]) + ready + older]
        made += [bytes([flags | 0x80, 3, 0xFE]) + older + failing]
    full = bytes([every | every << 3 | 0xC0])
    made += [full + bytes([2, fault]) + older + tired for fault in (0, 1, 2, 0xFE, 0xFF)]
    made += [
        full + bytes([r, 0xFE]) + with_taught(ready, 4) + with_taught(older, 5) for r in (0, 2)
    ]
    return [data.rstrip(b"\xff") for data in made]


def write(folder: str, inputs: list[bytes]) -> None:
    """Under its own name each, so that a corpus is the same however often it is made."""
    (HERE / folder).mkdir(exist_ok=True)
    for stale in (HERE / folder).glob("seed-*"):
        stale.unlink()
    for n, data in enumerate(inputs):
        (HERE / folder / f"seed-{n:02d}").write_bytes(data)


def main() -> None:
    """All of them."""
    (HERE / "stub.thb").write_bytes(STUB)
    write("frame", [b"\x40" + line for line in lines()])
    write("line", lines())
    write("requests", conversations())
    write("bundle", [STUB, *tiny_bundles()])
    write("store", flashes())
    write("messages", [bytes([n]) + STUB[: 8 * n] for n in range(27)])


if __name__ == "__main__":
    main()
