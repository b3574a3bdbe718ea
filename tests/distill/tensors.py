"""What the tests of losses share: features to draw, rotations, gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

SEEDS = st.integers(0, 2**32 - 1)


def features(seed: int, batch: int = 5, time: int = 12, width: int = 4) -> np.ndarray:
    """float32 [batch, 1, time, width], normal."""
    drawn = np.random.default_rng(seed).normal(size=(batch, 1, time, width))
    return drawn.astype(np.float32)


def rotation(seed: int, width: int) -> np.ndarray:
    """A random orthogonal matrix [width, width]."""
    square = np.random.default_rng(seed).normal(size=(width, width))
    return np.linalg.qr(square)[0].astype(np.float32)


def gradient(loss: Callable[[tf.Tensor], tf.Tensor], at: np.ndarray) -> np.ndarray:
    """The gradient of a loss at some student's features."""
    x = tf.Variable(at)
    with tf.GradientTape() as tape:
        value = loss(x)
    return np.asarray(tape.gradient(value, x))


def descends(loss: Callable[[tf.Tensor], tf.Tensor], at: np.ndarray) -> bool:
    """Whether a small step against the gradient lowers the loss, and no gradient is missing."""
    slope = gradient(loss, at)
    assert np.isfinite(slope).all()
    step = 1e-2 * at.std() * slope / np.linalg.norm(slope)
    return float(loss(tf.constant(at - step))) < float(loss(tf.constant(at)))
