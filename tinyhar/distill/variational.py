"""Variational information distillation: how much of the teacher's features the student's tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.features import check_stage
from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs, Shapes
from tinyhar.distill.projection import Projection

START = 5.0
"""Of each variance before training (the authors' code)."""
LEAST = 1e-5
"""A variance stays above this."""


def uncertainty(teacher: tf.Tensor, guess: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
    """Mean of (log s2_c + (F_t - m(F_s))^2 / s2_c) / 2 (Ahn et al. 2019, equations 5 and 6).

    Args:
        teacher: F_t [batch, 1, time, channel].
        guess: m(F_s), of the same shape.
        variance: s2 [channel], above 0.
    """
    squares = tf.math.squared_difference(teacher, guess)
    return 0.5 * tf.reduce_mean(tf.math.log(variance) + squares / variance)


@dataclass
class Variational(FeatureMethod):
    """Ahn et al. 2019, with m a 1x1 convolution along time and a variance for each channel."""

    name: ClassVar[str] = "vid"
    stages: tuple[str, ...] = ("stage2", "stage3")
    _means: dict[str, Projection] = field(default_factory=dict, init=False, repr=False)
    _raw: dict[str, tf.Variable] = field(default_factory=dict, init=False, repr=False)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        """A regressor and the variances of each stage."""
        start = tf.math.log(tf.exp(START - LEAST) - 1.0)  # softplus of it is START
        for stage in self.stages:
            ours, theirs = check_stage(self.name, stage, teacher, student)
            self._means[stage] = Projection(f"vid/{stage}", ours, theirs)
            self._raw[stage] = tf.Variable(tf.fill([theirs], start), name=f"vid/{stage}/bias")
        regressors = [v for mean in self._means.values() for v in mean.variables]
        return [*regressors, *self._raw.values()]

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The sum over the stages."""
        return tf.add_n(
            [
                uncertainty(
                    teacher[stage],
                    self._means[stage](student[stage]),
                    tf.nn.softplus(self._raw[stage]) + LEAST,
                )
                for stage in self.stages
            ]
        )
