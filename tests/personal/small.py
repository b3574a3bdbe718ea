"""A small student and windows that it could be given."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from tinyhar import models

WINDOW, CHANNELS = 32, 3


def small_student() -> keras.Model:
    """Of three classes."""
    return models.build("separable", WINDOW, CHANNELS, 3, seed=1, width=0.25, depth=1)


def windows(count: int, seed: int = 0) -> np.ndarray:
    """Noise, float32 [count, 1, WINDOW, CHANNELS]."""
    shape = (count, 1, WINDOW, CHANNELS)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
