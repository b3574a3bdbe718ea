"""Everything that somebody's own firmware needs, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tinyhar.convert import c_arrays, examples
from tinyhar.convert.arena import estimate_arena, measure_arena
from tinyhar.convert.bundle import Bundle, pack
from tinyhar.convert.compiled import CompiledModel, compile_model, kept_layers
from tinyhar.convert.graph import read_graph
from tinyhar.errors import DataError, ModelError, ToolError

FIRMWARE: Final = Path(__file__).resolve().parents[2] / "firmware"
"""The firmware's sources, beside the package in the source tree."""
SOURCES: Final = (".c", ".h", ".cc")
ALL_KERNELS: Final = "THAR_KERNELS 0xFFFFFFFFu"


def export(out_dir: Path, tflite: bytes, bundle: Bundle) -> list[Path]:
    """Write the model as C arrays for both engines, settings, golden vectors, bundle and examples.

    Args:
        out_dir: made if it is not there; files of the same names are replaced.
        tflite: the int8 model that the bundle was made from.
        bundle: classes, channels, count map and golden windows; its model may be for either engine.

    Returns:
        The files written, in the order of their names.

    Raises:
        ModelError: the model cannot be converted, or the bundle is not this model's.
        DataError: the folder cannot be written.
        ToolError: the engine's sources are missing.
    """
    kept = kept_layers(bundle.model) if bundle.engine == "compiled" else 0
    compiled = compile_model(tflite, kept=kept)
    _check_bundle(tflite, bundle, compiled)
    arena, how = _tflm_arena(tflite, compiled)
    inputs = bundle.count_map.apply(bundle.golden_counts)
    texts = {
        **c_arrays.model_data(tflite),
        **c_arrays.compiled_model(compiled.payload, compiled.arena_bytes),
        **c_arrays.model_settings(bundle, arena, how),
        **c_arrays.resolver(read_graph(tflite)),
        **c_arrays.golden_vectors(bundle.golden_counts, inputs, bundle.golden_logits),
        **_engine_sources(compiled.kernels),
        "example_compiled.c": examples.COMPILED_EXAMPLE,
        "example_tflm.cc": examples.TFLM_EXAMPLE,
        "README.txt": _readme(bundle, compiled, tflite, f"{arena} bytes ({how})"),
    }
    files = {name: text.encode() for name, text in texts.items()}
    files |= {"model.thb": pack(bundle), "model.tflite": tflite}
    return write_files(out_dir, files, "compiled")


def write_files(out_dir: Path, files: dict[str, bytes], sources: str) -> list[Path]:
    """Write files by their names under a folder, in the order of those.

    Args:
        out_dir: made if it is not there.
        files: what they hold.
        sources: a folder below whose sources are all ours: those of an earlier export go, or a
            build would take them up.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        for old in (out_dir / sources).rglob("*"):
            if old.suffix in SOURCES and old.relative_to(out_dir).as_posix() not in files:
                old.unlink()
        return [_written(out_dir / name, files[name]) for name in sorted(files)]
    except OSError as error:
        raise DataError(
            f"{error.filename or out_dir}: cannot be written ({error.strerror}); name another "
            "folder with --out"
        ) from error


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _tflm_arena(tflite: bytes, compiled: CompiledModel) -> tuple[int, str]:
    """Bytes, and how they were found."""
    try:
        return measure_arena(tflite), "measured on a 64-bit machine; 32 bits need less"
    except ToolError:
        arena = estimate_arena(compiled.arena_bytes)
        return arena, "estimated: tflite-micro has no package for the machine that exported this"


def _check_bundle(tflite: bytes, bundle: Bundle, compiled: CompiledModel) -> None:
    expected = compiled.payload if bundle.engine == "compiled" else tflite
    if bundle.model != expected:
        raise ModelError("the bundle was made from another model; pack it again from this .tflite")
    if not len(bundle.golden_counts):
        raise ModelError("the bundle has no golden windows: an exported model must carry its proof")


def _engine_sources(kernels: int) -> dict[str, str]:
    """The engine with these kernels, a bit for each kind: the folder holds one model."""
    engine = FIRMWARE / "engine" / "compiled"
    sources = sorted(engine.glob("*.[ch]"))
    if not sources:
        raise ToolError(
            f"the engine's sources are not at {engine}; export from a checkout of tinyhar"
        )
    texts = {f"compiled/{path.name}": path.read_text(encoding="utf-8") for path in sources}
    header = texts["compiled/kernels.h"]
    assert ALL_KERNELS in header
    texts["compiled/kernels.h"] = header.replace(ALL_KERNELS, f"THAR_KERNELS {kernels:#x}u")
    face = FIRMWARE / "include" / "tinyhar" / "engine.h"
    texts["compiled/tinyhar/engine.h"] = face.read_text(encoding="utf-8")
    return texts


def _readme(bundle: Bundle, compiled: CompiledModel, tflite: bytes, arena: str) -> str:
    lines = [
        f"  {name}: one count is {lsb:.6g} {unit}"
        for name, lsb, unit in zip(bundle.channels, bundle.lsb, bundle.units, strict=True)
    ]
    return examples.README.format(
        classes=len(bundle.classes),
        channels=len(bundle.channels),
        class_names=", ".join(bundle.classes),
        channel_lines="\n".join(lines),
        rate=bundle.rate,
        window=bundle.window,
        stride=bundle.stride,
        payload=len(compiled.payload),
        compiled_arena=compiled.arena_bytes,
        tflite=len(tflite),
        tflm_arena=arena,
        golden=len(bundle.golden_counts),
    )
