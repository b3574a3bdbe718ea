"""The stages that train the student: distilled, int8 (pruning is `shrink`, the teacher's `teach`).

Each leaves a model in the run folder and returns facts for the report. A student's training that
was interrupted goes on from the epoch where it stopped; a short one for int8 begins again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import compress, distill, models
from tinyhar.band.desk import INT8
from tinyhar.convert import integer
from tinyhar.convert.graph import read_graph
from tinyhar.counts import CountMap
from tinyhar.distill import Method
from tinyhar.errors import ModelError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.pipeline.teacher import load_teacher
from tinyhar.pipeline.trainer import (
    Trainer,
    build,
    clip_of,
    curve_of,
    facts_of,
    load,
    save,
    shape_of,
)
from tinyhar.recipe import Recipe, Training

STUDENT = "student/model.keras"
PRUNED = "pruned/model.keras"
CALIBRATED = "int8/calibrated.tflite"
"""The same pruned student, quantised by calibration alone: what training for int8 is worth."""

CALIBRATION_WINDOWS = 512

_SNAPSHOT = "student/snapshot.npz"


def check_networks(
    recipe: Recipe, window: int, channels: int, classes: int, *, senses: int | None = None
) -> None:
    """Build what the recipe asks for, and forget it: a wrong option shows before work starts.

    Args:
        senses: the teacher's channels, where they are not the student's.

    Raises:
        ModelError: an architecture or an option that is not there, a student that the band cannot
            run, or a method of distillation that does not go with teacher and student.
    """
    shape = (window, channels, classes)
    with _named("student"):
        student = build(recipe.student, shape, recipe.seed)
        models.check_student(student)
    with _named("distillation"):
        method = _method(recipe)
    if method.needs_teacher:
        with _named("teacher"):
            seen = (window, senses or channels, classes)
            teacher = build(recipe.teacher, seen, recipe.teacher_seed)
        memory = distill.Memory.untrained(teacher) if models.anchors(teacher) else None
        distill.attach(method, student, distill.Teacher(teacher, memory))
    if recipe.distillation.heads:
        distill.compete(student, recipe.distillation.heads, seed=recipe.seed)


@contextmanager
def _named(table: str) -> Iterator[None]:
    """A model's complaint gets the name of the recipe's table that asked for it."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"[{table}] of the recipe: {error}") from error


def distil(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Train the student with the teacher's help; where heads compete in it, choose one."""
    student = build(recipe.student, shape_of(data), recipe.seed)
    trainer = Trainer(recipe, folder, data, progress, clip_of(recipe, data))
    training, heads = recipe.student.training, recipe.distillation.heads
    if heads:
        student = distill.compete(student, heads, seed=recipe.seed)
    helpers = support(recipe, folder)
    history = trainer.fit(student, training, "student", snapshot=_SNAPSHOT, **helpers)
    facts: dict[str, Any] = {}
    if heads:
        facts["heads"] = _standing(student)
        progress.note(_told(facts["heads"]))
        student = distill.choose(student)
        settled = trainer.fit(student, _brief(training), "chosen", **helpers)
        facts["chosen_curve"] = curve_of(settled)
    save(folder, STUDENT, student)
    (folder / _SNAPSHOT).unlink(missing_ok=True)
    return {**facts_of(student, data, history, trainer.clip), **facts}


def quantise(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress
) -> dict[str, Any]:
    """Make the int8 model, and the one by calibration alone to compare it with."""
    student = load(folder, PRUNED)
    clip = clip_of(recipe, data)
    sample = calibration(recipe, data)
    calibrated = compress.to_tflite(student, calibration=sample, clip=clip, isolated=False)
    folder.write_bytes(CALIBRATED, calibrated)
    history, deployed = None, calibrated
    if recipe.quantisation.method == "qat":
        aware = compress.quantise_aware(student, sample, clip=clip)
        trainer = Trainer(recipe, folder, data, progress, clip)
        history = trainer.fit(
            aware, recipe.quantisation.training, "int8", resumable=False, **support(recipe, folder)
        )
        deployed = compress.to_tflite(aware, isolated=False)
    folder.write_bytes(INT8, deployed)
    facts = compress.inspect(deployed)
    predicted = _answers(deployed, data)
    same = predicted if deployed is calibrated else _answers(calibrated, data)
    return {
        "predicted": predicted,
        "calibrated": {"bytes": len(calibrated), "predicted": same},
        "method": recipe.quantisation.method,
        "operators": list(facts.operators),
        "input": [facts.input_scale, facts.input_zero_point],
        "output": [facts.output_scale, facts.output_zero_point],
        "curve": curve_of(history),
    }


def support(recipe: Recipe, folder: RunFolder) -> dict[str, Any]:
    """The method and the teacher that stand by a student, as `Trainer.fit` takes them."""
    method = _method(recipe)
    if not method.needs_teacher:
        return {"method": method}
    return {"method": method, "teacher": load_teacher(recipe, folder)}


def _method(recipe: Recipe) -> Method:
    table = recipe.distillation
    options: dict[str, Any] = dict(table.options)
    if table.method == "hinton":
        options = {"temperature": table.temperature, "weight": table.weight, **options}
    chosen = distill.method(table.method, **options)
    further = [distill.method(name, **dict(more)) for name, more in table.also.items()]
    return distill.Together([chosen, *further]) if further else chosen


def _standing(student: keras.Model) -> dict[str, dict[str, float]]:
    """How far each head came, beside what the student would cost with it."""
    standing = {}
    for kind, share in distill.shares(student).items():
        cost = models.total_cost(distill.alone(student, kind))
        standing[kind] = {"share": share, "parameters": cost.parameters, "macs": cost.macs}
    return standing


def _told(standing: dict[str, dict[str, float]]) -> str:
    ranked = sorted(standing.items(), key=lambda item: -item[1]["share"])
    return "heads: " + ", ".join(
        f"{kind} {one['share']:.2f} ({one['parameters']:,} parameters)" for kind, one in ranked
    )


def _brief(training: Training) -> Training:
    """A fifth of the epochs at three tenths of the rate: the chosen head settles (ours)."""
    epochs = max(1, training.epochs // 5)
    return training.model_copy(update={"epochs": epochs, "rate": 0.3 * training.rate})


def count_map(tflite: bytes, data: Prepared) -> CountMap:
    """From sensor counts to the int8 input of a model, in integers."""
    facts = compress.inspect(tflite)
    return CountMap.fold(data.normalisation, data.lsb, facts.input_scale, facts.input_zero_point)


def _answers(tflite: bytes, data: Prepared) -> list[int]:
    """What an int8 model says of the unseen subjects' windows, in the band's own integers."""
    inputs = data.quantised(data.side("test"), count_map(tflite, data))
    predicted: list[int] = integer.run(read_graph(tflite), inputs).argmax(axis=1).tolist()
    return predicted


def calibration(recipe: Recipe, data: Prepared) -> np.ndarray:
    """Evenly chosen training windows, float32 [n, 1, time, channel]."""
    index = np.flatnonzero(data.side("train"))
    chosen = np.random.default_rng(recipe.seed).permutation(index)[:CALIBRATION_WINDOWS]
    return data.inputs(chosen)
