"""Several methods at once: their losses add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.method import Method, Outputs, Shapes


class Together(Method):
    """The losses of all methods, each named after its method; variables and anchors of all."""

    name: ClassVar[str] = "together"

    def __init__(self, methods: Sequence[Method]) -> None:
        self.methods = tuple(methods)

    @property
    def teacher_anchors(self) -> tuple[str, ...]:
        """Of all, each once."""
        return tuple(dict.fromkeys(a for method in self.methods for a in method.teacher_anchors))

    @property
    def student_anchors(self) -> tuple[str, ...]:
        """Of all, each once."""
        return tuple(dict.fromkeys(a for method in self.methods for a in method.student_anchors))

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """Of all."""
        return [v for method in self.methods for v in method.build(teacher, student)]

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """For example "tsak semantic", "smldist memory"."""
        return {
            f"{method.name} {name}": loss
            for method in self.methods
            for name, loss in method.losses(teacher, student, targets).items()
        }
