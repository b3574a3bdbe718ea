"""What is done for one cell: a model made by the pipeline, judged on people it never met."""

from __future__ import annotations

import gc
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tinyhar
from tinyhar import recipe as recipes
from tinyhar.band import cortex_m4
from tinyhar.band.workload import with_random_windows
from tinyhar.bench import forest
from tinyhar.bench.cells import Cell
from tinyhar.convert.compiled import compile_model
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe, Senses

Facts = dict[str, dict[str, Any]]

SHARED = ("prepare", "teach")
"""The stages that cells with the same teacher take from it."""


@dataclass(frozen=True)
class Place:
    """Where a bench is at home, and where its recordings are."""

    out: Path
    data: Path | None
    keep: bool = False
    """Whether a finished cell's run folder stays."""

    def teacher(self, cell: Cell) -> Path:
        """The run folder of a cell's teacher, named by the pipeline's key of it."""
        return self.out / "teachers" / teacher_key(cell)[:16]

    def run(self, cell: Cell) -> Path:
        """The run folder of a cell."""
        return self.out / "runs" / cell.id


def teacher_key(cell: Cell) -> str:
    """Cells with the same key have the same teacher: what the pipeline's stages depend on."""
    from tinyhar.pipeline.run import TEACH, stage_keys

    return stage_keys(as_run(cell.teacher, quick=cell.quick), quick=cell.quick)[TEACH]


def check(cell: Cell) -> None:
    """Build the cell's networks once and forget them: a wrong option shows before work starts.

    Raises:
        ModelError: an architecture or an option that is not there, a student that the band cannot
            run, or a method of distillation that does not go with teacher and student.
    """
    from tinyhar import models
    from tinyhar.pipeline import learn

    if cell.arithmetic == "forest":
        return
    recipe = cell.recipe
    channels = _channels(recipe.data)
    classes = len(recipe.data.activities or ()) or 6
    if cell.arithmetic == "int8":
        senses = _channels(recipe.senses) if recipe.senses else None
        learn.check_networks(recipe, recipe.data.window, channels, classes, senses=senses)
    else:
        options: dict[str, Any] = dict(recipe.student.options)
        models.build(recipe.student.architecture, recipe.data.window, channels, classes, **options)


def _channels(senses: Senses) -> int:
    """How many channels these sensors have; where positions are left open, those of one."""
    return len(senses.axes or "xyz") * len(senses.kinds) * len(senses.positions or ("anywhere",))


def teach(cell: Cell, place: Place) -> dict[str, Any]:
    """Train the teacher that the cell waits for; done already, it takes a moment."""
    from tinyhar.pipeline.run import TEACH, advance

    started = time.monotonic()
    advance(cell.teacher, place.teacher(cell), until=TEACH, data=place.data, quick=cell.quick)
    return {"seconds": time.monotonic() - started}


def make(cell: Cell, place: Place) -> dict[str, Any]:
    """Make the cell's model and judge it: the record that the bench keeps.

    Raises:
        TinyharError: as the pipeline does.
    """
    folder = RunFolder(place.run(cell))
    if cell.needs_teacher:
        folder.adopt(RunFolder(place.teacher(cell)), SHARED)
    try:
        record = _record(cell, folder, _MAKERS[cell.arithmetic](cell, folder, place.data))
    finally:
        _forget_networks()
    if not place.keep:
        shutil.rmtree(folder.root, ignore_errors=True)
    return record


def as_run(recipe: Recipe, *, quick: bool) -> Recipe:
    """The recipe with the epochs that it is run with."""
    return recipes.quick(recipe) if quick else recipe


@dataclass(frozen=True)
class _Outcome:
    """What a maker found out: answers to the test windows, and what the model costs."""

    facts: Facts
    answers: dict[str, list[int]]
    """Of "int8" and "float", as far as the model has them."""
    parameters: int
    macs: int | None = None
    device: dict[str, int] | None = None
    """What a band pays: "flash_bytes", "ram_bytes" and, if it could be booted, "instructions"."""


def _int8(cell: Cell, folder: RunFolder, data: Path | None) -> _Outcome:
    from tinyhar.band.desk import INT8
    from tinyhar.pipeline.run import advance

    facts = advance(cell.recipe, folder.root, until="quantise", data=data, quick=cell.quick)
    return _Outcome(
        facts,
        {"int8": facts["quantise"]["predicted"], "float": facts["prune"]["predicted"]},
        parameters=facts["prune"]["parameters"],
        macs=facts["prune"]["macs"],
        device=_on_device(cell, (folder / INT8).read_bytes()),
    )


