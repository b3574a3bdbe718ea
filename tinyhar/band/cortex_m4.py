"""What the compiled engine costs on a Cortex-M4: a model, the engine, and nothing else, in QEMU.

Instructions are counted by SysTick under ``-icount shift=0``, 40 a tick, on QEMU's board
``mps2-an386``; flash is read from the linker's map, RAM and stack from the running image. Every
answer is compared with golden vectors: a fast engine that is wrong costs nothing and is worth that.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tinyhar.band.build import CROSS_COMPILER, CROSS_PACKAGES
from tinyhar.band.emulate import QEMU
from tinyhar.band.image_size import contributions
from tinyhar.band.workload import Workload
from tinyhar.convert.compiled import LayerInfo, compile_model
from tinyhar.convert.export import FIRMWARE
from tinyhar.errors import ModelError, ToolError

TOOLS: Final = {CROSS_COMPILER: CROSS_PACKAGES, QEMU: QEMU}
"""Programs that are needed, and the Debian packages that have them."""

CORTEX_M4: Final = ("-mcpu=cortex-m4", "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections")
LINK: Final = ("-nostartfiles", "-Wl,--gc-sections", "--specs=nano.specs")
PORT: Final = FIRMWARE / "ports" / "mps2_an386"
CHOOSING: Final = ("compiled", "conv", "sound")
"""Engine sources that THAR_KERNELS tells which kernels to link."""
SECONDS: Final = 120
FLASH_BYTES: Final = 4 << 20
"""Of the emulated board: model and windows must fit."""


@dataclass(frozen=True)
class Layer:
    """One operator of a model, and its instructions for one window."""

    name: str
    operator: str
    instructions: int


@dataclass(frozen=True)
class DeviceCost:
    """One model on the device; all for one window.

    Attributes:
        windows: how many were run.
        engine_code_bytes: kernels and plan interpreter in flash.
        model_bytes: the compiled model in flash.
        ram_bytes: activations and the engine's state.
        stack_bytes: what one inference touches.
        mismatched_bytes: of all answers, against the golden ones.
        golden: where those are from.
        kept: layers whose outputs stay from window to window; the instructions are then those of a
            window that follows another.
    """

    model: str
    windows: int
    instructions_per_window: int
    engine_code_bytes: int
    model_bytes: int
    ram_bytes: int
    stack_bytes: int
    mismatched_bytes: int
    golden: str
    kept: int
    layers: tuple[Layer, ...]

    def check_exact(self) -> None:
        """ModelError where a byte of an answer is not the desk's."""
        if self.mismatched_bytes:
            raise ModelError(
                f"{self.model}: {self.mismatched_bytes} bytes of the emulated band are not the "
                "desk's"
            )


def missing_tools() -> list[str]:
    """Debian packages to install before anything can be measured; empty when all is there."""
    return [package for tool, package in TOOLS.items() if shutil.which(tool) is None]


class Device:
    """The engine compiled for a Cortex-M4, ready to be linked to one model after another.

    Each image holds just the kernels that its model runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        engine = sorted((FIRMWARE / "engine" / "compiled").glob("*.c"))
        self._engine = {f"{source.stem}.o" for source in engine}
        self._choosing = [source for source in engine if source.stem in CHOOSING]
        others = [source for source in engine if source.stem not in CHOOSING]
        for source in [*others, PORT / "startup.c"]:
            self._compile(source)

    def measure(self, work: Workload) -> DeviceCost:
        """Link a model with its windows, boot it, and read what it took.

        Raises:
            ModelError: the engine cannot run it (operator and layer are named), or it does not fit
                the emulated board.
            ToolError: a tool fails.
        """
        compiled = compile_model(work.tflite, hop=work.hop, extra_ram=work.extra_ram)
        self._compile(FIRMWARE / "tests" / "engine_bench.c", f"-DHOP={work.hop}")
        for source in self._choosing:
            self._compile(source, f"-DTHAR_KERNELS={compiled.kernels:#x}u")
        image = self._link(work, compiled.payload, compiled.arena_bytes)
        told = self._boot(image, work.name)
        code = sum(
            size
            for section, size, origin in contributions(image.with_suffix(".map"))
            if Path(origin).name in self._engine and not section.startswith((".bss", "COMMON"))
        )
        return DeviceCost(
            model=work.name,
            windows=told["windows"],
            instructions_per_window=told["instructions"],
            engine_code_bytes=code,
            model_bytes=len(compiled.payload),
            ram_bytes=told["arena_bytes"] + told["engine_state_bytes"],
            stack_bytes=told["stack_bytes"],
            mismatched_bytes=told["mismatched_bytes"],
            golden=work.golden,
            kept=compiled.kept,
            layers=_layers(compiled.layers, told["layers"]),
        )

    def _compile(self, source: Path, *options: str) -> None:
        target = self._folder / f"{source.stem}.o"
        command = [*_compiler(), *options, f"-I{FIRMWARE / 'include'}", "-c", source, "-o", target]
        _run(command)

    def _link(self, work: Workload, payload: bytes, arena_bytes: int) -> Path:
        files = {"MODEL": payload, "WINDOWS": work.x.tobytes(), "GOLDEN": work.y.tobytes()}
        defines = [f"-DARENA={arena_bytes}"]
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
            defines.append(f'-D{name}="{self._folder / name}"')
        image = self._folder / "bench.elf"
        if sum(map(len, files.values())) > FLASH_BYTES // 2:
            raise ModelError(
                f"{work.name}: model and windows do not fit the emulated board's flash"
            )
        _run(
            [
                *(*_compiler(), *defines, f"-T{PORT / 'mps2_an386.ld'}", *LINK),
                *(FIRMWARE / "tests" / "engine_bench_data.S", *sorted(self._folder.glob("*.o"))),
                *(f"-Wl,-Map={image.with_suffix('.map')}", "-o", image),
            ]
        )
        return image

    def _boot(self, image: Path, name: str) -> dict[str, Any]:
        command = [
            *(QEMU, "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"),
            *("-icount", "shift=0", "-semihosting", "-kernel", image),
        ]
        text = _run(command, f"{name} on the emulated Cortex-M4")
        told: dict[str, Any]
        told, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
        return told


@contextmanager
def device() -> Iterator[Device]:
    """A device in a folder of its own, which goes when it is done.

    Raises:
        ToolError: compiler or emulator are not installed, or the engine does not compile.
    """
    if missing := missing_tools():
        raise ToolError(f"needed to measure on a device: `sudo apt install {' '.join(missing)}`")
    with tempfile.TemporaryDirectory(prefix="tinyhar-device-") as folder:
        yield Device(Path(folder))


def _compiler() -> list[str]:
    return [CROSS_COMPILER, *CORTEX_M4]


def _layers(infos: tuple[LayerInfo, ...], instructions: list[int]) -> tuple[Layer, ...]:
    return tuple(
        Layer(info.name, info.operator, count)
        for info, count in zip(infos, instructions, strict=True)
    )


def _run(command: list[Any], what: str = "") -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{what or command[0]}: no end after {SECONDS} s") from error
    said = done.stdout + done.stderr
    if done.returncode:
        first = next((line for line in said.splitlines() if "error" in line), said.strip()[:200])
        raise ToolError(f"{what or command[0]}: {first or f'status {done.returncode}'}")
    return said
