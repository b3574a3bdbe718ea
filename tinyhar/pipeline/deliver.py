"""The stages that turn an int8 model into what a band and its developer need."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyhar import compress
from tinyhar.band.build import build_firmware
from tinyhar.convert import integer
from tinyhar.convert.bundle import Bundle, Smoothing, identity, pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.export import export
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import TflmReference
from tinyhar.counts import CountMap
from tinyhar.errors import ModelError, ToolError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import INT8, count_map
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.recipe import Recipe

BUNDLE = "bundle.thb"
VALIDATION = "validation.npz"
EXPORT = "export"
GOLDEN_WINDOWS = 3


def convert(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress
) -> dict[str, Any]:
    """Compile the model, pack the bundle, write the C arrays, and keep the desk's answers.

    Raises:
        ModelError: an operator that the engine lacks, or a desk reference that leaves TFLM's bytes.
    """
    tflite = (folder / INT8).read_bytes()
    quantised = count_map(tflite, data)
    test = data.side("test")
    inputs = data.quantised(test, quantised)
    reference = TflmReference(tflite)
    logits = reference.run(inputs)
    ours = integer.run(read_graph(tflite), inputs)
    equal = int((ours == logits).all(axis=1).sum())
    if equal != len(logits):
        raise ModelError(
            f"{folder / INT8}: the desk reference leaves TensorFlow Lite Micro's bytes on "
            f"{len(logits) - equal} of {len(logits)} windows; please report this model"
        )
    compiled = compile_model(tflite)
    bundle = _bundle(recipe, data, tflite, quantised, compiled.payload, compiled.arena_bytes)
    packed = pack(bundle)
    folder.write_bytes(BUNDLE, packed)
    with folder.writing(VALIDATION) as draft:
        np.savez_compressed(
            draft,
            counts=data.counts[test],
            labels=data.y[test],
            subject=data.subject[test],
            logits=logits,
        )
    export(folder / EXPORT, tflite, bundle)
    folder.leaves(EXPORT)
    return {
        "reference": reference.backend,
        "desk_equal": equal,
        "windows": len(logits),
        "identity": identity(packed).hex(),
        "payload_bytes": len(compiled.payload),
        "arena_bytes": compiled.arena_bytes,
        "tflite_bytes": len(tflite),
        "predicted": logits.argmax(axis=1).tolist(),
    }


def build(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Build the firmware around the bundle for every board of the recipe.

    A board whose tools are missing is left out with a note that says why.
    """
    boards: dict[str, Any] = {}
    for board in recipe.band.boards:
        try:
            result = build_firmware(folder / BUNDLE, board, folder / "firmware" / board)
        except ToolError as error:
            progress.note(f"no firmware for {board}: {error}")
            boards[board] = {"missing": str(error)}
        else:
            boards[board] = result.to_dict()
            folder.leaves(result.image.relative_to(folder.root).as_posix())
    return {"boards": boards}


def _bundle(
    recipe: Recipe,
    data: Prepared,
    tflite: bytes,
    count_map: CountMap,
    payload: bytes,
    arena_bytes: int,
) -> Bundle:
    facts = compress.inspect(tflite)
    golden = _golden(data)
    return Bundle(
        classes=data.classes,
        channels=tuple(channel.name for channel in data.channels),
        units=tuple(channel.unit for channel in data.channels),
        window=data.window,
        stride=recipe.data.stride,
        rate=data.rate,
        lsb=data.lsb,
        count_map=count_map,
        smoothing=Smoothing(recipe.band.smooth_length, recipe.band.smooth_hold),
        engine=recipe.band.engine,
        model=payload,
        arena_bytes=arena_bytes,
        output_scale=facts.output_scale,
        output_zero_point=facts.output_zero_point,
        golden_counts=data.counts[golden],
        golden_logits=TflmReference(tflite).run(data.quantised(golden, count_map)),
    )


def _golden(data: Prepared) -> np.ndarray:
    """Windows of different classes: of validation subjects, or of training where all train."""
    validation = data.side("validation")
    index = np.flatnonzero(validation if validation.any() else data.side("train"))
    firsts = [index[data.y[index] == k][:1] for k in range(len(data.classes))]
    return np.concatenate(firsts)[:GOLDEN_WINDOWS]
