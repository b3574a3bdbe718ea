"""The stage that makes the student smaller: channels go, or small weights; then few values stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import compress, models
from tinyhar.band import budget, cortex_m4
from tinyhar.errors import ModelError, ToolError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import PRUNED, STUDENT, calibration, support
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.pipeline.trainer import Trainer, build, clip_of, facts_of, load, save
from tinyhar.recipe import DEVICE_LIMITS, Pruning, Recipe

_SNAPSHOT = "pruned/snapshot.npz"
"""Kept until the stage is done: clustering, interrupted, does not prune again."""


def prune(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Prune as the recipe says, train what is left, then cluster its weights if it says so.

    A student within its budget keeps its channels.

    Raises:
        ModelError: a budget that no pruned student keeps; names the smallest one's cost.
        ToolError: a device's budget, and no tools to measure it with.
    """
    student = load(folder, STUDENT)
    trainer = Trainer(recipe, folder, data, progress, clip_of(recipe, data))
    helpers, training = support(recipe, folder), recipe.pruning.training
    history = None
    if recipe.pruning.method == "channels":
        smaller = _with_fewer_channels(recipe, student, calibration(recipe, data), trainer.clip)
        if smaller is None:
            progress.note(f"nothing to prune: the student is within {asked(recipe.pruning)}")
        else:
            student = smaller
            history = trainer.fit(student, training, "pruned", snapshot=_SNAPSHOT, **helpers)
    elif recipe.pruning.method == "magnitude":
        steps = training.epochs * max(1, int(data.side("train").sum()) // training.batch)
        sparse = compress.sparsify(student, sparsity=recipe.pruning.share, steps=steps)
        history = trainer.fit(
            sparse.model, training, "pruned", before_step=sparse.step, resumable=False, **helpers
        )
        student = sparse.strip()
    facts = facts_of(student, data, history, trainer.clip)
    values = recipe.clustering.values
    if values is not None and not compress.clusterable(student):
        progress.note("nothing to cluster: no layer has the weights to be worth it")
    elif values is not None:
        clustered = compress.cluster(student, values)
        table = recipe.clustering.training
        history = trainer.fit(clustered, table, "clustered", resumable=False, **helpers)
        student = compress.strip(clustered)
        after = facts_of(student, data, history, trainer.clip)
        facts["clustered"] = {"before": facts["predicted"], "curve": after["curve"]}
        facts["predicted"] = after["predicted"]
    save(folder, PRUNED, student)
    (folder / _SNAPSHOT).unlink(missing_ok=True)
    return facts


def check(recipe: Recipe, window: int, channels: int, classes: int) -> None:
    """Before anything is trained: whether a pruned student could keep the budget at all.

    Raises:
        ModelError, ToolError: as :func:`prune`.
    """
    table = recipe.pruning
    student = build(recipe.student, (window, channels, classes), recipe.seed)
    if recipe.clustering.values is not None:
        compress.cluster(student, recipe.clustering.values)
    if table.method != "channels":
        return
    smallest = compress.prune_channels(student, 0.01)
    if not table.budget:
        return
    if any(name in table.budget for name in DEVICE_LIMITS) and (
        missing := cortex_m4.missing_tools()
    ):
        raise ToolError(
            f"[pruning] of the recipe: a budget of {asked(table)} is measured on the emulated "
            f"Cortex-M4: `sudo apt install {' '.join(missing)}`"
        )
    random = np.random.default_rng(0).normal(size=(64, 1, window, channels))
    measured = _Measured(recipe, random.astype(np.float32), clip=4.0)
    if not measured(smallest):
        raise ModelError(f"[pruning] of the recipe: {measured.refusal()}")


def over_budget(recipe: Recipe, tflite: bytes) -> str:
    """Where the student that is deployed breaks a device's budget after all; empty: nowhere.

    It was measured before its last training: a few clamped values more cost a few instructions.
    """
    limits = {n: limit for n, limit in recipe.pruning.budget.items() if n in DEVICE_LIMITS}
    if not limits:
        return ""
    return budget.Budget(**limits).told(budget.cost_of(recipe.name, tflite, **recipe.overlap))


def asked(table: Pruning) -> str:
    """The budget in words: "24,576 bytes of flash, 15,000 parameters"."""
    return ", ".join(
        f"{limit:,} {budget.UNITS.get(name, name)}" for name, limit in table.budget.items()
    )


class _Measured:
    """Whether models keep a budget as they will be on the band; remembers the cost of the last."""

    def __init__(self, recipe: Recipe, sample: np.ndarray, clip: float) -> None:
        limits = recipe.pruning.budget
        self._parameters = limits.pop("parameters", None)
        self._limits = budget.Budget(**limits) if limits else None
        self._values = recipe.clustering.values
        self._kept = recipe.overlap
        self._sample, self._clip = sample, clip
        self._over = ""

    def __call__(self, model: keras.Model) -> bool:
        count = models.total_cost(model).parameters
        if self._parameters is not None and count > self._parameters:
            self._over = f"{count:,} parameters for {self._parameters:,}"
            return False
        if self._limits is None:
            return True
        if self._values is not None and compress.clusterable(model):
            model = compress.strip(compress.cluster(model, self._values))
        tflite = compress.to_tflite(
            model, calibration=self._sample, clip=self._clip, isolated=False
        )
        self._over = self._limits.told(budget.cost_of(model.name, tflite, **self._kept))
        return not self._over

    def refusal(self) -> str:
        """Of a budget that the smallest student, measured last, does not keep."""
        return (
            f"no student of this shape keeps the budget; the smallest takes {self._over}: "
            "raise the budget, or choose a smaller student"
        )


def _with_fewer_channels(
    recipe: Recipe, student: keras.Model, sample: np.ndarray, clip: float
) -> keras.Model | None:
    """The student as it is left; None: it is within its budget."""
    table = recipe.pruning
    if not table.budget and table.by != "sensitivity":
        return compress.prune_channels(student, keep=1 - table.share, by=table.by)
    measured = _Measured(recipe, sample, clip)
    fits: Callable[[keras.Model], bool] = measured
    if not table.budget:
        least = compress.channels_of(compress.prune_channels(student, 0.01))
        left = max(least, (1 - table.share) * compress.channels_of(student))
        fits = lambda model: compress.channels_of(model) <= left  # noqa: E731
    elif measured(student):
        return None
    if table.by == "sensitivity":
        smaller = compress.prune_least_sensitive(student, np.clip(sample, -clip, clip), fits)
    else:
        smaller = compress.prune_until(student, fits, by=table.by)
    if smaller is None:
        raise ModelError(f"[pruning] of the recipe: {measured.refusal()}")
    return smaller
