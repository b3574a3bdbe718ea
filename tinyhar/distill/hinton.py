"""Hinton's logits distillation: the teacher's softened classes besides the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill import losses
from tinyhar.distill.method import Method, Outputs
from tinyhar.errors import ModelError


@dataclass(frozen=True)
class Hinton(Method):
    """(1 - w) CE(labels) + w tau^2 KL(teacher, student) (Hinton et al. 2015)."""

    name: ClassVar[str] = "hinton"
    temperature: float = 4.0
    weight: float = 0.9
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.weight <= 1:
            raise ModelError(
                f"hinton: temperature {self.temperature}, weight {self.weight}: "
                "expected a temperature above 0 and a weight from 0 to 1"
            )

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """{"label": ..., "logits": ...}."""
        assert teacher is not None  # fit() checked
        smoothed = losses.smoothed(targets, self.label_smoothing)
        label = losses.cross_entropy(smoothed, student["logits"])
        soft = losses.hinton(teacher["logits"], student["logits"], self.temperature)
        return {"label": (1.0 - self.weight) * label, "logits": self.weight * soft}
