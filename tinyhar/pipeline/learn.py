"""The stages that train: teacher, distilled student, pruned student, int8 student.

Each leaves a model in the run folder and returns facts for the report. A training that was
interrupted goes on from the epoch where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import compress, distill, models
from tinyhar.convert import integer
from tinyhar.convert.graph import read_graph
from tinyhar.counts import CountMap
from tinyhar.distill import Method
from tinyhar.errors import ModelError
from tinyhar.pipeline.explain import save_attention
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
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

TEACHER = "teacher/model.keras"
"""The first member; further ones stand beside it, numbered from 2."""
SNAPSHOT = "teacher/snapshot.npz"
"""A member's training as far as it went; all stay until the last member is trained."""
STUDENT = "student/model.keras"
PRUNED = "pruned/model.keras"
MEMORY = "teacher/memory.npz"
"""What the teacher remembers: patterns learned beside it, for SMLDist."""
INT8 = "int8/model.tflite"
CALIBRATED = "int8/calibrated.tflite"
"""The same pruned student, quantised by calibration alone: what training-aware int8 is worth."""

CALIBRATION_WINDOWS = 512


def check_networks(recipe: Recipe, window: int, channels: int, classes: int) -> None:
    """Build what the recipe asks for, and forget it: a wrong option shows before work starts.

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
            teacher = build(recipe.teacher, shape, recipe.teacher_seed)
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


def teach(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Train the teacher on labels alone, and beside it the memory that SMLDist asks for.

    The memory is the first member's, and leaves it as it is: all methods can share it.
    """
    trainer = Trainer(recipe, folder, data, progress, clip_of(recipe, data))
    members, histories = [], []
    numbers = range(1, recipe.teacher.members + 1)
    for number in numbers:
        seed = recipe.teacher_seed + 1000 * (number - 1)
        member = build(recipe.teacher, shape_of(data), seed)
        beside = None
        if number == 1 and models.anchors(member):
            beside = distill.Memorising(distill.Memory.untrained(member))
        history = trainer.fit(
            member,
            recipe.teacher.training,
            "teacher" if number == 1 else f"teacher {number}",
            method=beside,
            seed=seed,
            snapshot=_member(SNAPSHOT, number),
        )
        if beside:
            with folder.writing(MEMORY) as draft:
                beside.memory().save(draft)
        save(folder, _member(TEACHER, number), member)
        members.append(member)
        histories.append(history)
    for number in numbers:
        (folder / _member(SNAPSHOT, number)).unlink(missing_ok=True)
    looks = save_attention(folder, members[0], data, clip=trainer.clip)
    facts = facts_of(members[0], data, histories[0], trainer.clip)
    test = data.inputs(data.side("test"))
    scores = sum(distill.logits(member, test, clip=trainer.clip) for member in members)
    return {
        **facts,
        "parameters": facts["parameters"] * len(members),
        "macs": facts["macs"] * len(members),
        "predicted": np.argmax(scores, axis=1).tolist(),
        "attention": looks,
    }


def _member(name: str, number: int) -> str:
    """A member's file: the first has the plain name, the second a -2 in it, and so on."""
    stem, dot, ending = name.partition(".")
    return name if number == 1 else f"{stem}-{number}{dot}{ending}"


