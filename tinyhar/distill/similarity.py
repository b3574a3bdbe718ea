"""Similarity-preserving: windows alike to the teacher are to be alike to the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs


def similarities(features: tf.Tensor) -> tf.Tensor:
    """G [batch, batch]: Q Q^T of flattened features Q, each row scaled to length 1.

    (Tung & Mori 2019, equations 1 and 2.) A rotation of feature space or another scale leaves it.
    """
    flat = tf.reshape(features, (tf.shape(features)[0], -1))
    return tf.math.l2_normalize(tf.matmul(flat, flat, transpose_b=True), axis=-1)


def similarity_preserving(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """||G_t - G_s||_F^2 / b^2 (equation 4)."""
    return tf.reduce_mean(tf.math.squared_difference(similarities(teacher), similarities(student)))


@dataclass
class SimilarityPreserving(FeatureMethod):
    """Tung & Mori 2019 at the last stage, with the paper's weight; shapes need not agree."""

    name: ClassVar[str] = "sp"
    needs_equal_time: ClassVar[bool] = False
    weight: float = 3000.0

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The sum over the stages."""
        return tf.add_n([similarity_preserving(teacher[s], student[s]) for s in self.stages])
