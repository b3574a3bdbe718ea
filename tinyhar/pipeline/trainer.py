"""Trains one model of a run: on its people, with its augmentation, resumable, told as facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import tf_keras as keras

from tinyhar import compress, distill, models
from tinyhar.distill import (
    Augment,
    AugmentConfig,
    Examples,
    FitConfig,
    History,
    Method,
    Seen,
    Snapshot,
)
from tinyhar.errors import DataError, ModelError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.recipe import Network, Recipe, Training


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


class Trainer:
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
        self.augment = _augment(recipe, data)
        self._data = data

    @cached_property
    def _seen(self) -> Seen | None:
        """The training windows through the teacher's sensors, where it has others."""
        teachers = self._data.teacher
        if teachers is None:
            return None
        train = teachers.inputs(teachers.side("train"))
        positions = [channel.position for channel in self._data.channels]
        augment = _augment(self.recipe, teachers, like=positions)
        return Seen(train, augment, clip_of(self.recipe, teachers))

    def fit(
        self,
        model: keras.Model,
        training: Training,
        what: str,
        *,
        method: Method | None = None,
        teacher: distill.Teacher | None = None,
        before_step: Callable[[int], None] | None = None,
        seed: int | None = None,
        resumable: bool = True,
        snapshot: str | None = None,
    ) -> History:
        """Trains `model` in place; see :func:`tinyhar.distill.fit`.

        Args:
            what: the training's name, for who watches and for its snapshot.
            seed: instead of the recipe's.
            snapshot: another name for the snapshot, which then stays until the caller removes it.
        """
        kept = self.folder / (snapshot or f"{what}/snapshot.npz")
        history = distill.fit(
            model,
            self.train,
            self.validation,
            FitConfig(**training.model_dump(), seed=self.recipe.seed if seed is None else seed),
            method=method,
            teacher=teacher,
            augment=self.augment,
            clip=self.clip,
            seen=self._seen if teacher else None,
            before_step=before_step,
            on_epoch=lambda report: self.progress.epoch(what, report),
            on_snapshot=(lambda snapshot: snapshot.save(kept)) if resumable else None,
            resume=_resumed(kept) if resumable else None,
        )
        if snapshot is None:
            kept.unlink(missing_ok=True)
        return history


def _augment(recipe: Recipe, data: Prepared, *, like: Sequence[str] = ()) -> Augment:
    table = recipe.augmentation
    config = AugmentConfig(
        rotation=table.rotation, noise=table.noise, scale=table.scale, warp=table.warp
    )
    norm = data.normalisation
    return Augment(config, data.channels, norm.mean, norm.std, like=like)


def _resumed(path: Path) -> Snapshot | None:
    if not path.exists():
        return None
    try:
        return Snapshot.load(path)
    except (ModelError, DataError):
        return None  # a damaged snapshot costs the epochs since the start, nothing else


def build(network: Network, shape: tuple[int, int, int], seed: int) -> keras.Model:
    """What a table of the recipe asks for, untrained; `shape`: window, channels, classes."""
    options: dict[str, Any] = dict(network.options)
    return models.build(network.architecture, *shape, seed=seed, **options)


def shape_of(data: Prepared) -> tuple[int, int, int]:
    """Window in samples, channels, classes."""
    return data.window, len(data.channels), len(data.classes)


def clip_of(recipe: Recipe, data: Prepared) -> float:
    """Where normalised inputs are clipped, as the int8 input will clip them."""
    return compress.input_clip(data.inputs(data.side("train")), recipe.quantisation.clip)


def save(folder: RunFolder, name: str, model: keras.Model) -> None:
    """Leave a model in the run folder, whole or not at all."""
    with folder.writing(name) as draft:
        model.save(draft)


def facts_of(
    model: keras.Model, data: Prepared, history: History | None, clip: float
) -> dict[str, Any]:
    """Size, learning curve, and what the model says of the unseen subjects' windows."""
    cost = models.total_cost(model)
    scores = distill.logits(model, data.inputs(data.side("test")), clip=clip)
    return {
        "parameters": cost.parameters,
        "macs": cost.macs,
        "predicted": scores.argmax(axis=1).tolist(),
        "curve": curve_of(history),
    }


def curve_of(history: History | None) -> dict[str, Any] | None:
    """A training as the report draws it; None where there was none."""
    if history is None:
        return None
    return {
        "epochs": [asdict(report) for report in history.epochs],
        "best_epoch": history.best_epoch,
        "best_f1": history.best_f1,
    }
