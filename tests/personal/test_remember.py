"""The base student teaches what it knew of classes that nobody recorded again, and only that."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.personal.small import small_student, windows
from tinyhar import distill
from tinyhar.distill import Examples
from tinyhar.personal.course import personalise
from tinyhar.personal.lesson import Lesson
from tinyhar.personal.merge import merge
from tinyhar.personal.remember import NEVER, Remembering, as_it_was


@pytest.fixture
def student():
    return small_student()


def test_only_classes_that_were_not_recorded_are_remembered(student) -> None:
    merged = merge(("a", "b", "c"), ("b", "new"))
    x = windows(6)
    before, was = distill.logits(student, x), distill.logits(as_it_was(student, merged), x)
    np.testing.assert_allclose(was[:, [0, 2]], before[:, [0, 2]], rtol=1e-5, atol=1e-5)
    assert (was[:, [1, 3]] == NEVER).all()


def test_the_copy_does_not_learn_with_the_student(student) -> None:
    merged = merge(("a", "b", "c"), ("new",))
    x = windows(4)
    copy = as_it_was(student, merged)
    before = distill.logits(copy, x)
    student.layers[1].set_weights([w + 1 for w in student.layers[1].get_weights()])
    np.testing.assert_array_equal(distill.logits(copy, x), before)


def test_a_soft_answer_is_followed_where_it_is_right_and_the_label_where_not() -> None:
    targets = tf.one_hot([0, 1], 3)
    teacher = tf.constant([[2.0, 1.0, NEVER], [2.0, 1.0, NEVER]])
    method = Remembering(weight=1.0)
    agreeing = {"logits": tf.constant([[2.0, 1.0, NEVER], [0.0, 40.0, 0.0]])}
    assert float(method.losses({"logits": teacher}, agreeing, targets)["memory"]) < 1e-4
    sure = {"logits": tf.constant([[40.0, 0.0, 0.0], [2.0, 1.0, NEVER]])}
    assert float(method.losses({"logits": teacher}, sure, targets)["memory"]) > 1


@pytest.mark.parametrize("recorded", [("new",), ("a", "b", "c")])
def test_teaching_goes_with_and_without_something_to_remember(student, recorded) -> None:
    merged = merge(("a", "b", "c"), recorded)
    count = len(merged.classes)
    own = Examples(windows(30, 1), merged.of_recorded[np.arange(30) % len(recorded)])
    others = Examples(windows(60, 2), np.arange(60) % 3)
    taught = personalise(student, own, others, merged, Lesson(epochs=1), augment=None, clip=3.0)
    losses = taught.history.epochs[0].losses
    assert set(losses) == ({"label", "memory"} if count > 3 else {"label"})
