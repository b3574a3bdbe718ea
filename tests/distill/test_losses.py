"""Losses: equal means zero, gradients flow and point the right way, scale and shift do no harm."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tinyhar.distill import Hinton, NoDistillation, losses, method
from tinyhar.errors import ModelError

LOGITS = arrays(np.float32, (4, 5), elements=st.floats(-20, 20, width=32))


@settings(deadline=None, max_examples=30)
@given(LOGITS, st.floats(0.5, 20))
def test_hinton_is_zero_at_equality_and_never_below(z: np.ndarray, temperature: float) -> None:
    assert float(losses.hinton(z, z, temperature)) == pytest.approx(0.0, abs=1e-5)
    other = z[::-1].copy()
    assert float(losses.hinton(z, other, temperature)) >= -1e-5


@settings(deadline=None, max_examples=30)
@given(LOGITS, LOGITS, st.floats(-9, 9))
def test_hinton_ignores_a_shift_of_all_logits(a: np.ndarray, b: np.ndarray, shift: float) -> None:
    assert float(losses.hinton(a, b + np.float32(shift), 3.0)) == pytest.approx(
        float(losses.hinton(a, b, 3.0)), rel=1e-3, abs=1e-3
    )


def test_hintons_gradient_pulls_the_student_to_the_teacher() -> None:
    teacher = tf.constant([[2.0, 0.0, -1.0]])
    student = tf.Variable([[0.0, 1.0, 0.0]])
    before = float(losses.hinton(teacher, student, 2.0))
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = losses.hinton(teacher, student, 2.0)
        student.assign_sub(0.5 * tape.gradient(loss, student))
    assert float(losses.hinton(teacher, student, 2.0)) < 1e-4 < before


def test_hintons_gradient_keeps_its_size_over_temperatures() -> None:
    """What the factor tau^2 is for: at high temperature the gradient nears (z_s - z_t) / K."""
    teacher, student = tf.constant([[1.0, 0.0, -1.0]]), tf.Variable([[0.0, 0.0, 0.0]])
    for temperature in (20.0, 50.0):
        with tf.GradientTape() as tape:
            loss = losses.hinton(teacher, student, temperature)
        assert tape.gradient(loss, student).numpy() == pytest.approx(
            (student - teacher).numpy() / 3, abs=0.02
        )


def test_cross_entropy_of_a_mixture_is_the_mixture_of_cross_entropies() -> None:
    z = tf.constant([[0.3, -1.0, 2.0]])
    one, two = tf.constant([[1.0, 0.0, 0.0]]), tf.constant([[0.0, 0.0, 1.0]])
    mixed = float(losses.cross_entropy(0.3 * one + 0.7 * two, z))
    apart = 0.3 * float(losses.cross_entropy(one, z)) + 0.7 * float(losses.cross_entropy(two, z))
    assert mixed == pytest.approx(apart, rel=1e-5)


def test_smoothing_keeps_a_distribution_and_its_winner() -> None:
    smooth = losses.smoothed(tf.one_hot([1, 3], 4), 0.2).numpy()
    assert smooth.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert smooth.argmax(axis=1).tolist() == [1, 3]
    assert smooth.min() == pytest.approx(0.05)


def test_methods_by_name() -> None:
    assert method("hinton", temperature=2.0) == Hinton(temperature=2.0)
    assert not method("none").needs_teacher
    with pytest.raises(ModelError, match="hinton, none"):
        method("hinten")
    with pytest.raises(ModelError, match=r"tau.*temperature"):
        method("hinton", tau=3)
    with pytest.raises(ModelError, match="temperature 0"):
        method("hinton", temperature=0)


def test_weight_zero_of_hinton_is_no_distillation() -> None:
    targets = tf.one_hot([0, 2], 3)
    student = {"logits": tf.constant([[0.1, 0.2, 0.3], [1.0, -1.0, 0.0]])}
    teacher = {"logits": tf.constant([[5.0, 0.0, 0.0], [0.0, 0.0, 5.0]])}
    plain = NoDistillation().losses(None, student, targets)
    without = Hinton(weight=0.0).losses(teacher, student, targets)
    assert float(without["logits"]) == 0.0
    assert float(without["label"]) == pytest.approx(float(plain["label"]))
