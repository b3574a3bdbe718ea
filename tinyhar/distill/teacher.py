"""A frozen teacher: one model, or several whose logits are averaged, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras as keras

from tinyhar.distill.memorise import Memory
from tinyhar.distill.method import Shapes
from tinyhar.errors import ModelError
from tinyhar.models import with_anchors


def memory_key(stage: str) -> str:
    """Under which name a teacher puts out the patterns [N, d] of its memory of a stage."""
    return f"memory/{stage}"


class Teacher:
    """Callable: x [batch, 1, time, channel] -> "logits" and anchor features, without gradient.

    Features come from the first model: averaging features of networks that were trained apart
    would mix unrelated channels. `memory`, of that model, comes out with every batch, too.
    """

    def __init__(
        self, models: keras.Model | Sequence[keras.Model], memory: Memory | None = None
    ) -> None:
        self.models = tuple(models) if isinstance(models, (list, tuple)) else (models,)
        if not self.models:
            raise ModelError("a teacher needs at least one model")
        self._first = with_anchors(self.models[0])
        self.memory = memory

    def with_anchors(self, names: Sequence[str]) -> Teacher:
        """The same teacher giving these features, too."""
        wider = Teacher(self.models, self.memory)
        wider._first = with_anchors(self.models[0], names)
        return wider

    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """The teacher's view of a batch."""
        return self.say(x, list(self.shapes))

    def say(self, x: tf.Tensor, names: Sequence[str]) -> dict[str, tf.Tensor]:
        """These of its outputs for a batch; what none of them needs is not computed."""
        said = {}
        memory = memory_key(self.memory.stage) if self.memory else None
        if any(name != memory for name in names):
            said = dict(self._first(x, training=False))
        if "logits" in names:
            rest = [model(x, training=False) for model in self.models[1:]]
            said["logits"] = tf.add_n([said["logits"], *rest]) / float(len(self.models))
        if self.memory is not None:
            said[memory] = tf.constant(self.memory.patterns)
        return {name: tf.stop_gradient(said[name]) for name in names}

    @property
    def shapes(self) -> Shapes:
        """Shapes of the outputs without the batch; of the memory [N, d]."""
        shapes = shapes_of(self._first)
        if self.memory is not None:
            shapes[memory_key(self.memory.stage)] = tuple(self.memory.patterns.shape)
        return shapes


def shapes_of(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Shapes, without the batch, of a model whose output is a dict."""
    return {name: tuple(out.shape[1:]) for name, out in model.output.items()}
