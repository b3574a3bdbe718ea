"""The memory that stands beside a teacher: patterns learned while it trains, frozen after."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tinyhar.distill import losses
from tinyhar.distill.features import pooled
from tinyhar.distill.memory import retrieve
from tinyhar.distill.method import Method, Outputs, Shapes
from tinyhar.errors import ModelError
from tinyhar.models import anchors, with_anchors
from tinyhar.npz import UNREADABLE

PATTERNS = 32
"""How many patterns a memory stores unless told otherwise (ours)."""


def inverse_temperature(width: int) -> float:
    """1 / sqrt(d): beta for states of this width (Ramsauer et al. 2021, as in attention)."""
    return 1.0 / float(width) ** 0.5


@dataclass(frozen=True)
class Memory:
    """Patterns float32 [N, d] over a model's features at anchor `stage`, averaged over time."""

    stage: str
    patterns: np.ndarray

    def __post_init__(self) -> None:
        if self.patterns.ndim != 2 or len(self.patterns) < 2:
            raise ModelError(
                f"memory of {self.stage!r}: patterns {list(self.patterns.shape)}: expected [N, d] "
                "with N above 1 (one pattern alone is always the answer)"
            )

    @classmethod
    def untrained(cls, model: keras.Model, patterns: int = PATTERNS) -> Memory:
        """Random patterns for the last anchor of `model`; ModelError when it has none."""
        stages = anchors(model)
        if not stages:
            raise ModelError(f"model {model.name!r} has no stage to remember features of")
        width = int(with_anchors(model, stages[-1:]).output[stages[-1]].shape[-1])
        random = np.random.default_rng([patterns, width])
        return cls(stages[-1], random.normal(size=(patterns, width)).astype(np.float32))

    def save(self, path: Path) -> None:
        """Writes an .npz."""
        np.savez(path, stage=np.array(self.stage), patterns=self.patterns)

    @classmethod
    def load(cls, path: Path) -> Memory:
        """Reads what `save` wrote; ModelError for anything else."""
        try:
            with np.load(path) as file:
                return cls(str(file["stage"]), file["patterns"])
        except UNREADABLE as error:
            raise ModelError(
                f"{path}: not a teacher's memory ({error}); train the teacher again"
            ) from error


@dataclass
class Memorising(Method):
    """Cross-entropy for a teacher, and a Hopfield memory that learns from its features (ours).

    The memory's own classifier, W M^T softmax(beta M f) + b, is trained on the labels; f does not
    pass its gradient on, so that the teacher becomes the same with and without a memory.
    """

    name: ClassVar[str] = "memorising"
    needs_teacher: ClassVar[bool] = False
    start: Memory
    label_smoothing: float = 0.0
    _patterns: tf.Variable = field(default=None, init=False, repr=False)
    _readout: tf.Variable = field(default=None, init=False, repr=False)
    _bias: tf.Variable = field(default=None, init=False, repr=False)

    @property
    def anchors(self) -> tuple[str, ...]:
        """The stage that is remembered."""
        return (self.start.stage,)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """Patterns [N, d] and the memory's classifier."""
        width, classes = self.start.patterns.shape[1], student["logits"][-1]
        if student[self.start.stage][-1] != width:
            raise ModelError(
                f"memory of {self.start.stage!r}: patterns are {width} wide, "
                f"the features {student[self.start.stage][-1]}"
            )
        self._patterns = tf.Variable(self.start.patterns, name="memory/patterns")
        self._readout = tf.Variable(tf.zeros((width, classes)), name="memory/readout")
        self._bias = tf.Variable(tf.zeros(classes), name="memory/bias")
        return [self._patterns, self._readout, self._bias]

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """{"label": the model's cross-entropy, "memory": the memory's}."""
        smoothed = losses.smoothed(targets, self.label_smoothing)
        state = tf.stop_gradient(pooled(student[self.start.stage]))
        answer = retrieve(state, self._patterns, inverse_temperature(state.shape[-1]))
        guess = tf.matmul(answer, self._readout) + self._bias
        return {
            "label": losses.cross_entropy(smoothed, student["logits"]),
            "memory": losses.cross_entropy(targets, guess),
        }

    def memory(self) -> Memory:
        """The patterns as they are now, to be kept."""
        return Memory(self.start.stage, self._patterns.numpy())
