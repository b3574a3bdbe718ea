"""The training loop: a student (or a teacher), a method's losses, validation on unseen subjects.

Data stays in memory and every step is one call of one graph, traced once. All randomness comes
from (seed, epoch, step), so that the same seed gives the same weights and a training that was
interrupted goes on as if it had not been.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras
from sklearn.metrics import f1_score

from tinyhar.distill.augment import Augment
from tinyhar.distill.method import Method
from tinyhar.distill.plain import NoDistillation
from tinyhar.distill.schedule import Schedule, rate_at
from tinyhar.distill.snapshot import EpochReport, Snapshot, restore
from tinyhar.distill.step import Stepper
from tinyhar.distill.teacher import Teacher
from tinyhar.errors import DataError, ModelError


@dataclass(frozen=True)
class Examples:
    """Normalised windows x float32 [n, 1, time, channel] and their classes y int64 [n]."""

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        if self.x.ndim != 4 or self.x.shape[1] != 1 or len(self.x) != len(self.y):
            raise DataError(
                f"examples: x {self.x.shape}, y {self.y.shape}: "
                "expected x [n, 1, time, channel] and y [n]"
            )

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Seen:
    """What a teacher with other sensors sees of the training windows.

    Attributes:
        x: normalised windows float32 [n, 1, time, channel], the same movement in the same order.
        augment: changes them; the same seed as the student's windows, so that the pace agrees, and
            how sensors that both have are turned (see `Augment.like`).
        clip: they are clipped to +-clip; None: not.
    """

    x: np.ndarray
    augment: Augment | None = None
    clip: float | None = None


@dataclass(frozen=True)
class FitConfig:
    """How to train.

    Attributes:
        epochs: passes over the training windows.
        batch: windows a step.
        rate: the learning rate at its peak.
        schedule: "one-cycle", "cosine" or "constant".
        warmup: share of the steps in which "one-cycle" rises.
        weight_decay: AdamW's decay of kernels (biases and batch norm are left alone).
        mixup: a of Beta(a, a) by which windows are mixed in pairs (Zhang et al. 2018); 0: off.
        average: decay of the running mean of the weights that is validated and kept; 0: off.
        patience: settled epochs without a better validation macro-F1 before stopping; 0: never.
        balance: power of the inverse class frequency by which windows are drawn; 0: each once.
        settle: share of the epochs that pass before weights are worth keeping: while the rate is
            high, a few validation subjects praise some epochs by chance.
        views: epochs after which batches come again just as they came, so that what the teacher
            says is remembered instead of computed; 0: every epoch is augmented anew.
        seed: of order, augmentation and mixing.
    """

    epochs: int = 60
    batch: int = 64
    rate: float = 2e-3
    schedule: Schedule = "one-cycle"
    warmup: float = 0.1
    weight_decay: float = 0.01
    mixup: float = 0.0
    average: float = 0.0
    patience: int = 0
    balance: float = 0.0
    settle: float = 0.0
    views: int = 0
    seed: int = 0

    def view(self, epoch: int) -> int:
        """The epoch, both from 0, whose batches this one sees."""
        return epoch % self.views if self.views else epoch


@dataclass(frozen=True)
class History:
    """All epochs of a training, and which one's weights were kept (without validation the last)."""

    epochs: tuple[EpochReport, ...]
    best_epoch: int
    best_f1: float | None
    stopped_early: bool


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    config: FitConfig,
    *,
    method: Method | None = None,
    teacher: Teacher | None = None,
    augment: Augment | None = None,
    clip: float | None = None,
    seen: Seen | None = None,
    before_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    on_snapshot: Callable[[Snapshot], None] | None = None,
    resume: Snapshot | None = None,
) -> History:
    """Trains `model` in place and leaves in it the weights of the best validated epoch.

    With no validation windows every subject trains: the schedule is gone through to its end, and
    its last weights (or their running mean) are kept.

    Args:
        model: [batch, 1, time, channel] to logits [batch, classes].
        train: windows to learn from.
        validation: windows of subjects that are not in `train`; may be empty.
        config: how.
        method: losses; without one, plain cross-entropy.
        teacher: for methods that need one; sees the same augmented windows, or `seen`.
        augment: changes windows before both models see them.
        clip: windows are clipped to +-clip, as the int8 input will be; None: not.
        seen: the teacher's own view of the training windows.
        before_step: called with the step's number (from 0), for what changes while training.
        on_epoch: called after each epoch with its report.
        on_snapshot: called after each epoch with all that `resume` needs.
        resume: where an interrupted training was; the same arguments otherwise.

    Raises:
        DataError: empty or mismatched windows, or patience with nothing to validate on.
        ModelError: the method needs a teacher and there is none, or the snapshot does not fit.
    """
    method = method or NoDistillation()
    _check(model, train, validation, config)
    keras.utils.set_random_seed(config.seed)
    stepper = Stepper(model, train.x, train.y, config, method, teacher, augment, clip, seen)
    predict = _Predictor(model, clip)
    keep = _Keeper(model, stepper, int(config.settle * config.epochs), resume)
    steps = stepper.steps
    began = time.monotonic()
    resumed = len(keep.reports)
    for epoch in range(resumed, config.epochs):
        if keep.stalled(config.patience):
            break
        started = time.monotonic()
        losses = _epoch(stepper, config, epoch, before_step)
        with stepper.averaged():
            f1 = macro_f1(predict(validation.x), validation.y) if len(validation) else None
            keep.note(f1, epoch)
        now = time.monotonic()
        per_epoch = (now - began) / (epoch + 1 - resumed)
        report = EpochReport(
            epoch=epoch + 1,
            epochs=config.epochs,
            loss=sum(losses.values()),
            losses=losses,
            macro_f1=f1,
            best_f1=keep.best_f1,
            rate=_rate(config, (epoch + 1) * steps - 1, steps),
            seconds=now - started,
            eta_seconds=per_epoch * (config.epochs - epoch - 1),
        )
        keep.reports.append(report)
        if on_snapshot:
            on_snapshot(keep.snapshot())
        if on_epoch:
            on_epoch(report)
    keep.restore_best()
    stopped = len(keep.reports) < config.epochs
    return History(tuple(keep.reports), keep.best_epoch, keep.best_f1, stopped)


