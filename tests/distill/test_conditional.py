"""The smoothed conditional rule: the teacher where it is right, the label where it errs."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.distill.tensors import SEEDS, descends
from tinyhar.distill import losses
from tinyhar.distill.conditional import conditional, conditional_targets

K = 4


def logits(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, (6, K)).astype(np.float32)


def onehot(classes: np.ndarray) -> np.ndarray:
    return np.eye(K, dtype=np.float32)[classes]


def test_the_rule() -> None:
    teacher = np.array([[4.0, 0, 0, 0], [4.0, 0, 0, 0]], np.float32)
    q = conditional_targets(teacher, onehot(np.array([0, 2])), 2.0, 0.2).numpy()
    assert q[0] == pytest.approx(tf.nn.softmax(teacher[0] / 2).numpy())
    assert q[1] == pytest.approx([0.05, 0.05, 0.85, 0.05])


@settings(max_examples=20)
@given(SEEDS, st.floats(0.5, 10), st.floats(0, 0.5))
def test_a_teacher_that_never_errs_is_hintons(
    seed: int, temperature: float, smoothing: float
) -> None:
    teacher, student = logits(seed), logits(seed + 1)
    right = onehot(teacher.argmax(axis=1))
    assert float(conditional(teacher, student, right, temperature, smoothing)) == pytest.approx(
        float(losses.hinton(teacher, student, temperature)), rel=1e-3, abs=1e-4
    )
    same = float(conditional(teacher, teacher, right, temperature, smoothing))
    assert same == pytest.approx(0.0, abs=1e-4)


@settings(max_examples=20)
@given(SEEDS, st.floats(-9, 9))
def test_a_shift_of_all_logits_does_not_matter(seed: int, shift: float) -> None:
    teacher, student = logits(seed), logits(seed + 1)
    targets = onehot(np.random.default_rng(seed).integers(0, K, 6))
    before = float(conditional(teacher, student, targets, 3.0, 0.1))
    assert before >= -1e-5
    moved = float(conditional(teacher + np.float32(shift), student - 1, targets, 3.0, 0.1))
    assert moved == pytest.approx(before, rel=1e-3, abs=1e-3)


def test_a_wrong_teacher_leaves_no_trace() -> None:
    targets = onehot(np.array([1]))
    one, other = np.float32([[5, 0, 0, 0]]), np.float32([[0, -9, 0, 2]])
    student = np.float32([[1, 2, 3, 4]])
    assert float(conditional(one, student, targets, 2.0, 0.1)) == float(
        conditional(other, student, targets, 2.0, 0.1)
    )


def test_an_unsmoothed_label_is_finite_and_gradients_flow() -> None:
    teacher, targets = logits(1), onehot(np.arange(6) % K)
    for smoothing in (0.0, 0.1):
        assert descends(lambda x, e=smoothing: conditional(teacher, x, targets, 2.0, e), logits(2))
