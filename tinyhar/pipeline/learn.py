"""The stages that train: teacher, distilled student, pruned student, int8 student.

Each leaves a model in the run folder and returns facts for the report. A training that was
interrupted goes on from the epoch where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import compress, distill, models
from tinyhar.convert import integer
from tinyhar.convert.graph import read_graph
from tinyhar.counts import CountMap
from tinyhar.distill import Augment, AugmentConfig, Examples, FitConfig, History, Method, Snapshot
from tinyhar.errors import DataError, ModelError
from tinyhar.pipeline.explain import save_attention
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.recipe import Network, Recipe, Training

TEACHER = "teacher/model.keras"
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
        student = _build(recipe.student, shape, recipe.seed)
        models.check_student(student)
    with _named("distillation"):
        method = _method(recipe)
    if method.needs_teacher:
        with _named("teacher"):
            teacher = _build(recipe.teacher, shape, recipe.seed)
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

    The memory leaves the teacher as it is: all methods can share it.
    """
    teacher = _build(recipe.teacher, _shape(data), recipe.seed)
    trainer = _Trainer(recipe, folder, data, progress, _clip(recipe, data))
    if models.anchors(teacher):
        beside = distill.Memorising(distill.Memory.untrained(teacher))
        history = trainer.fit(teacher, recipe.teacher.training, "teacher", method=beside)
        with folder.writing(MEMORY) as draft:
            beside.memory().save(draft)
    else:
        history = trainer.fit(teacher, recipe.teacher.training, "teacher")
    _save(folder, TEACHER, teacher)
    looks = save_attention(folder, teacher, data, clip=trainer.clip)
    return {**_facts(teacher, data, history, trainer.clip), "attention": looks}


def distil(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Train the student with the teacher's help; where heads compete in it, choose one."""
    student = _build(recipe.student, _shape(data), recipe.seed)
    trainer = _Trainer(recipe, folder, data, progress, _clip(recipe, data))
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
        facts["chosen_curve"] = _curve(settled)
    _save(folder, STUDENT, student)
    return {**_facts(student, data, history, trainer.clip), **facts}


def prune(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Remove channels, or set small weights to zero, then train what is left."""
    student = load(folder, STUDENT)
    trainer = _Trainer(recipe, folder, data, progress, _clip(recipe, data))
    support = _help(recipe, folder)
    training, share = recipe.pruning.training, recipe.pruning.share
    history = None
    if recipe.pruning.method == "channels":
        budget = recipe.pruning.parameters
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
    _save(folder, PRUNED, student)
    return _facts(student, data, history, trainer.clip)


def quantise(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress
) -> dict[str, Any]:
    """Make the int8 model, and the one by calibration alone to compare it with."""
    student = load(folder, PRUNED)
    clip = _clip(recipe, data)
    sample = _calibration(recipe, data)
    calibrated = compress.to_tflite(student, calibration=sample, clip=clip, isolated=False)
    folder.write_bytes(CALIBRATED, calibrated)
    history, deployed = None, calibrated
    if recipe.quantisation.method == "qat":
        aware = compress.quantise_aware(student, sample, clip=clip)
        trainer = _Trainer(recipe, folder, data, progress, clip)
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
        "curve": _curve(history),
    }


def load(folder: RunFolder, name: str) -> keras.Model:
    """A model that an earlier stage left.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / name
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: missing or damaged; run the recipe again") from error


class _Trainer:
    """Fits models to one run's windows, with snapshots in its folder."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        data: Prepared,
        progress: Progress,
        clip: float,
    ) -> None:
        self.recipe, self.folder, self.progress, self.clip = recipe, folder, progress, clip
        self.train, self.validation = (
            Examples(data.inputs(data.side(side)), data.y[data.side(side)])
            for side in ("train", "validation")
        )
        table = recipe.augmentation
        config = AugmentConfig(
            rotation=table.rotation, noise=table.noise, scale=table.scale, warp=table.warp
        )
        self.augment = Augment(
            config, data.channels, data.normalisation.mean, data.normalisation.std
        )

    def fit(
        self,
        model: keras.Model,
        training: Training,
        what: str,
        *,
        method: Method | None = None,
        teacher: distill.Teacher | None = None,
        before_step: Callable[[int], None] | None = None,
        resumable: bool = True,
    ) -> History:
        snapshot = self.folder / what / "snapshot.npz"
        history = distill.fit(
            model,
            self.train,
            self.validation,
            FitConfig(**training.model_dump(), seed=self.recipe.seed),
            method=method,
            teacher=teacher,
            augment=self.augment,
            clip=self.clip,
            before_step=before_step,
            on_epoch=lambda report: self.progress.epoch(what, report),
            on_snapshot=_keeper(snapshot) if resumable else None,
            resume=_resumed(snapshot) if resumable else None,
        )
        snapshot.unlink(missing_ok=True)
        return history


def _keeper(path: Path) -> Callable[[Snapshot], None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return lambda snapshot: snapshot.save(path)


def _resumed(path: Path) -> Snapshot | None:
    if not path.exists():
        return None
    try:
        return Snapshot.load(path)
    except (ModelError, DataError):
        return None  # a damaged snapshot costs the epochs since the start, nothing else


def _help(recipe: Recipe, folder: RunFolder) -> dict[str, Any]:
    """The method and the teacher that stand by a student."""
    method = _method(recipe)
    if not method.needs_teacher:
        return {"method": method}
    memory = folder / MEMORY
    teacher = distill.Teacher(
        [load(folder, TEACHER)], distill.Memory.load(memory) if memory.exists() else None
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


def _build(network: Network, shape: tuple[int, int, int], seed: int) -> keras.Model:
    options: dict[str, Any] = dict(network.options)
    return models.build(network.architecture, *shape, seed=seed, **options)


def _shape(data: Prepared) -> tuple[int, int, int]:
    return data.window, len(data.channels), len(data.classes)


def _clip(recipe: Recipe, data: Prepared) -> float:
    return compress.input_clip(data.inputs(data.side("train")), recipe.quantisation.clip)


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


def _save(folder: RunFolder, name: str, model: keras.Model) -> None:
    with folder.writing(name) as draft:
        model.save(draft)


def _facts(
    model: keras.Model, data: Prepared, history: History | None, clip: float
) -> dict[str, Any]:
    """Size, learning curve, and what the model says of the unseen subjects' windows."""
    cost = models.total_cost(model)
    scores = distill.logits(model, data.inputs(data.side("test")), clip=clip)
    return {
        "parameters": cost.parameters,
        "macs": cost.macs,
        "predicted": scores.argmax(axis=1).tolist(),
        "curve": _curve(history),
    }


def _curve(history: History | None) -> dict[str, Any] | None:
    if history is None:
        return None
    return {
        "epochs": [asdict(report) for report in history.epochs],
        "best_epoch": history.best_epoch,
        "best_f1": history.best_f1,
    }
