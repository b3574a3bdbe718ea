"""No distillation: cross-entropy with the labels alone. The control of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill import losses
from tinyhar.distill.method import Method, Outputs


@dataclass(frozen=True)
class NoDistillation(Method):
    """Cross-entropy with the labels; how a teacher is trained, too."""

    name: ClassVar[str] = "none"
    needs_teacher: ClassVar[bool] = False
    label_smoothing: float = 0.0

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """{"label": cross-entropy}."""
        smoothed = losses.smoothed(targets, self.label_smoothing)
        return {"label": losses.cross_entropy(smoothed, student["logits"])}
