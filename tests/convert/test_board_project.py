"""A project for a board: its library compiles anywhere and runs; its template has a whole port."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.convert.test_export import STUB, bundle_of, classifier
from tinyhar.band.build import build_firmware
from tinyhar.convert.board_project import TEMPLATES, board_project, limits
from tinyhar.convert.bundle import Bundle, pack
from tinyhar.convert.graph import read_graph
from tinyhar.convert.teaching import embedding_of, embeddings, fit_teaching
from tinyhar.errors import DataError, ModelError, ToolError

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
TFLITE = classifier()

BAND = r"""
#include <stdio.h>
#include "tinyhar.h"

static thar_port_info about = {.board = "test", .tick_hz = 1};
const thar_port_info *thar_port_about(void) { return &about; }
size_t thar_port_read(uint8_t *b, size_t n) { (void)b, (void)n; return 0; }
void thar_port_write(const uint8_t *b, size_t n) { (void)b, (void)n; }
uint32_t thar_port_ticks(void) { return 0; }
uint32_t thar_port_milliseconds(void) { return 0; }
uint32_t thar_port_stack_used(void) { return 0; }
void thar_port_reset(void) {}
const thar_port_flash_info *thar_port_flash_about(void) { return NULL; }
bool thar_port_flash_erase(uint32_t a) { (void)a; return false; }
bool thar_port_flash_program(uint32_t a, const uint8_t *b, uint32_t n) {
  (void)a, (void)b, (void)n;
  return false;
}

static thar_band band;
static _Alignas(16) uint8_t arena[THAR_ARENA_BYTES];

int main(void) {
  const float gyro[3] = {0, 0, 0};
  int16_t counts[TINYHAR_CHANNELS];
  int windows = 0;
  about.bundle = tinyhar_bundle;
  about.bundle_bytes = TINYHAR_BUNDLE_BYTES;
  thar_band_init(&band, arena, sizeof arena);
  printf("%s, first wrong %d\n", band.model.problem != NULL ? band.model.problem : "ready",
         thar_model_try(&band.model));
  for (int i = 0; i < 30; i++) {
    const float acc[3] = {0.0f, -9.81f, 1e6f};
    tinyhar_counts(acc, gyro, counts);
    windows += thar_band_sense(&band, counts, TINYHAR_CHANNELS);
  }
  printf("%d %d %d, %d windows, %s\n", counts[0], counts[1], counts[2], windows,
         thar_band_shown(&band).name.size != 0 ? "shown" : "nothing");
  printf("another model's sensor: %d; without flash, back to %d: %d\n",
         thar_band_sense(&band, counts, TINYHAR_CHANNELS + 1), thar_store_previous(&band.store),
         thar_store_go_back(&band.store, 0));
  return 0;
}
"""


def bundle() -> Bundle:
    """The classifier's, that can be taught."""
    plain, graph = bundle_of(TFLITE), read_graph(TFLITE)
    tensor = embedding_of(graph)
    assert tensor is not None
    x = np.random.default_rng(2).integers(-128, 128, (90, 1, 12, 3)).astype(np.int8)
    y = np.arange(90) % 3
    seen = embeddings(graph, x, tensor)
    return replace(plain, teaching=fit_teaching(seen, y, 3, zero_point=-128, output_scale=0.03))


@pytest.mark.parametrize("board", TEMPLATES)
def test_the_library_compiles_without_a_warning_and_runs(board: str, tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    written = board_project(tmp_path / "my_band", board, TFLITE, bundle())
    sources = [str(path) for path in written if path.suffix == ".c" and "tinyhar/src" in str(path)]
    (tmp_path / "band.c").write_text(BAND)
    program = tmp_path / "band"
    done = subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-fsanitize=undefined",
         f"-I{tmp_path / 'my_band/tinyhar/src'}", *sources, str(tmp_path / "band.c"),
         "-o", str(program)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [
        "ready, first wrong 255",
        "0 -4088 32767, 4 windows, shown",
        "another model's sensor: 0; without flash, back to 2: 2",
    ]


@pytest.mark.parametrize("board", TEMPLATES)
def test_a_template_supplies_all_that_a_port_must(board: str) -> None:
    declared = re.findall(r"\b(thar_port_\w+)\(", (FIRMWARE / "include/tinyhar/port.h").read_text())
    files = (FIRMWARE / "ports" / TEMPLATES[board]).rglob("*.c*")
    text = "\n".join(path.read_text() for path in files if path.suffix in (".c", ".cpp"))
    for name in set(declared):
        assert re.search(rf"^[\w ]+[ *]{name}\(", text, re.MULTILINE), name
    assert len(max(text.splitlines(), key=len)) <= 100


@pytest.mark.parametrize("board", TEMPLATES)
def test_with_tflm_its_package_is_declared_and_the_adapter_is_there(
    board: str, tmp_path: Path
) -> None:
    pytest.importorskip("tflite_micro")
    out = tmp_path / "my_band"
    board_project(out, board, TFLITE, bundle())  # whose engine must not stay
    (out / "tinyhar/src/notes.txt").write_text("my own")
    board_project(out, board, TFLITE, bundle(), engine="tflm")
    assert (out / "tinyhar/src/notes.txt").exists()
    package = {
        "nano33ble": ("sketch.yaml", "Chirale_TensorFLowLite"),
        "esp32s3": ("main/idf_component.yml", "espressif/esp-tflite-micro"),
        "nrf52840": ("west.yml", "- tflite-micro"),
    }[board]
    assert package[1] in (out / package[0]).read_text()
    source = out / "tinyhar/src"
    assert not list(source.rglob("compiled.c"))
    for compiler in ("c++", "clang++"):
        if shutil.which(compiler) is None:
            continue
        done = subprocess.run(
            [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{STUB}",
             f"-I{source}", str(source / "engine/tflm_engine.cc")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_its_limits_are_the_builds(tmp_path: Path) -> None:
    file = tmp_path / "model.thb"
    file.write_bytes(pack(bundle()))
    try:
        build_firmware(file, "mps2_an386", tmp_path)
    except ToolError as error:
        pytest.skip(str(error))
    commands = "\n".join(path.read_text() for path in tmp_path.rglob("*.make"))
    commands += "\n".join(path.read_text() for path in tmp_path.rglob("build.ninja"))
    if not commands:
        pytest.skip("the build keeps no commands here")
    for name, value in limits(bundle()).items():
        assert f"-D{name}={value} " in commands.replace("\n", " "), name


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is a template for nano33ble, esp32s3, nrf52840"):
        board_project(tmp_path, "uno", TFLITE, bundle())
    with pytest.raises(DataError, match="an Arduino sketch's folder"):
        board_project(tmp_path / "my band", "nano33ble", TFLITE, bundle())
    other = replace(bundle(), channels=("a_mag_x", "a_mag_y", "a_mag_z"))
    with pytest.raises(ModelError, match="channel 'a_mag_x'"):
        board_project(tmp_path / "x", "esp32s3", TFLITE, other)
    assert not (tmp_path / "x").exists()
