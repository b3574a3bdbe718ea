"""Neuron selectivity transfer: when channels are active, as a distribution, not one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from tinyhar.distill.guided import FeatureMethod
from tinyhar.distill.method import Outputs


def discrepancy(teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
    """Squared maximum mean discrepancy of the channels' courses over time, the mean over the batch.

    Kernel k(x, y) = (x . y)^2 of courses of unit length (Huang & Wang 2017, equations 3 and 5, the
    polynomial kernel with d = 2, c = 0). Numbers of channels may differ, times must not.

    Args:
        teacher: F_t [batch, 1, time, channel].
        student: F_s [batch, 1, time, channel'].
    """
    theirs, ours = _courses(teacher), _courses(student)
    return _kernel(theirs, theirs) + _kernel(ours, ours) - 2.0 * _kernel(theirs, ours)


def _courses(features: tf.Tensor) -> tf.Tensor:
    """[batch, channel, time], each course of unit length; a silent channel's is 0."""
    return tf.math.l2_normalize(tf.transpose(features[:, 0], (0, 2, 1)), axis=-1, epsilon=1e-12)


def _kernel(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(tf.matmul(first, second, transpose_b=True)))


@dataclass
class Selectivity(FeatureMethod):
    """Huang & Wang 2017 at the last stage; widths need not agree, and nothing is learned for it."""

    name: ClassVar[str] = "nst"
    weight: float = 50.0

    def features(self, teacher: Outputs, student: Outputs) -> tf.Tensor:
        """The sum over the stages."""
        return tf.add_n([discrepancy(teacher[s], student[s]) for s in self.stages])
