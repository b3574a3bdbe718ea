"""Attention transfer: the student is to be active at the moments when its teacher is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs


def attention_map(features: tf.Tensor) -> tf.Tensor:
    """Q [batch, time]: mean_c F^2 over time, scaled to length 1; features [batch, 1, time, c].

    (Zagoruyko & Komodakis 2017, section 3.1.) Widths need not agree, nor do scales matter.
    """
    return tf.math.l2_normalize(tf.reduce_mean(tf.square(features), axis=(1, 3)), axis=-1)


def attention_transfer(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """||Q_s - Q_t||^2, the mean over the batch (equation 2; squared as in the authors' code)."""
    difference = attention_map(student) - attention_map(teacher)
    return tf.reduce_mean(tf.reduce_sum(tf.square(difference), axis=-1))


@dataclass
class AttentionTransfer(FeatureMethod):
    """Zagoruyko & Komodakis 2017, activation-based, at each stage."""

    name: ClassVar[str] = "at"
    weight: float = 1.0
    stages: tuple[str, ...] = ("stage1", "stage2", "stage3")

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The sum over the stages."""
        return tf.add_n([attention_transfer(teacher[s], student[s]) for s in self.stages])
