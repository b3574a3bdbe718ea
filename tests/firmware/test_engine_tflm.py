"""The TFLM adapter, as far as it can be checked without TFLM: it is sound C++17 for engine.h."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.firmware.engine_build import FIRMWARE

STUB = FIRMWARE.parent / "tests/convert/tflm_stub"


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_the_adapter_compiles_against_tflms_interface(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    tflm = FIRMWARE / "engine/tflm"
    done = subprocess.run(
        [
            compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti",
            "-fsyntax-only", f"-I{FIRMWARE / 'include'}", f"-I{STUB}", f"-I{tflm / 'ops'}",
            str(tflm / "tflm_engine.cc"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