def logits(
    model: keras.Model, x: np.ndarray, *, clip: float | None = None, batch: int = 512
) -> np.ndarray:
    """float32 [n, classes] of windows [n, 1, time, channel], in inference mode."""
    return _Predictor(model, clip, batch)(x)


def macro_f1(scores: np.ndarray, y: np.ndarray) -> float:
    """Mean over the classes that occur in y or are predicted of each one's F1, 0 to 1."""
    return float(f1_score(y, scores.argmax(axis=1), average="macro", zero_division=0))


def _epoch(
    stepper: Stepper, config: FitConfig, epoch: int, before_step: Callable[[int], None] | None
) -> dict[str, float]:
    view = config.view(epoch)
    order = _order(stepper.y, config, view)
    batches = order[: stepper.steps * stepper.batch].reshape(stepper.steps, stepper.batch)
    sums: dict[str, tf.Tensor] = {}
    for i, batch in enumerate(batches):
        step = epoch * stepper.steps + i
        if before_step:
            before_step(step)
        rate = _rate(config, step, stepper.steps)
        losses = stepper.step(batch, step, rate, view=view * stepper.steps + i)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value
    means = {name: float(value) / stepper.steps for name, value in sums.items()}
    for name, value in means.items():
        if not np.isfinite(value):
            raise ModelError(
                f"training: loss {name!r} is {value} in epoch {epoch + 1}; lower the rate"
            )
    return means


def _order(y: np.ndarray, config: FitConfig, view: int) -> np.ndarray:
    random = np.random.default_rng([config.seed, view])
    if not config.balance:
        return random.permutation(len(y))
    weights = (1.0 / np.bincount(y)[y]) ** config.balance
    return random.choice(len(y), len(y), p=weights / weights.sum())


