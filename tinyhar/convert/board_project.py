"""A whole project for a real board's own tool chain: template, portable core, engine and model.

The templates are firmware/ports/arduino, esp_idf and zephyr; beside them comes a folder `tinyhar`
with everything that is the same on all of them, sized for the model. Its layout is an Arduino
library's, which the two others compile as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from tinyhar.convert import c_arrays
from tinyhar.convert.arena import SESSION_BYTES, estimate_arena, measure_engine_arena
from tinyhar.convert.bundle import Bundle, pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.export import FIRMWARE, write_files
from tinyhar.convert.graph import read_graph
from tinyhar.errors import DataError, ModelError, ToolError

Engine = Literal["compiled", "tflm"]

TEMPLATES: Final = {"nano33ble": "arduino", "esp32s3": "esp_idf", "nrf52840": "zephyr"}
"""Folder under firmware/ports for each board."""
SPARE_CLASSES: Final = 8
"""More classes than the model's that a deployed one, or teaching, may have."""
_MOST_BODY: Final = 4096


def board_project(
    out_dir: Path, board: str, tflite: bytes, bundle: Bundle, *, engine: Engine = "compiled"
) -> list[Path]:
    """Write a project that the board's tool chain builds; files of the same names are replaced.

    Args:
        out_dir: made if it is not there.
        board: of `TEMPLATES`.
        tflite: the int8 model that the bundle was made from.
        bundle: what the band is to run.
        engine: "tflm" runs the same model in TensorFlow Lite Micro, from the board's packages.

    Returns:
        The files written, in the order of their names.

    Raises:
        ToolError: no template for the board, or the firmware's sources are missing.
        ModelError: a channel that a board's IMU has not.
        DataError: the folder cannot be written.
    """
    if board not in TEMPLATES:
        raise ToolError(f"board {board!r}: there is a template for {', '.join(TEMPLATES)}")
    if board == "nano33ble":
        _check_sketch(out_dir)
    if engine == "tflm":
        bundle = _for_tflm(bundle, tflite)
    files = {f"tinyhar/{name}": text for name, text in _library(tflite, bundle, engine).items()}
    files |= _template(FIRMWARE / "ports" / TEMPLATES[board], engine)
    if board == "nano33ble":
        # The Arduino builder wants a sketch in a folder of its name.
        files[f"{out_dir.resolve().name}.ino"] = files.pop("band.ino")
        files["tinyhar/library.properties"] = _LIBRARY
    contents = {name: text.encode() for name, text in files.items()}
    return write_files(out_dir, contents, "tinyhar/src")


