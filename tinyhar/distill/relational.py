"""Relational distillation: distances and angles between windows, not the features themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.features import pooled
from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs
from tinyhar.errors import ModelError


def huber(difference: tf.Tensor) -> tf.Tensor:
    """Mean of x^2 / 2 where |x| <= 1, else |x| - 1/2 (Park et al. 2019, equation 6)."""
    size = tf.abs(difference)
    return tf.reduce_mean(tf.where(size <= 1.0, 0.5 * tf.square(size), size - 0.5))


def distances(features: tf.Tensor) -> tf.Tensor:
    """[batch, batch]: Euclidean, over their mean between different windows (equation 5)."""
    squares = tf.reduce_sum(tf.square(_between(features)), axis=-1)
    apart = tf.where(squares > _TINY, tf.sqrt(tf.maximum(squares, _TINY)), 0.0)
    batch = tf.cast(tf.shape(features)[0], tf.float32)
    return tf.math.divide_no_nan(apart * batch * (batch - 1.0), tf.reduce_sum(apart))


def angles(features: tf.Tensor) -> tf.Tensor:
    """[batch j, batch i, batch k]: the cosine of the angle at j between i and k (equation 8)."""
    directions = tf.math.l2_normalize(_between(features), axis=-1, epsilon=_TINY)
    return tf.matmul(directions, directions, transpose_b=True)


def _between(features: tf.Tensor) -> tf.Tensor:
    return features[None, :] - features[:, None]


_TINY = 1e-12
"""Squared distances below are none: a root has no gradient at zero."""


@dataclass
class Relational(FeatureMethod):
    """Park et al. 2019 on the mean over time of the last stage; widths need not agree.

    Both relations stay under rotation, shift and scaling of feature space. The angles take
    batch^3 values: 1 MB at a batch of 64.
    """

    name: ClassVar[str] = "rkd"
    needs_equal_time: ClassVar[bool] = False
    distance: float = 25.0
    angle: float = 50.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distance < 0 or self.angle < 0:
            raise ModelError(
                f"rkd: distance {self.distance}, angle {self.angle}: expected at least 0"
            )

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """distance * Huber(distances) + angle * Huber(angles), the sum over the stages."""
        return tf.add_n([self._relations(teacher[s], student[s]) for s in self.stages])

    def _relations(self, teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
        theirs, ours = pooled(teacher), pooled(student)
        loss = tf.constant(0.0)
        if self.distance:
            loss += self.distance * huber(distances(ours) - distances(theirs))
        if self.angle:
            loss += self.angle * huber(angles(ours) - angles(theirs))
        return loss