def _rate(config: FitConfig, step: int, steps: int) -> float:
    return rate_at(step / (config.epochs * steps), config.rate, config.schedule, config.warmup)


def _check(model: keras.Model, train: Examples, validation: Examples, config: FitConfig) -> None:
    if not len(train):
        raise DataError("training: there are no training windows")
    if config.patience and not len(validation):
        raise DataError(
            f"training: patience {config.patience} without validation windows: set it to 0, or "
            "hold subjects out (split.validation)"
        )
    classes = int(model.output_shape[-1])
    if int(train.y.max()) >= classes or int(train.y.min()) < 0:
        raise DataError(f"training: label {train.y.max()} with a model of {classes} classes")
    for part, examples in (("training", train), ("validation", validation)):
        if tuple(examples.x.shape[1:]) != tuple(model.input_shape[1:]):
            raise DataError(
                f"{part}: windows {examples.x.shape[1:]}, the model takes {model.input_shape[1:]}"
            )


class _Predictor:
    """A model's logits from a graph that is traced once."""

    def __init__(self, model: keras.Model, clip: float | None, batch: int = 512) -> None:
        windows = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        infer = tf.function(lambda x: model(x, training=False))
        self._run = infer.get_concrete_function(windows)
        self.clip, self.batch = clip, batch

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if self.clip is not None:
            x = np.clip(x, -self.clip, self.clip)
        starts = range(0, len(x), self.batch)
        return np.concatenate(
            [self._run(tf.constant(x[i : i + self.batch])).numpy() for i in starts]
        )


class _Keeper:
    """Remembers the best epoch, and turns the whole state to a snapshot and back."""

    def __init__(
        self, model: keras.Model, stepper: Stepper, settle: int, resume: Snapshot | None
    ) -> None:
        self.model = model
        self.stepper = stepper
        self.settle = settle
        self.best: tuple[np.ndarray, ...] = ()
        self.best_epoch = 0
        self.best_f1: float | None = None
        self.reports: list[EpochReport] = []
        if resume is not None:
            restore(self._variables(), resume.weights, "weights")
            restore(stepper.optimizer.variables, resume.optimizer, "optimiser's variables")
            restore(stepper.averages, resume.averages, "averages")
            self.best, self.best_epoch = resume.best, resume.best_epoch
            self.reports = list(resume.reports)
            self.best_f1 = max(self._settled(), default=None)

    def note(self, f1: float | None, epoch: int) -> None:
        """Keeps the weights now in model and method when they are the best yet."""
        # Of equals the later, better trained one; where nothing is validated, the latest.
        if epoch >= self.settle and (f1 or 0.0) >= (self.best_f1 or 0.0):
            self.best_f1, self.best_epoch = f1, epoch + 1
            self.best = tuple(v.numpy() for v in self._variables())

    def stalled(self, patience: int) -> bool:
        """Whether the last `patience` settled epochs brought nothing better than those before."""
        scores = self._settled()
        if not 0 < patience < len(scores):
            return False
        return max(scores[-patience:]) <= max(scores[:-patience])

    def _settled(self) -> list[float]:
        """Scores of the epochs whose weights were worth keeping."""
        late = (report for report in self.reports if report.epoch > self.settle)
        return [report.macro_f1 for report in late if report.macro_f1 is not None]

    def snapshot(self) -> Snapshot:
        """All that a resumed training needs."""
        return Snapshot(
            weights=tuple(v.numpy() for v in self._variables()),
            optimizer=tuple(v.numpy() for v in self.stepper.optimizer.variables),
            averages=tuple(v.numpy() for v in self.stepper.averages),
            best=self.best,
            best_epoch=self.best_epoch,
            reports=tuple(self.reports),
        )

    def restore_best(self) -> None:
        """Puts the best epoch's weights into model and method."""
        if self.best:
            restore(self._variables(), self.best, "best weights")

    def _variables(self) -> list[tf.Variable]:
        return [*self.model.weights, *self.stepper.extra]