def _on_device(cell: Cell, tflite: bytes) -> dict[str, int]:
    """The model in the compiled engine: no engine, no firmware counted."""
    compiled = compile_model(tflite)
    if cortex_m4.missing_tools():
        return {"flash_bytes": len(compiled.payload)}
    with cortex_m4.device() as target:
        cost = target.measure(with_random_windows(cell.id, tflite))
    cost.check_exact()
    return {
        "flash_bytes": cost.model_bytes,
        "ram_bytes": cost.ram_bytes,
        "instructions": cost.instructions_per_window,
    }


def _float(cell: Cell, folder: RunFolder, data: Path | None) -> _Outcome:
    """A network that the pipeline would refuse as a student: trained on the same windows."""
    from tinyhar.pipeline import Silence, learn
    from tinyhar.pipeline.prepare import read
    from tinyhar.pipeline.run import advance

    facts = advance(cell.recipe, folder.root, until="prepare", data=data, quick=cell.quick)
    started = time.monotonic()
    with folder.held():
        recipe = as_run(cell.recipe, quick=cell.quick)
        found = learn.distil(recipe, folder, read(folder), Silence())
    facts["distil"] = {**found, "seconds": time.monotonic() - started}
    return _Outcome(
        facts, {"float": found["predicted"]}, parameters=found["parameters"], macs=found["macs"]
    )


def _forest(cell: Cell, folder: RunFolder, data: Path | None) -> _Outcome:
    from tinyhar.pipeline.prepare import read
    from tinyhar.pipeline.run import advance

    facts = advance(cell.recipe, folder.root, until="prepare", data=data, quick=cell.quick)
    started = time.monotonic()
    prepared = read(folder)
    sides = {
        side: forest.features(
            prepared.units(prepared.side(side)), prepared.channels, prepared.rate
        )[0]
        for side in ("train", "test")
    }
    grown = forest.train(sides["train"], prepared.y[prepared.side("train")], seed=cell.seed)
    facts["distil"] = {"seconds": time.monotonic() - started}
    answers = grown.predict(sides["test"]).tolist()
    return _Outcome(facts, {"float": answers}, parameters=forest.nodes(grown))


def _forget_networks() -> None:
    """Give back what Keras keeps of every network: the next cell may be done in this process."""
    if "tf_keras" in sys.modules:
        sys.modules["tf_keras"].backend.clear_session()
        gc.collect()


_MAKERS = {"int8": _int8, "float": _float, "forest": _forest}


def _record(cell: Cell, folder: RunFolder, outcome: _Outcome) -> dict[str, Any]:
    from tinyhar.evaluate.metrics import macro_f1
    from tinyhar.pipeline.prepare import read

    prepared = read(folder)
    test = prepared.side("test")
    truth, classes = prepared.y[test], len(prepared.classes)
    judged = {
        name: _judged(truth, answers, prepared.subject[test].tolist(), classes)
        for name, answers in outcome.answers.items()
    }
    taught = outcome.facts.get("teach")
    own = (facts["seconds"] for stage, facts in outcome.facts.items() if stage not in SHARED)
    return {
        "id": cell.id,
        "key": cell.key,
        "protocol": cell.protocol,
        "method": cell.method,
        "group": cell.group,
        "arithmetic": cell.arithmetic,
        "size": cell.size,
        "fold": cell.fold,
        "seed": cell.seed,
        "quick": cell.quick,
        "version": tinyhar.__version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "split": asdict(prepared.split),
        "recordings": outcome.facts["prepare"]["digest"],
        "classes": list(prepared.classes),
        "int8": judged.get("int8"),
        "float": judged.get("float"),
        "teacher_f1": macro_f1(truth, taught["predicted"], classes=classes) if taught else None,
        "parameters": outcome.parameters,
        "macs": outcome.macs,
        "device": outcome.device,
        "senses": _senses(cell, prepared),
        "seconds": sum(own),
    }


def _senses(cell: Cell, prepared: Any) -> dict[str, Any]:
    """The band's sensors: how many places, which kinds, how many channels, how often."""
    return {
        "positions": len({channel.position for channel in prepared.channels}),
        "kinds": sorted({channel.kind for channel in prepared.channels}),
        "channels": len(prepared.channels),
        "rate": prepared.rate,
        "stride": cell.recipe.data.stride,
    }


def _judged(truth: Any, answers: list[int], subjects: list[str], classes: int) -> dict[str, Any]:
    from tinyhar.evaluate.metrics import evaluate

    found = evaluate(truth, answers, subjects, classes=classes)
    return {
        "macro_f1": found.macro_f1,
        "accuracy": found.accuracy,
        "class_f1": found.class_f1.tolist(),
        "subject_f1": dict(found.subject_f1),
        "subject_windows": dict(found.subject_windows),
    }
