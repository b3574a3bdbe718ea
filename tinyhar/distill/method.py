"""The hook where distillation methods come in: a teacher's and a student's outputs to named losses.

A method sees what both models put out for the same, augmented batch: a dict with "logits"
[batch, classes] and, for each anchor that it names, features [batch, 1, time, channel]. It returns
named scalar losses, already weighted; training minimises their sum and shows each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import tensorflow as tf

Outputs = Mapping[str, tf.Tensor]
"""What a model puts out for a batch: "logits" and anchor features by name."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of a model's outputs without the batch."""


class Method:
    """Base of all methods. A subclass sets what it needs and overrides `losses`."""

    name: ClassVar[str]
    needs_teacher: ClassVar[bool] = True

    @property
    def anchors(self) -> tuple[str, ...]:
        """Features wanted of both models besides the logits."""
        return ()

    @property
    def teacher_anchors(self) -> tuple[str, ...]:
        """Features wanted of the teacher, where they have other names there."""
        return self.anchors

    @property
    def student_anchors(self) -> tuple[str, ...]:
        """Features wanted of the student, where they have other names there."""
        return self.anchors

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """Variables that are trained along with the student and dropped after (projections).

        Called once before training, so that a mismatch of shapes is an error at once. Apply a
        projection [from, to] by `tf.tensordot(features, projection, 1)`: `features @ projection`
        (4-D by 2-D) overruns memory in TensorFlow 2.21's graphs on CPUs with oneDNN.
        """
        return []

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Weighted scalar losses by name. `targets`: probabilities [batch, classes]."""
        raise NotImplementedError