def limits(bundle: Bundle) -> dict[str, int]:
    """Sizes of a band's buffers (config.h) for this bundle, as firmware/cmake/bundle.cmake's."""
    values = bundle.window * len(bundle.channels)
    classes = min(len(bundle.classes) + SPARE_CLASSES, 254)
    embedding = bundle.teaching.size if bundle.teaching else 0
    entry = 48 + -(-embedding // 16) * 16
    return {
        "THAR_MAX_BODY": min(max(2 * values + 4, 256), _MOST_BODY),
        "THAR_OUTBOX_BYTES": 512 + 4 * classes,
        "THAR_MAX_WINDOW_VALUES": values,
        "THAR_MAX_CLASSES": classes,
        "THAR_MAX_SMOOTH_LENGTH": max(bundle.smoothing.length, 16),
        "THAR_ARENA_BYTES": bundle.arena_bytes + 2 * (-(-SPARE_CLASSES // 16) * 16),
        "THAR_MAX_EMBEDDING": embedding,
        "THAR_TAUGHT_BYTES": 64 + classes * entry if embedding else 0,
    }


def _for_tflm(bundle: Bundle, tflite: bytes) -> Bundle:
    """The same with the .tflite for its model; TFLM shows no embedding, so it is not taught."""
    try:
        arena = measure_engine_arena(tflite)
    except ToolError:
        arena = estimate_arena(compile_model(tflite).arena_bytes) + SESSION_BYTES
    return replace(bundle, engine="tflm", model=tflite, arena_bytes=arena, teaching=None)


# ---- what is the same on all boards ----


def _library(tflite: bytes, bundle: Bundle, engine: Engine) -> dict[str, str]:
    """Sources and headers by name, under src/."""
    files = _read(FIRMWARE / "include" / "tinyhar", "*.h", "src/tinyhar")
    files |= _read(FIRMWARE / "src", "*.[ch]", "src/core")
    if engine == "compiled":
        files |= _read(FIRMWARE / "engine" / "compiled", "*.[ch]", "src/engine")
    else:
        files |= _read(FIRMWARE / "engine" / "tflm", "*.cc", "src/engine")
        for name, text in c_arrays.resolver(read_graph(tflite)).items():
            files[f"src/engine/{name}"] = text
    files["src/tinyhar/limits.h"] = _limits_header(bundle)
    files["src/tinyhar.h"] = _model_header(bundle)
    files["src/model.c"] = _model_source(bundle)
    return files


def _read(folder: Path, pattern: str, where: str) -> dict[str, str]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ToolError(f"the firmware's sources are not at {folder}; use a checkout of tinyhar")
    return {f"{where}/{path.name}": path.read_text(encoding="utf-8") for path in found}


def _limits_header(bundle: Bundle) -> str:
    lines = "".join(f"#define {name} {value}\n" for name, value in limits(bundle).items())
    return f"/* Sizes for this model, in place of config.h's. */\n{lines}"


def _channels(bundle: Bundle) -> list[tuple[int, int, float]]:
    """Of each channel: 1 for a gyroscope's, its axis, counts per unit."""
    found = []
    for name, lsb in zip(bundle.channels, bundle.lsb, strict=True):
        kind, axis = name.rsplit("_", 2)[-2:] if name.count("_") > 1 else ("", "")
        if kind not in ("acc", "gyro") or axis not in "xyz":
            raise ModelError(f"channel {name!r}: the boards have an accelerometer and a gyroscope")
        found.append((int(kind == "gyro"), "xyz".index(axis), 1 / float(lsb)))
    return found


def _model_header(bundle: Bundle) -> str:
    return f"""/* The band, its model, and its channels out of an IMU's values. */
#ifndef TINYHAR_H
#define TINYHAR_H

#include "tinyhar/band.h"
#include "tinyhar/port.h"

#ifdef __cplusplus
extern "C" {{
#endif

#define TINYHAR_BUNDLE_BYTES {len(pack(bundle))}
#define TINYHAR_CHANNELS {len(bundle.channels)}
#define TINYHAR_RATE_MILLIHERTZ {round(bundle.rate * 1000)}

extern const uint8_t tinyhar_bundle[TINYHAR_BUNDLE_BYTES];

/* Counts, one a channel, of m/s^2 with gravity and rad/s, by axes x, y, z as in the recordings that
 * the model was trained on. */
void tinyhar_counts(const float acc[3], const float gyro[3], int16_t counts[TINYHAR_CHANNELS]);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _model_source(bundle: Bundle) -> str:
    rows = "\n".join(
        f"    {{{gyro}, {axis}, {scale:.9g}f}}, /* {name} */"
        for (gyro, axis, scale), name in zip(_channels(bundle), bundle.channels, strict=True)
    )
    return f"""#include "tinyhar.h"

static const struct {{
  uint8_t gyro, axis;
  float counts_per_unit;
}} channels[TINYHAR_CHANNELS] = {{
{rows}
}};

void tinyhar_counts(const float acc[3], const float gyro[3], int16_t counts[TINYHAR_CHANNELS]) {{
  for (int c = 0; c < TINYHAR_CHANNELS; c++) {{
    const float value = (channels[c].gyro ? gyro : acc)[channels[c].axis];
    const float scaled = value * channels[c].counts_per_unit;
    counts[c] = scaled > 32767.0f    ? 32767
                : scaled < -32768.0f ? -32768
                                     : (int16_t)(scaled + (scaled < 0 ? -0.5f : 0.5f));
  }}
}}

_Alignas(16) const uint8_t tinyhar_bundle[TINYHAR_BUNDLE_BYTES] = {{
{c_arrays.numbers(pack(bundle))}}};
"""


# ---- templates ----

_LIBRARY: Final = """name=tinyhar
version=0.1.0
author=the tinyhar developers
maintainer=the tinyhar developers
sentence=A wrist band's firmware with its model.
paragraph=Made by tinyhar export; see the sketch beside it.
category=Sensors
architectures=*
"""

_TFLM: Final = {
    "sketch.yaml": ("      - dir: tinyhar", ("      - Chirale_TensorFLowLite (2.0.0)",)),
    "band.ino": ('#include "port.h"', ("#include <Chirale_TensorFlowLite.h>  // has it linked",)),
    "main/idf_component.yml": ("dependencies:", ('  espressif/esp-tflite-micro: "^1.3.4"',)),
    "west.yml": ("        name-allowlist:", ("          - cmsis-nn", "          - tflite-micro")),
    "prj.conf": (
        "CONFIG_SENSOR=y",
        (
            "CONFIG_CPP=y",
            "CONFIG_STD_CPP17=y",
            "CONFIG_TENSORFLOW_LITE_MICRO=y",
            "CONFIG_TENSORFLOW_LITE_MICRO_CMSIS_NN_KERNELS=y",
        ),
    ),
}
"""Lines that TensorFlow Lite Micro adds to a template's file behind one of its lines: its package,
from the board's own manager."""


def _template(folder: Path, engine: Engine) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if not found:
        raise ToolError(f"the template is not at {folder}; use a checkout of tinyhar")
    files = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in found}
    if engine == "tflm":
        for name, (where, more) in _TFLM.items():
            if name in files:
                files[name] = files[name].replace(where, "\n".join((where, *more)))
    return files


def _check_sketch(out_dir: Path) -> None:
    name = out_dir.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", name):
        raise DataError(
            f"{out_dir}: an Arduino sketch's folder begins with a letter or digit and has letters, "
            "digits, _, - and . only; name another with --out"
        )
