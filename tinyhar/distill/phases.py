"""In which steps a model trains on labels: most at once, TSAK's teacher in two (arXiv 2408.14146).

Stage 1 trains its three representations, each through its own classifier; stage 2 freezes them and
trains the semantic classifier over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import tensorflow as tf
import tf_keras as keras

from tinyhar.distill import losses
from tinyhar.distill.method import Method, Outputs
from tinyhar.distill.plain import NoDistillation
from tinyhar.models.tsak import REPRESENTATIONS, SEMANTIC


@dataclass
class Representations(Method):
    """L1 = CE(head of M) + CE(head of A) + CE(head of C): the three views, none before another."""

    name: ClassVar[str] = "representations"
    needs_teacher: ClassVar[bool] = False

    @property
    def anchors(self) -> tuple[str, ...]:
        """The three classifiers' scores."""
        return tuple(f"{view}_logits" for view in REPRESENTATIONS)

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Cross-entropy by representation."""
        return {
            view: losses.cross_entropy(targets, student[f"{view}_logits"])
            for view in REPRESENTATIONS
        }


@dataclass(frozen=True)
class Phase:
    """One training of a model on labels.

    Attributes:
        title: what is trained, after the model's name: "" for all of it.
        method: its losses.
        trains: which layers change, by name.
        share: of the training's epochs.
    """

    title: str = ""
    method: Method = field(default_factory=NoDistillation)
    trains: Callable[[str], bool] = lambda layer: True
    share: float = 1.0

    @contextmanager
    def applied(self, model: keras.Model) -> Iterator[None]:
        """Inside, only this phase's layers can be trained; others infer, batch norms and dropouts
        too."""
        before = [layer.trainable for layer in model.layers]
        rates: dict[keras.layers.Dropout, float] = {}
        for layer in model.layers:
            layer.trainable = self.trains(layer.name)
            inner = [layer, *layer.submodules] if not layer.trainable else []
            rates |= {one: one.rate for one in inner if isinstance(one, keras.layers.Dropout)}
        for dropout in rates:
            dropout.rate = 0.0
        try:
            yield
        finally:
            for layer, trainable in zip(model.layers, before, strict=True):
                layer.trainable = trainable
            for dropout, rate in rates.items():
                dropout.rate = rate


def phases(model: keras.Model) -> tuple[Phase, ...]:
    """The trainings that make a model, in order; the last one trains its logits."""
    if not any(layer.name.startswith(SEMANTIC) for layer in model.layers):
        return (Phase(),)
    return (
        Phase("representations", Representations(), lambda layer: not _semantic(layer)),
        Phase("semantic classifier", trains=_semantic, share=0.25),
    )


def _semantic(layer: str) -> bool:
    return layer == "logits" or layer.startswith(SEMANTIC)
