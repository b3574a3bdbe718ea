"""Magnitude pruning: as many zeros as asked for, in a model that is ordinary again."""

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.compress import sparsify
from tinyhar.distill import Examples, FitConfig, fit
from tinyhar.errors import ModelError
from tinyhar.models import build

RANDOM = np.random.default_rng(0)
DATA = Examples(RANDOM.normal(size=(64, 1, 32, 4)).astype(np.float32), np.arange(64) % 2)


def zeros_of(model: keras.Model) -> float:
    pruned = [w for w in model.trainable_weights if "kernel" in w.name and "depth" not in w.name]
    return float(np.mean(np.concatenate([(w.numpy() == 0).ravel() for w in pruned])))


@pytest.mark.parametrize("average", [0.0, 0.998])
@pytest.mark.parametrize("validated", [True, False])
def test_zeros_come_while_training_and_stay(average: float, validated: bool) -> None:
    model = build("separable", 32, 4, 2, widths=(8, 12), depth=1, kernel=3)
    config = FitConfig(epochs=6, batch=16, average=average)
    sparse = sparsify(model, sparsity=0.6, steps=24)
    judges = DATA if validated else Examples(DATA.x[:0], DATA.y[:0])
    fit(sparse.model, DATA, judges, config, before_step=sparse.step)
    plain = sparse.strip()
    assert type(plain) is type(model)
    assert zeros_of(plain) == pytest.approx(0.6, abs=0.08)
    assert zeros_of(model) < 0.05


def test_nonsense_is_refused() -> None:
    model = build("separable", 32, 4, 2, widths=(8, 12), depth=1)
    with pytest.raises(ModelError, match=r"sparsity 1\.5"):
        sparsify(model, 1.5, 10)
