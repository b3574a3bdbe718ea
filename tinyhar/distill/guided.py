"""What the peers of SMLDist have in common: labels, a loss on features, and logits if asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill import losses
from tinyhar.distill.features import check_stage
from tinyhar.distill.method import Method, Outputs, Shapes
from tinyhar.errors import ModelError


@dataclass
class FeatureMethod(Method):
    """(1 - s) CE(labels) + w * features + s tau^2 KL(logits); `features` is the subclass's idea.

    Attributes:
        weight: w. Of the paper's and a tenth of it, the defaults are those that did better by
            cross-validation on one data set (the watch of SPSW), within what seeds differ by.
        stages: the anchors that are compared.
        soft: s, the share of Hinton's loss, 0 to 1; 0 as in the papers: none.
        temperature: tau of Hinton's loss.
        label_smoothing: of the labels.
    """

    needs_equal_time: ClassVar[bool] = True
    weight: float = 1.0
    stages: tuple[str, ...] = ("stage3",)
    soft: float = 0.0
    temperature: float = 4.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.weight < 0 or not 0 <= self.soft <= 1 or self.temperature <= 0 or not self.stages:
            raise ModelError(
                f"{self.name}: weight {self.weight}, soft {self.soft}, temperature "
                f"{self.temperature}, stages {list(self.stages)}: expected a weight of at least 0, "
                "soft from 0 to 1, a temperature above 0 and at least one stage"
            )

    @property
    def anchors(self) -> tuple[str, ...]:
        """The stages."""
        return tuple(self.stages)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """Checks the features' shapes."""
        for stage in self.stages if self.needs_equal_time else ():
            check_stage(self.name, stage, teacher, student)
        return []

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The method's own loss, unweighted."""
        raise NotImplementedError

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """{"label": ..., "features": ...} and, with `soft`, "logits"."""
        assert teacher is not None  # fit() checked
        smooth = losses.smoothed(targets, self.label_smoothing)
        label = losses.cross_entropy(smooth, student["logits"])
        parts = {
            "label": (1.0 - self.soft) * label,
            "features": self.weight * self.features(teacher, student),
        }
        if self.soft:
            soft = losses.hinton(teacher["logits"], student["logits"], self.temperature)
            parts["logits"] = self.soft * soft
        return parts
