"""What the base student knows is not unlearned: it teaches the personal one where it is right.

Learning without forgetting (Li and Hoiem 2016) by SMLDist's conditional rule: of a rehearsed window
that the base student names rightly, the personal one takes over its soft answer; of all others it
learns the label. A class that the user recorded is never remembered: holding on to what the base
student said of it cost three points of macro-F1 (the combination is ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tinyhar.distill import Method
from tinyhar.distill.conditional import conditional
from tinyhar.distill.losses import cross_entropy
from tinyhar.distill.method import Outputs
from tinyhar.models.duplicate import duplicate
from tinyhar.personal.merge import GONE, Merged
from tinyhar.personal.network import HEAD, kernel_and_bias

NEVER = -30.0
"""The logit of a class that is not remembered."""


@dataclass(frozen=True)
class Remembering(Method):
    """(1 - w) CE(labels) + w tau^2 KL(base student where it is right, else label)."""

    name: ClassVar[str] = "remembering"
    weight: float = 0.5
    temperature: float = 2.0

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """{"label": ..., "memory": ...}."""
        assert teacher is not None  # fit() checked
        label = cross_entropy(targets, student["logits"])
        kept = conditional(teacher["logits"], student["logits"], targets, self.temperature, 0.0)
        return {"label": (1.0 - self.weight) * label, "memory": self.weight * kept}


def as_it_was(student: keras.Model, merged: Merged) -> keras.Model:
    """A copy of the base student that gives logits over the classes of `merged`.

    A class that it does not have, or that the user recorded, gets NEVER.
    """
    copy = duplicate(student)
    head = copy.layers[-1]
    was_kernel, was_bias = kernel_and_bias(head)
    kernel = np.zeros((len(was_kernel), len(merged.classes)), np.float32)
    bias = np.full(len(merged.classes), NEVER, np.float32)
    old = merged.unrecorded != GONE
    kernel[:, merged.unrecorded[old]] = was_kernel[:, old]
    bias[merged.unrecorded[old]] = was_bias[old]
    fresh = keras.layers.Dense(len(merged.classes), name=HEAD)
    wider = keras.Model(copy.input, fresh(head.input), name="as_it_was")
    fresh.set_weights([kernel, bias])
    return wider
