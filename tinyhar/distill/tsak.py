"""TSAK's student: it learns from the representations and the scores of a teacher of many sensors.

(arXiv 2408.14146: which targets there are, and that the semantic classifier's scores are the
strongest; how representations are compared is ours.) Teacher and student see the same stretch of
movement, the student through fewer sensors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill import losses
from tinyhar.distill.features import pooled
from tinyhar.distill.method import Method, Outputs, Shapes
from tinyhar.distill.projection import Projection
from tinyhar.errors import ModelError
from tinyhar.models.tsak import REPRESENTATIONS


def likeness(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of two [batch, d], each row first brought to mean 0, deviation 1.

    Which is 2 (1 - their correlation): scale and offset of a representation mean nothing (ours).
    """
    return tf.reduce_mean(tf.math.squared_difference(_standard(student), _standard(teacher)))


def _standard(rows: tf.Tensor) -> tf.Tensor:
    rows = rows - tf.reduce_mean(rows, axis=-1, keepdims=True)
    return rows * tf.math.rsqrt(tf.reduce_mean(tf.square(rows), axis=-1, keepdims=True) + 1e-6)


@dataclass
class TSAK(Method):
    """label CE(labels) + semantic tau^2 KL(logits) + sum over views of weight x likeness.

    Attributes:
        label: weight of the cross-entropy with the labels.
        label_smoothing: of those labels.
        semantic: weight of SC-logit, the semantic classifier's softened scores.
        temperature: tau of those scores.
        attention: weight of the attention representation (Attn-Rep).
        causal: of the causal one (Causal-Rep).
        combined: of the combined one (Combi-Rep).
        stage: the student's anchor that is compared, averaged over time.
    """

    name: ClassVar[str] = "tsak"
    label: float = 0.1
    label_smoothing: float = 0.0
    semantic: float = 0.9
    temperature: float = 4.0
    attention: float = 0.0
    causal: float = 0.0
    combined: float = 0.0
    stage: str = "stage3"
    _projections: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        terms = ("label", "semantic", *REPRESENTATIONS)
        for term in terms:
            if getattr(self, term) < 0:
                raise ModelError(f"tsak: {term} {getattr(self, term)}: expected at least 0")
        if not any(getattr(self, term) for term in terms):
            raise ModelError("tsak: every term is switched off: give one of them a weight")
        if self.temperature <= 0:
            raise ModelError(f"tsak: temperature {self.temperature}: expected above 0")

    @property
    def teacher_anchors(self) -> tuple[str, ...]:
        """The representations that have a weight."""
        return tuple(view for view in REPRESENTATIONS if getattr(self, view))

    @property
    def student_anchors(self) -> tuple[str, ...]:
        """The stage, if any representation has a weight."""
        return (self.stage,) if self.teacher_anchors else ()

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """A projection of the student's stage to each representation."""
        self._projections = {
            view: Projection(f"tsak/{view}", student[self.stage][-1], teacher[view][-1])
            for view in self.teacher_anchors
        }
        return [v for projection in self._projections.values() for v in projection.variables]

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Those of "label", "semantic", "attention", "causal", "combined" that are on."""
        assert teacher is not None  # fit() checked
        parts = {}
        if self.label:
            smooth = losses.smoothed(targets, self.label_smoothing)
            parts["label"] = self.label * losses.cross_entropy(smooth, student["logits"])
        if self.semantic:
            soft = losses.hinton(teacher["logits"], student["logits"], self.temperature)
            parts["semantic"] = self.semantic * soft
        for view, projection in self._projections.items():
            ours = projection(pooled(student[self.stage]))
            parts[view] = getattr(self, view) * likeness(pooled(teacher[view]), ours)
        return parts
