"""Images built around a bundle: for the host, and for a Cortex-M4 that QEMU runs."""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.stub_model import (
    CHANNELS,
    CLASSES,
    WINDOW,
    answer,
    crashing_counts,
    random_counts,
    stub_bundle,
)
from tests.firmware.talk import infer_body, logits_of, stream_body
from tests.firmware.wire import Client, frame
from tinyhar.band import build
from tinyhar.band.build import BuildResult, build_firmware
from tinyhar.band.emulate import line_of
from tinyhar.band.image_size import measure
from tinyhar.convert.bundle import pack
from tinyhar.errors import ModelError, ToolError

STUB = {"THAR_ENGINE": "stub", "THAR_WERROR": "ON"}
WHICH = shutil.which


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The stub bundle's image for mps2_an386."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no cross compiler: sudo apt install gcc-arm-none-eabi")
    folder = tmp_path_factory.mktemp("mps2")
    (folder / "model.thb").write_bytes(pack(stub_bundle()))
    return build_firmware(folder / "model.thb", "mps2_an386", folder, definitions=STUB)


@pytest.fixture(scope="module", params=["uart", "console"])
def qemu(request: pytest.FixtureRequest, image: BuildResult) -> Iterator[Client]:
    """A client of that image, booted, on either of its lines."""
    program = shutil.which("qemu-system-arm")
    if program is None:
        pytest.skip("no emulator: sudo apt install qemu-system-arm")
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket_of_line = f"socket,id=line,fd={server.fileno()},server=on,wait=off,nodelay=on"
        line = line_of(image.image) if request.param == "console" else ["-serial", "chardev:line"]
        process = subprocess.Popen(
            [program, "-M", "mps2-an386", "-nographic", "-monitor", "none", "-chardev",
             socket_of_line, *line, "-icount", "shift=0", "-kernel", str(image.image)],
            pass_fds=[server.fileno()],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        client = Client(server.getsockname()[1])
    yield client
    client.close()
    process.kill()
    process.wait(timeout=10)


def test_the_parts_of_an_image_add_up_to_its_totals(image: BuildResult) -> None:
    assert sum(part.flash_bytes for part in image.parts) == image.flash_bytes
    assert sum(part.ram_bytes for part in image.parts) == image.ram_bytes
    assert all(part.flash_bytes >= 0 and part.ram_bytes >= 0 for part in image.parts)
    sizes = {part.name: (part.flash_bytes, part.ram_bytes) for part in image.parts}
    assert sum(sizes["alignment"]) < 256
    assert sizes["model"] == (12, 0)
    assert sizes["arena"] == (0, WINDOW * CHANNELS + 32)  # room for what the wearer teaches
    assert sizes["stack"] == (0, 4096)
    assert image.engine_code_bytes == sizes["engine"][0] > 100


def test_the_totals_are_those_of_the_size_tool(image: BuildResult) -> None:
    told = subprocess.run(
        ["arm-none-eabi-size", str(image.image)], capture_output=True, text=True, check=True
    )
    text, data, bss = map(int, told.stdout.splitlines()[1].split()[:3])
    assert (image.flash_bytes, image.ram_bytes) == (text + data, data + bss)


def test_the_model_in_an_image_is_found_without_being_told(image: BuildResult) -> None:
    model = next(part for part in measure(image.image).parts if part.name == "model")
    assert model.flash_bytes == image.model_bytes == len(stub_bundle().model)


@pytest.mark.parametrize(
    ("elf", "map_file", "said"),
    [
        (0.5, 1.0, r"image\.elf: no ELF image, or a damaged one"),
        (0.0, 1.0, r"image\.elf: no ELF image, or a damaged one"),
        (1.0, 0.0, r"image\.map is not a map of GNU ld"),
        (1.0, None, r"image\.map: cannot be read \(No such file"),
        (None, None, r"image\.elf: cannot be read \(No such file"),
    ],
)
def test_a_damaged_image_or_map_is_one_line_and_status_2(
    image: BuildResult, tmp_path: Path, elf: float | None, map_file: float | None, said: str
) -> None:
    for suffix, share in ((".elf", elf), (".map", map_file)):
        if share is not None:
            whole = image.image.with_suffix(suffix).read_bytes()
            (tmp_path / f"image{suffix}").write_bytes(whole[: int(share * len(whole))])
    command = [sys.executable, "-m", "tinyhar.band.image_size", str(tmp_path / "image.elf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(said, done.stderr)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.thb").write_bytes(pack(stub_bundle()))
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match=rf"{tmp_path}/file/build: cannot be written"):
        build_firmware(tmp_path / "model.thb", "host", tmp_path / "file", definitions=STUB)


def test_size_json_and_the_table_say_the_same(image: BuildResult) -> None:
    told = json.loads((image.image.parent / "size.json").read_text())
    assert told == json.loads(json.dumps(image.to_dict()))
    table = measure(image.image).table()
    assert table.splitlines()[-1].split() == [
        "total",
        f"{image.flash_bytes:,}",
        f"{image.ram_bytes:,}",
    ]


def test_the_core_keeps_to_its_budget(image: BuildResult) -> None:
    """What every model pays: a growth here is seen before it is a habit."""
    flash = {part.name: part.flash_bytes for part in image.parts}
    assert flash["core"] + flash["port"] + flash["library"] < 21_100
    ram = {part.name: part.ram_bytes for part in image.parts}
    assert ram["core"] - 2 * WINDOW * CHANNELS < 2_000


# ---- on the emulated Cortex-M4 ----


def test_the_m4_infers_streams_and_tests_itself(qemu: Client, image: BuildResult) -> None:
    assert qemu.ask(1, b"\1").endswith(b"\x0amps2_an386")
    for seed in range(5):
        counts = random_counts(seed)
        assert logits_of(qemu.ask(3, infer_body(counts))) == answer(counts).tolist()
    qemu.ask(5, stream_body(random_counts(7), 0))
    assert qemu.events[-1][2][-CLASSES:] == answer(random_counts(7)).tobytes()
    assert qemu.ask(6)[:3] == bytes([3, 0, 255])


def test_the_m4_tells_instructions_and_memory(qemu: Client, image: BuildResult) -> None:
    told = qemu.ask(1, b"\1")
    tick_hz, per_tick = struct.unpack_from("<IH", told, 24)
    assert (tick_hz, per_tick) == (25_000_000, 40)
    qemu.ask(7, b"\1")
    for _ in range(3):
        qemu.ask(3, infer_body(random_counts(1)))
    stats = struct.unpack("<11I", qemu.ask(7, b"\0"))
    shortest, _, longest = stats[4:7]
    assert 10 < shortest <= longest <= shortest + 2  # the same instructions, seen to the tick
    assert 300 < stats[8] < 4096
    assert stats[9:] == (image.ram_bytes, image.flash_bytes)


def test_no_byte_is_lost_when_frames_come_faster_than_answers(qemu: Client) -> None:
    qemu.ask(1, b"\1")
    counts = random_counts(2)
    burst = 100
    line = b""
    for _ in range(burst):
        qemu.seq = (qemu.seq + 1) % 256
        line += frame(3, qemu.seq, infer_body(counts))
    qemu.send(line)
    answers = [qemu.response() for _ in range(burst)]
    assert {logits_of(body) == answer(counts).tolist() for _, _, body in answers} == {True}
    assert struct.unpack("<11I", qemu.ask(7, b"\0"))[3] == 0


def test_the_m4_boots_again_and_knows_why(qemu: Client) -> None:
    before = struct.unpack_from("<IB", qemu.ask(1, b"\1"), 4)
    qemu.events.clear()
    qemu.ask(9)
    kind, _, body = qemu.event()
    boot, reason = struct.unpack_from("<IB", body, 4)
    assert (kind, boot, reason) == (0x40, before[0] + 1, 1)
    assert qemu.ask(6)[:3] == bytes([3, 0, 255])


@pytest.mark.parametrize("by_stack", [False, True])
def test_a_fault_on_the_m4_even_of_the_stack_is_a_restart(qemu: Client, by_stack: bool) -> None:
    qemu.ask(1, b"\1")
    qemu.events.clear()
    crash = infer_body(crashing_counts(by_stack=by_stack))
    qemu.send(frame(3, (qemu.seq + 1) % 256, crash))
    kind, _, body = qemu.event()
    assert (kind, body[8]) == (0x40, 3)
    assert logits_of(qemu.ask(3, infer_body(random_counts(1)))) == answer(random_counts(1)).tolist()


def test_every_byte_comes_through_however_it_is_cut(qemu: Client) -> None:
    """Zeros too, which the console's way of reading treats apart."""
    qemu.ask(1, b"\1")
    whole = frame(1, qemu.seq + 1 & 0xFF, b"\1")
    for at in range(1, len(whole)):
        qemu.send(b"\0\0" + bytes(range(256)) + b"\0" + whole[:at])
        qemu.send(whole[at:])
        assert qemu.response()[2].endswith(b"\x0amps2_an386")


# ---- what can go wrong in a build ----


def test_a_build_with_the_same_inputs_builds_nothing(image: BuildResult, tmp_path: Path) -> None:
    folder = image.image.parent
    objects = {p: p.stat().st_mtime_ns for p in (folder / "build").rglob("*.obj")}
    assert objects
    assert (
        build_firmware(folder / "model.thb", "mps2_an386", folder, definitions=STUB).to_dict()
        == image.to_dict()
    )
    assert {p: p.stat().st_mtime_ns for p in objects} == objects


def test_the_folders_may_be_relative(
    image: BuildResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.thb").write_bytes(pack(stub_bundle()))
    built = build_firmware(Path("model.thb"), "host", Path("out"), definitions=STUB)
    assert built.image.is_file()
    assert built.parts == ()


def test_a_missing_program_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model.thb").write_bytes(pack(stub_bundle()))
    for missing, board, words in (
        ("cmake", "host", "sudo apt install cmake"),
        ("arm-none-eabi-gcc", "mps2_an386", "sudo apt install gcc-arm-none-eabi"),
    ):
        monkeypatch.setattr(
            build.shutil, "which", lambda name, gone=missing: None if name == gone else WHICH(name)
        )
        with pytest.raises(ToolError, match=words):
            build_firmware(tmp_path / "model.thb", board, tmp_path)
        monkeypatch.undo()


def test_a_missing_or_damaged_bundle_and_an_unknown_board_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        build_firmware(tmp_path / "none.thb", "host", tmp_path)
    (tmp_path / "bad.thb").write_bytes(pack(stub_bundle())[:-1])
    with pytest.raises(ModelError, match=r"bad\.thb, total_bytes"):
        build_firmware(tmp_path / "bad.thb", "host", tmp_path)
    with pytest.raises(ToolError, match="'nano' does not build here; there is host, mps2_an386"):
        build_firmware(tmp_path / "bad.thb", "nano", tmp_path)


def test_a_failed_build_shows_the_compilers_words(image: BuildResult, tmp_path: Path) -> None:
    (tmp_path / "model.thb").write_bytes(pack(stub_bundle()))
    with pytest.raises(ToolError, match=r"cmake failed: .*THAR_ENGINE=tflm needs THAR_TFLM_"):
        build_firmware(
            tmp_path / "model.thb", "host", tmp_path / "a", definitions={"THAR_ENGINE": "tflm"}
        )
    with pytest.raises(ToolError, match=r"cmake failed: .*bytes\.h.*error"):
        build_firmware(
            tmp_path / "model.thb",
            "mps2_an386",
            tmp_path / "b",
            definitions=STUB | {"CMAKE_C_FLAGS": "-DTHAR_ID_BYTES=many"},
        )
