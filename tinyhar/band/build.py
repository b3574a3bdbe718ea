"""Firmware built around a bundle: cmake, a compiler, and a report of what the image takes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tinyhar.band.emulate import BOARDS
from tinyhar.band.image_size import measure
from tinyhar.convert.bundle import Bundle, unpack
from tinyhar.convert.export import FIRMWARE
from tinyhar.errors import ModelError, ToolError
from tinyhar.evaluate.run_report import MemoryPart

BUILD_SECONDS: Final = 300

CROSS_COMPILER: Final = "arm-none-eabi-gcc"
CROSS_PACKAGES: Final = "gcc-arm-none-eabi libnewlib-arm-none-eabi"
"""Debian packages that have it, and a C library for it."""


@dataclass(frozen=True)
class BuildResult:
    """An image and what it takes, in bytes.

    On board host all sizes are 0 and there are no parts: a process's size says nothing of a band's.
    """

    board: str
    image: Path
    engine: str
    flash_bytes: int = 0
    ram_bytes: int = 0
    engine_code_bytes: int = 0
    model_bytes: int = 0
    arena_bytes: int = 0
    stack_bytes: int = 0
    parts: tuple[MemoryPart, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"image": str(self.image)}


def build_firmware(
    bundle: Path, board: str, out: Path, *, definitions: Mapping[str, str] | None = None
) -> BuildResult:
    """Build the band's firmware around a bundle.

    Leaves the image, its linker map and size.json in `out`; a second build into the same folder
    compiles only what has changed.

    Args:
        bundle: the file.
        board: one of BOARDS.
        out: folder for image and report, made where missing.
        definitions: further cmake variables, for example THAR_TFLM_LIBRARY for engine tflm.

    Raises:
        ToolError: no such board, a program is missing (which Debian package has it), the folder
            cannot be written, or the build failed (with the compiler's first lines).
        ModelError: the bundle is missing or damaged.
    """
    if board not in BOARDS:
        raise ToolError(f"board {board!r} does not build here; there is {', '.join(BOARDS)}")
    if not FIRMWARE.is_dir():
        raise ToolError(f"{FIRMWARE} is missing: run tinyhar from its source tree")
    parts = _read(bundle)
    generator = _tools(board)
    try:
        return _build(bundle, parts, board, out.resolve(), generator, definitions or {})
    except OSError as error:
        raise ToolError(f"{error.filename or out}: cannot be written ({error.strerror})") from error


def _build(
    bundle: Path,
    parts: Bundle,
    board: str,
    out: Path,
    generator: str,
    definitions: Mapping[str, str],
) -> BuildResult:
    work = out / "build"
    work.mkdir(parents=True, exist_ok=True)
    # Under a name of its own, so that nothing is built again where only the run's folder differs.
    carried = _copy_if_new(bundle, work / "bundle.thb")
    variables = {"THAR_BUNDLE": str(carried), "THAR_ENGINE": parts.engine, **definitions}
    _configure(work, board, generator, variables)
    _run(["cmake", "--build", str(work), "--parallel", str(os.cpu_count() or 1)])
    result = _collect(work, board, out, parts)
    (out / "size.json").write_text(json.dumps(result.to_dict(), indent=2) + "\n")
    return result


def _read(bundle: Path) -> Bundle:
    try:
        return unpack(bundle.read_bytes(), str(bundle))
    except OSError as error:
        raise ModelError(f"{bundle}: {error.strerror}; make the bundle first") from error


def _tools(board: str) -> str:
    """The cmake generator to use, once every program that the board needs was found."""
    _need("cmake", "cmake")
    if board == "host":
        if not (os.environ.get("CC") or any(map(shutil.which, ("cc", "gcc", "clang")))):
            raise ToolError("no C compiler is installed: `sudo apt install gcc`")
    else:
        _need(CROSS_COMPILER, CROSS_PACKAGES)
        _need_newlib()
    if shutil.which("ninja"):
        return "Ninja"
    _need("make", "ninja-build")
    return "Unix Makefiles"


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        raise ToolError(f"{program} is not installed: `sudo apt install {package}`")


def _need_newlib() -> None:
    """The compiler's package comes without a C library; it then answers with the bare name."""
    answer = subprocess.run(
        [CROSS_COMPILER, "-print-file-name=nano.specs"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not Path(answer.stdout.strip()).is_absolute():
        raise ToolError(f"newlib-nano is not installed: `sudo apt install {CROSS_PACKAGES}`")


def _copy_if_new(source: Path, copy: Path) -> Path:
    if not (copy.is_file() and copy.read_bytes() == source.read_bytes()):
        shutil.copyfile(source, copy)
    return copy


def _configure(work: Path, board: str, generator: str, variables: Mapping[str, str]) -> None:
    command = ["cmake", "--preset", board, "-B", str(work), "-G", generator]
    command += [f"-D{name}={value}" for name, value in variables.items()]
    asked = "\n".join([str(FIRMWARE), *command])
    note = work / "configured.txt"
    # cmake notices a changed bundle or CMakeLists.txt by itself; only other questions need asking.
    if note.is_file() and note.read_text() == asked:
        return
    # What another place or generator left cannot be taken over, so everything starts afresh.
    (work / "CMakeCache.txt").unlink(missing_ok=True)
    shutil.rmtree(work / "CMakeFiles", ignore_errors=True)
    _run(command)
    note.write_text(asked)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=FIRMWARE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{command[0]} did not end within {BUILD_SECONDS} s") from error
    if done.returncode != 0:
        raise ToolError(f"{command[0]} failed: {_first_words(done.stdout)}")


def _first_words(output: str) -> str:
    """The first errors of a compiler, linker or cmake; where none is marked, the last lines."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [n for n, line in enumerate(lines) if re.search(r"\berror\b", line, re.IGNORECASE)]
    if not marked:
        return " | ".join(lines[-3:])
    # cmake says on the next line what the error is.
    first = marked[0]
    words = lines[first : first + 2] if lines[first].startswith("CMake") else []
    return " | ".join(words or [lines[n] for n in marked[:3]])


def _collect(work: Path, board: str, out: Path, bundle: Bundle) -> BuildResult:
    if board == "host":
        image = Path(shutil.copy2(work / "tinyhar-band", out / "tinyhar-band"))
        return BuildResult(board, image, bundle.engine)
    image = Path(shutil.copy2(work / "tinyhar-band.elf", out / "tinyhar-band.elf"))
    shutil.copy2(work / "tinyhar-band.map", out / "tinyhar-band.map")
    size = measure(image)
    return BuildResult(
        board=board,
        image=image,
        engine=bundle.engine,
        flash_bytes=size.flash_bytes,
        ram_bytes=size.ram_bytes,
        engine_code_bytes=size.part("engine").flash_bytes,
        model_bytes=size.part("model").flash_bytes,
        arena_bytes=size.part("arena").ram_bytes,
        stack_bytes=size.part("stack").ram_bytes,
        parts=size.parts,
    )
