"""The compiled engine on an emulated Cortex-M4: same bytes, and what it costs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.convert.tiny_models import random_model, random_windows
from tests.firmware.engine_build import FIRMWARE, WARNINGS
from tinyhar.convert import integer
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.errors import ModelError

CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections"]
PORT = FIRMWARE / "ports/mps2_an386"

# At most half of what TFLM with CMSIS-NN takes, 0.60 of its arena: see the reference's README.
LIMITS = {
    "tiny_dscnn": (95_800, 3_428),
    "ds_cnn": (514_600, 8_068),
    "band_cnn": (539_600, 5_908),
    "inverted_residual": (1_326_700, 18_388),
}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}")
    folder = tmp_path_factory.mktemp("cortex-m4")
    sources = [*sorted((FIRMWARE / "engine/compiled").glob("*.c")), PORT / "startup.c"]
    for source in [*sources, FIRMWARE / "tests/engine_bench.c"]:
        command = ["arm-none-eabi-gcc", *WARNINGS, *CORTEX_M4, f"-I{FIRMWARE / 'include'}", "-c"]
        subprocess.run([*command, str(source), "-o", str(folder / f"{source.stem}.o")], check=True)
    return [str(path) for path in sorted(folder.glob("*.o"))]


def bench(tflite: bytes, x: np.ndarray, y: np.ndarray, objects: list[str], tmp: Path) -> dict:
    model = compile_model(tflite)
    files = {"MODEL": model.payload, "WINDOWS": x.tobytes(), "GOLDEN": y.tobytes()}
    defines = [f"-DARENA={model.arena_bytes}"]
    for name, data in files.items():
        (tmp / name).write_bytes(data)
        defines.append(f'-D{name}="{tmp / name}"')
    image = tmp / "bench.elf"
    link = [
        f"-T{PORT / 'mps2_an386.ld'}",
        "-nostartfiles",
        "-Wl,--gc-sections",
        "--specs=nano.specs",
    ]
    data = str(FIRMWARE / "tests/engine_bench_data.S")
    subprocess.run(
        ["arm-none-eabi-gcc", *CORTEX_M4, *defines, *link, data, *objects, "-o", str(image)],
        check=True,
    )
    qemu = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none"]
    qemu += ["-serial", "none", "-icount", "shift=0", "-semihosting", "-kernel", str(image)]
    done = subprocess.run(qemu, capture_output=True, text=True, timeout=120, check=False)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return json.loads(text[text.index("{") :])


@pytest.mark.parametrize("name", LIMITS)
def test_reference_models_are_exact_and_within_their_limits(
    reference_models: Path, objects: list[str], tmp_path: Path, name: str
) -> None:
    tflite = (reference_models / f"{name}.tflite").read_bytes()
    golden = np.load(reference_models / f"{name}_golden.npz")
    cost = bench(tflite, golden["x"][:20], golden["y"][:20], objects, tmp_path)
    instructions, arena = LIMITS[name]
    assert cost["windows"] == 20
    assert cost["mismatched_bytes"] == 0
    assert cost["instructions"] <= instructions
    assert cost["arena_bytes"] + cost["engine_state_bytes"] <= 0.60 * arena
    assert cost["stack_bytes"] <= 804


@pytest.mark.parametrize("start", range(0, 24, 3))
def test_any_model_gives_the_desks_bytes(objects: list[str], tmp_path: Path, start: int) -> None:
    for seed in range(start, start + 3):
        try:
            tflite = random_model(seed)
            graph: Graph = read_graph(tflite)
            x = random_windows(seed, graph.tensors[graph.input].shape[1:])
            cost = bench(tflite, x, integer.run(graph, x), objects, tmp_path)
        except ModelError:
            continue
        assert cost["mismatched_bytes"] == 0, seed
