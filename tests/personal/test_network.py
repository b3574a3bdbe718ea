"""A student gets other classes: what it knew it answers as before, and only what may learns."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras as keras

from tests.personal.small import small_student, windows
from tinyhar import distill
from tinyhar.distill import Examples
from tinyhar.errors import ModelError
from tinyhar.personal.lesson import Lesson, teach
from tinyhar.personal.merge import merge
from tinyhar.personal.network import embedding, learning, widened


@pytest.fixture
def student():
    return small_student()


def test_old_classes_keep_their_logits_under_their_new_numbers(student) -> None:
    merged = merge(("a", "b", "c"), ("b", "new"), only_recorded=False)
    x = windows(5)
    before = distill.logits(student, x)
    features = distill.logits(embedding(student), x)
    means = np.tile(features.mean(axis=0), (4, 1))
    means[3] = features[0]
    after = distill.logits(widened(student, merged, means), x)
    assert after.shape == (5, 4)
    np.testing.assert_allclose(after[:, merged.of_base], before, rtol=1e-5, atol=1e-5)
    assert (
        after[:, 3].argmax()
        == distill.logits(embedding(student), x).dot(features[0] - means.mean(axis=0)).argmax()
    )


def test_a_head_without_a_bias_is_taken_on(student) -> None:
    """A cosine head that was chosen has none."""
    bare = keras.layers.Dense(3, use_bias=False, name="logits")
    unbiased = keras.Model(student.input, bare(embedding(student).output))
    merged = merge(("a", "b", "c"), ("new",))
    x = windows(4)
    after = distill.logits(widened(unbiased, merged, np.zeros((4, 16))), x)
    np.testing.assert_allclose(after[:, :3], distill.logits(unbiased, x), rtol=1e-5, atol=1e-5)


def test_classes_that_are_left_out_are_gone(student) -> None:
    merged = merge(("a", "b", "c"), ("c", "new"), only_recorded=True)
    x = windows(4)
    before = distill.logits(student, x)
    after = distill.logits(widened(student, merged, np.zeros((2, 16))), x)
    np.testing.assert_allclose(after[:, 0], before[:, 2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("trains", "stays"), [("head", "stage3_conv"), ("last", "stage2_conv")])
def test_frozen_layers_stay_as_they_were(student, trains: str, stays: str) -> None:
    before = {layer.name: [w.copy() for w in layer.get_weights()] for layer in student.layers}
    own, others = (
        Examples(windows(40, 1), np.arange(40) % 3),
        Examples(windows(40, 2), np.arange(40) % 3),
    )
    lesson = Lesson(trains=trains, epochs=1)
    teach(student, own, others, lesson, augment=None, clip=3.0)

    def same(name: str) -> bool:
        now = student.get_layer(name).get_weights()
        return all(np.array_equal(a, b) for a, b in zip(before[name], now, strict=True))

    names = [layer.name for layer in student.layers]
    assert all(same(name) for name in names[: names.index(stays) + 1])
    assert not same("logits")
    assert all(layer.trainable for layer in student.layers), "left as it was"


def test_all_layers_learn_when_asked(student) -> None:
    with learning(student, "all"):
        assert len(student.trainable_variables) == len(student.trainable_weights) > 10
    with learning(student, "head"):
        assert len(student.trainable_variables) == 2


def test_a_classifier_that_is_not_linear_is_refused(student) -> None:
    with pytest.raises(ModelError, match="ends in"):
        embedding(embedding(student))