def distil(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Train the student with the teacher's help; where heads compete in it, choose one."""
    student = build(recipe.student, shape_of(data), recipe.seed)
    trainer = Trainer(recipe, folder, data, progress, clip_of(recipe, data))
    training, heads = recipe.student.training, recipe.distillation.heads
    if heads:
        student = distill.compete(student, heads, seed=recipe.seed)
    support = _help(recipe, folder)
    history = trainer.fit(student, training, "student", **support)
    facts: dict[str, Any] = {}
    if heads:
        facts["heads"] = _standing(student)
        progress.note(_told(facts["heads"]))
        student = distill.choose(student)
        settled = trainer.fit(student, _brief(training), "chosen", resumable=False, **support)
        facts["chosen_curve"] = curve_of(settled)
    save(folder, STUDENT, student)
    return {**facts_of(student, data, history, trainer.clip), **facts}


def prune(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Remove channels, or set small weights to zero, then train what is left.

    A student within its budget of parameters stays as it is.
    """
    student = load(folder, STUDENT)
    trainer = Trainer(recipe, folder, data, progress, clip_of(recipe, data))
    support = _help(recipe, folder)
    training, share = recipe.pruning.training, recipe.pruning.share
    history = None
    budget = recipe.pruning.parameters
    if budget is not None and models.total_cost(student).parameters <= budget:
        progress.note(f"nothing to prune: the student is within {budget:,} parameters")
    elif recipe.pruning.method == "channels":
        student = (
            compress.prune_channels(student, keep=1 - share)
            if budget is None
            else compress.prune_to(student, budget)
        )
        history = trainer.fit(student, training, "pruned", **support)
    elif recipe.pruning.method == "magnitude":
        steps = training.epochs * max(1, int(data.side("train").sum()) // training.batch)
        sparse = compress.sparsify(student, sparsity=share, steps=steps)
        history = trainer.fit(
            sparse.model, training, "pruned", before_step=sparse.step, resumable=False, **support
        )
        student = sparse.strip()
    save(folder, PRUNED, student)
    return facts_of(student, data, history, trainer.clip)


def quantise(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress
) -> dict[str, Any]:
    """Make the int8 model, and the one by calibration alone to compare it with."""
    student = load(folder, PRUNED)
    clip = clip_of(recipe, data)
    sample = _calibration(recipe, data)
    calibrated = compress.to_tflite(student, calibration=sample, clip=clip, isolated=False)
    folder.write_bytes(CALIBRATED, calibrated)
    history, deployed = None, calibrated
    if recipe.quantisation.method == "qat":
        aware = compress.quantise_aware(student, sample, clip=clip)
        trainer = Trainer(recipe, folder, data, progress, clip)
        history = trainer.fit(
            aware, recipe.quantisation.training, "int8", resumable=False, **_help(recipe, folder)
        )
        deployed = compress.to_tflite(aware, isolated=False)
    folder.write_bytes(INT8, deployed)
    facts = compress.inspect(deployed)
    return {
        "predicted": _answers(deployed, data),
        "calibrated": {"bytes": len(calibrated), "predicted": _answers(calibrated, data)},
        "method": recipe.quantisation.method,
        "operators": list(facts.operators),
        "input": [facts.input_scale, facts.input_zero_point],
        "output": [facts.output_scale, facts.output_zero_point],
        "curve": curve_of(history),
    }


def _help(recipe: Recipe, folder: RunFolder) -> dict[str, Any]:
    """The method and the teacher that stand by a student."""
    method = _method(recipe)
    if not method.needs_teacher:
        return {"method": method}
    memory = folder / MEMORY
    names = [_member(TEACHER, number) for number in range(1, recipe.teacher.members + 1)]
    teacher = distill.Teacher(
        [load(folder, name) for name in names],
        distill.Memory.load(memory) if memory.exists() else None,
    )
    return {"method": method, "teacher": teacher}


def _method(recipe: Recipe) -> Method:
    table = recipe.distillation
    options: dict[str, Any] = dict(table.options)
    if table.method == "hinton":
        options = {"temperature": table.temperature, "weight": table.weight, **options}
    return distill.method(table.method, **options)


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


def _calibration(recipe: Recipe, data: Prepared) -> np.ndarray:
    """Evenly chosen training windows, float32 [n, 1, time, channel]."""
    index = np.flatnonzero(data.side("train"))
    chosen = np.random.default_rng(recipe.seed).permutation(index)[:CALIBRATION_WINDOWS]
    return data.inputs(chosen)
