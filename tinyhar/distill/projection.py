"""A learned 1x1 projection from a student's width to its teacher's: in training only, then dropped.

Kept apart from the student, so that nothing of it reaches the band.
"""

from __future__ import annotations

import tensorflow as tf


class Projection:
    """Callable: features [..., width] to [..., to], linear with a bias, the same at each sample."""

    def __init__(self, name: str, width: int, to: int) -> None:
        # A seed of its own: the student's dropout and order must not depend on the method.
        start = tf.random.stateless_normal((width, to), (width, to)) / float(width) ** 0.5
        self.kernel = tf.Variable(start, name=f"{name}/kernel")
        self.bias = tf.Variable(tf.zeros(to), name=f"{name}/bias")

    @property
    def variables(self) -> list[tf.Variable]:
        """Kernel [width, to] and bias [to]."""
        return [self.kernel, self.bias]

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """tensordot, not @: see `Method.build`."""
        return tf.tensordot(features, self.kernel, 1) + self.bias
