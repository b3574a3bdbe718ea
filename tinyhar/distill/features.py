"""Features [batch, 1, time, channel] of two models: may they be compared; their mean over time."""

from __future__ import annotations

import tensorflow as tf

from tinyhar.distill.method import Shapes
from tinyhar.errors import ModelError


def check_stage(method: str, stage: str, teacher: Shapes, student: Shapes) -> tuple[int, int]:
    """Widths of the student's and the teacher's features at `stage`.

    Raises ModelError unless both are [1, time, channel] with as many samples in time.
    """
    theirs, ours = teacher[stage], student[stage]
    if len(theirs) != 3 or len(ours) != 3 or theirs[:2] != ours[:2]:
        raise ModelError(
            f"method {method!r}, layer {stage!r}: the teacher's features are {list(theirs)}, the "
            f"student's {list(ours)}: expected [1, time, channel] of equal time; choose other "
            "stages, or strides that agree"
        )
    return ours[-1], theirs[-1]


def pooled(features: tf.Tensor) -> tf.Tensor:
    """[batch, channel]: the mean over time."""
    return tf.reduce_mean(features, axis=(1, 2))
