"""The stages that turn an int8 model into what a band and its developer need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyhar.band.build import build_firmware
from tinyhar.band.desk import BUNDLE, INT8, VALIDATION
from tinyhar.convert import integer
from tinyhar.convert.bundle import Bundle, Smoothing, identity, pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.export import export
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import TFLM, Int8, TflmReference
from tinyhar.errors import ModelError, ToolError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import count_map
from tinyhar.pipeline.on_band import teachable
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.pipeline.shrink import over_budget
from tinyhar.recipe import Recipe

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
    graph, quantised = read_graph(tflite), count_map(tflite, data)
    test, golden = np.flatnonzero(data.side("test")), _golden(data)
    inputs = data.quantised(np.concatenate([test, golden]), quantised)
    logits = integer.run(graph, inputs)
    reference = TflmReference(tflite)
    equal = _equal(reference, inputs, logits, str(folder / INT8), progress)
    compiled = compile_model(tflite, **recipe.overlap)
    if over := over_budget(recipe, tflite):
        progress.note(f"over the budget of [pruning] after the last training: {over}")
    output = graph.tensors[graph.output]
    bundle = Bundle(
        classes=data.classes,
        channels=tuple(channel.name for channel in data.channels),
        units=tuple(channel.unit for channel in data.channels),
        window=data.window,
        stride=recipe.data.stride,
        rate=data.rate,
        lsb=data.lsb,
        count_map=quantised,
        smoothing=Smoothing(recipe.band.smooth_length, recipe.band.smooth_hold),
        engine=recipe.band.engine,
        model=compiled.payload,
        arena_bytes=compiled.arena_bytes,
        output_scale=output.scale,
        output_zero_point=output.zero_point,
        golden_counts=data.counts[golden],
        golden_logits=logits[len(test) :],
        teaching=teachable(graph, data, quantised) if recipe.band.teaching else None,
    )
    packed = pack(bundle)
    folder.write_bytes(BUNDLE, packed)
    with folder.writing(VALIDATION) as draft:
        np.savez_compressed(
            draft,
            counts=data.counts[test],
            labels=data.y[test],
            subject=data.subject[test],
            logits=logits[: len(test)],
        )
    export(folder / EXPORT, tflite, bundle)
    folder.leaves(EXPORT)
    return {
        "reference": reference.backend,
        "desk_equal": int(equal[: len(test)].sum()),
        "windows": len(test),
        "identity": identity(packed).hex(),
        "payload_bytes": len(compiled.payload),
        "arena_bytes": compiled.arena_bytes,
        "kept_layers": compiled.kept,
        "teaching_bytes": len(bundle.teaching.pack()) if bundle.teaching else 0,
        "tflite_bytes": len(tflite),
        "predicted": logits[: len(test)].argmax(axis=1).tolist(),
    }


def _equal(
    reference: TflmReference, inputs: Int8, logits: Int8, model: str, progress: Progress
) -> NDArray[np.bool_]:
    """Of which windows [n] the reference gives the desk's own bytes.

    TensorFlow Lite Micro must give them of all; what stands in for it where it cannot be had
    computes some windows otherwise, so that there a difference is only told.
    """
    theirs = reference.run(inputs)
    equal = (theirs == logits).all(axis=1)
    if equal.all():
        return equal
    apart = f"{len(equal) - int(equal.sum())} of {len(equal)} windows"
    if reference.backend == TFLM:
        raise ModelError(
            f"{model}: the desk reference leaves TensorFlow Lite Micro's bytes on {apart}; "
            "please report this model"
        )
    steps = int(np.abs(theirs.astype(np.int16) - logits).max())
    progress.note(
        f"not checked against TensorFlow Lite Micro, which has no package for this machine: "
        f"{reference.backend} differ on {apart}, by at most {steps} of 255 steps"
    )
    return equal


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
            folder.leaves(f"firmware/{board}/{result.image.name}")
    return {"boards": boards}


def _golden(data: Prepared) -> np.ndarray:
    """Windows of different classes: of validation subjects, or of training where all train."""
    validation = data.side("validation")
    index = np.flatnonzero(validation if validation.any() else data.side("train"))
    firsts = [index[data.y[index] == k][:1] for k in range(len(data.classes))]
    return np.concatenate(firsts)[:GOLDEN_WINDOWS]
