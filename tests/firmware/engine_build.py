"""Builds the compiled engine with a C compiler, once a session, and runs models through it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="thar-engine-"))


@functools.cache
def build(main: str, *flags: str, compiler: str = "cc") -> Path:
    """An executable of firmware/tests/`main` and the compiled engine; skips without a compiler."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} to build the engine with")
    out = _folder() / f"{Path(main).stem}-{abs(hash((main, flags, compiler))):x}"
    sources = [FIRMWARE / "tests" / main, *sorted((FIRMWARE / "engine/compiled").glob("*.c"))]
    command = [compiler, *WARNINGS, *flags, f"-I{FIRMWARE / 'include'}", *map(str, sources)]
    done = subprocess.run([*command, "-o", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def run(payload: bytes, x: np.ndarray, *flags: str) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and traced layers of the engine, int8 [n, values] each, under the sanitizers."""
    engine = build("engine_run.c", "-O1", *SANITIZERS, *flags)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").write_bytes(payload)
        (folder / "x").write_bytes(x.tobytes())
        files = [str(folder / part) for part in ("model", "x", "y", "trace")]
        done = subprocess.run(
            [str(engine), *files], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        outputs = np.fromfile(files[2], np.int8).reshape(len(x), -1)
        return outputs, np.fromfile(files[3], np.int8).reshape(len(x), -1)
