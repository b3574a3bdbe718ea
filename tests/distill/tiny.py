"""Models and windows just big enough to train two steps on."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from tinyhar.distill import Examples, FitConfig

CLASSES = 3
CONFIG = FitConfig(epochs=1, batch=8, seed=3)
"""Two steps over EXAMPLES."""


def _examples() -> Examples:
    random = np.random.default_rng(0)
    x = random.normal(size=(16, 1, 16, 2)).astype(np.float32)
    return Examples(x, random.integers(0, CLASSES, 16))


EXAMPLES = _examples()


def tiny(width: int, *, seed: int = 0, stride: int = 2, stages: int = 3) -> keras.Model:
    """A convolution a stage; the first halves the time (or not)."""
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((1, 16, 2))
    for stage in range(1, stages + 1):
        step = (1, stride if stage == 1 else 1)
        x = keras.layers.Conv2D(
            width, (1, 3), step, "same", activation="tanh", name=f"stage{stage}"
        )(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="logits")(x), name="tiny")
