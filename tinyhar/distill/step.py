"""One training step as one traced graph: gather, augment, mix, teacher, student, losses, update."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tinyhar.distill.attach import attach
from tinyhar.distill.augment import Augment
from tinyhar.distill.method import Method, Outputs
from tinyhar.distill.teacher import Teacher, memory_key

if TYPE_CHECKING:
    from tinyhar.distill.train import FitConfig, Seen


MOST_REMEMBERED = 1 << 30
"""Bytes of a teacher's features that are remembered."""


_SWITCHES = ("/mask:0", "/threshold:0")
"""Weights of tfmot's pruning wrappers that say which others are zero: their means say nothing."""


class _View:
    """Windows as one of the models sees them."""

    def __init__(self, x: np.ndarray, augment: Augment | None, clip: float | None) -> None:
        self.x, self.augment, self.clip = tf.constant(x, tf.float32), augment, clip


class Stepper:
    """Holds the data, the optimiser and the traced step of one training."""

    def __init__(
        self,
        model: keras.Model,
        x: np.ndarray,
        y: np.ndarray,
        config: FitConfig,
        method: Method,
        teacher: Teacher | None,
        augment: Augment | None,
        clip: float | None,
        seen: Seen | None = None,
    ) -> None:
        self.y = y
        self.batch = min(config.batch, len(y))
        self.steps = len(y) // self.batch
        self.config, self.method = config, method
        self._own = _View(x, augment, clip)
        self._teachers = None if seen is None else _View(seen.x, seen.augment, seen.clip)
        attached = attach(method, model, teacher)
        self.student, self.teacher, self.extra = attached.student, attached.teacher, attached.extra
        self._targets = tf.one_hot(y, attached.classes)
        self.optimizer = _optimizer(config)
        self.trained = [*model.trainable_variables, *self.extra]
        self.optimizer.build(self.trained)
        self._averaged = [
            w for w in model.weights if w.dtype.is_floating and not w.name.endswith(_SWITCHES)
        ]
        self.averages = (
            [tf.Variable(w, trainable=False) for w in self._averaged] if config.average else []
        )
        self._recalled = self._room_for_answers()
        self._met: set[int] = set()
        self._graph = tf.function(self._step)

    def step(
        self, indices: np.ndarray, number: int, rate: float, *, view: int | None = None
    ) -> dict[str, tf.Tensor]:
        """Trains on the windows at `indices` [batch]; the losses by name.

        Args:
            number: of the step, from 0.
            view: what decides how the windows are changed; None: the step's number. The same view
                comes with the same indices, and its teacher is asked once.
        """
        view = number if view is None else view
        recall = bool(self._recalled) and view in self._met
        self._met.add(view)
        return self._graph(
            tf.constant(indices, tf.int32),
            tf.constant(number),
            tf.constant(view),
            tf.constant(rate, tf.float32),
            recall=recall,
        )

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the model holds the running mean of its weights (where that is on)."""
        kept = [w.numpy() for w in self._averaged] if self.averages else []
        for weight, average in zip(self._averaged, self.averages, strict=False):
            weight.assign(average)
        try:
            yield
        finally:
            for weight, value in zip(self._averaged, kept, strict=False):
                weight.assign(value)

    def _room_for_answers(self) -> dict[str, tf.Variable]:
        """Room for what the teacher says of each view, where views come again; features halved."""
        if not self.teacher or not self.config.views:
            return {}
        batches = min(self.config.views, self.config.epochs) * self.steps
        shapes = {k: s for k, s in self.teacher.shapes.items() if not k.startswith(memory_key(""))}
        rooms: dict[str, tf.Variable] = {}
        left = MOST_REMEMBERED
        for name in sorted(shapes, key=lambda k: (k != "logits", np.prod(shapes[k]))):
            kind = tf.float32 if name == "logits" else tf.float16
            size = kind.size * batches * self.batch * int(np.prod(shapes[name]))
            if name == "logits" or size <= left:
                room = tf.zeros([batches, self.batch, *shapes[name]], kind)
                rooms[name] = tf.Variable(room, trainable=False)
                left -= size
        return rooms

    def _ask_teacher(self, x: tf.Tensor, view: tf.Tensor, *, recall: bool) -> Outputs | None:
        """What the teacher says, or said of this view before.

        What is said the first time is rounded as what is recalled, so that a resumed training
        sees the same.
        """
        if not self.teacher:
            return None
        new = [name for name in self.teacher.shapes if not (recall and name in self._recalled)]
        said = self.teacher.say(x, new)
        for name, room in self._recalled.items():
            if not recall:
                room.scatter_nd_update([[view]], tf.cast(said[name], room.dtype)[None])
            # room[view] would copy all of a variable that is ever scattered into.
            said[name] = tf.cast(room.sparse_read(view), tf.float32)
        return said

    def _step(
        self,
        indices: tf.Tensor,
        number: tf.Tensor,
        view: tf.Tensor,
        rate: tf.Tensor,
        *,
        recall: bool,
    ) -> dict[str, tf.Tensor]:
        seed = tf.stack([self.config.seed, view])
        x, targets = self._inputs(self._own, indices, seed)
        other = x if self._teachers is None else self._inputs(self._teachers, indices, seed)[0]
        seen_by_teacher = self._ask_teacher(other, view, recall=recall)
        with tf.GradientTape() as tape:
            outputs = self.student(x, training=True)
            losses = self.method.losses(seen_by_teacher, outputs, targets)
            total = tf.add_n(list(losses.values()))
        gradients = tape.gradient(total, self.trained)
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply_gradients(zip(gradients, self.trained, strict=True))
        self._average(number)
        return losses

    def _inputs(
        self, view: _View, indices: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.gather(view.x, indices)
        targets = tf.gather(self._targets, indices)
        if view.augment is not None:
            x = view.augment(x, seed)
        if self.config.mixup:
            x, targets = mixed(x, targets, self.config.mixup, seed + 104729)
        if view.clip is not None:
            x = tf.clip_by_value(x, -view.clip, view.clip)
        return x, targets

    def _average(self, number: tf.Tensor) -> None:
        if not self.averages:
            return
        # The first steps average over fewer: else the start would weigh for ever (as in Adam).
        done = tf.cast(number, tf.float32) + 1.0
        decay = tf.minimum(self.config.average, done / (done + 9.0))
        for average, weight in zip(self.averages, self._averaged, strict=True):
            average.assign(decay * average + (1.0 - decay) * weight)


def mixed(
    x: tf.Tensor, targets: tf.Tensor, alpha: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Each window mixed with its neighbour in the (already random) batch by a ~ Beta(alpha, alpha).

    (Zhang et al. 2018, "mixup", equation 1; the larger share stays with the window itself.)
    """
    count = tf.shape(x)[0]
    a = tf.random.stateless_gamma([count], seed, alpha)
    b = tf.random.stateless_gamma([count], seed + 1, alpha)
    share = tf.maximum(a, b) / tf.maximum(a + b, 1e-9)
    wide = share[:, None, None, None]
    return (
        wide * x + (1.0 - wide) * tf.roll(x, 1, axis=0),
        share[:, None] * targets + (1.0 - share[:, None]) * tf.roll(targets, 1, axis=0),
    )


def _optimizer(config: FitConfig) -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.AdamW(
        learning_rate=config.rate, weight_decay=config.weight_decay, jit_compile=False
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
