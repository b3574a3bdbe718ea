"""Where the teacher is right: judged on windows as recorded, not as they are changed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from tests.compress.test_structured import used
from tinyhar.distill import Examples, FitConfig, Teacher, fit, method
from tinyhar.distill.conditional import conditional_targets
from tinyhar.distill.method import RIGHT, Method, Outputs
from tinyhar.distill.together import Together

X = np.random.default_rng(0).normal(size=(64, 1, 32, 3)).astype(np.float32)
OPTIONS = {"widths": (8, 8), "depth": 1}


class Probe(Method):
    """Tells how often the teacher is right, as a loss."""

    name: ClassVar[str] = "probe"

    @property
    def judges_teacher(self) -> bool:
        return True

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        assert teacher is not None
        right = tf.reduce_mean(tf.cast(teacher[RIGHT], tf.float32))
        return {"right": right + 0.0 * tf.reduce_sum(student["logits"])}


@pytest.mark.parametrize("views", [0, 2])
def test_augmentation_and_mixing_do_not_change_the_verdict(views: int) -> None:
    teacher = used("separable", **OPTIONS)
    answers = teacher(X).numpy().argmax(axis=1)
    y = np.where(np.arange(64) % 4 == 0, (answers + 1) % 4, answers)  # wrong in every fourth
    history = fit(
        used("separable", **OPTIONS),
        Examples(X, y),
        Examples(X[:0], y[:0]),
        FitConfig(epochs=3, batch=16, mixup=0.5, views=views),
        method=Together([Probe(), method("none")]),
        teacher=Teacher(teacher),
        augment=lambda x, seed: -x,
    )
    for epoch in history.epochs:
        assert epoch.losses["probe right"] == pytest.approx(0.75)


def test_a_verdict_stands_above_what_the_teacher_says_of_the_changed_window() -> None:
    logits, targets = tf.constant([[3.0, 0.0], [3.0, 0.0]]), tf.constant([[1.0, 0.0], [1.0, 0.0]])
    q = conditional_targets(logits, targets, 2.0, 0.2, tf.constant([True, False])).numpy()
    assert q[0] == pytest.approx(tf.nn.softmax(logits[0] / 2.0).numpy())
    assert q[1] == pytest.approx([0.9, 0.1])
