"""Magnitude pruning with tfmot: single weights go to zero, the shape stays.

The band's kernels do not skip zeros, so this saves no instruction there; it makes what is stored
and sent compressible, and is a measure of how much slack a model has.
"""

from __future__ import annotations

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.duplicate import duplicate

_pruning = tfmot.sparsity.keras


class SparseModel:
    """A model that loses weights while it is trained: fit `model` with `step`, then strip.

    The share of zeros rises from 0 to `sparsity` over the first two thirds of `steps` (Zhu & Gupta
    2017, their cubic), and then stays while the rest recovers.
    """

    def __init__(self, model: keras.Model, sparsity: float, steps: int) -> None:
        if not 0 < sparsity < 1 or steps < 3:
            raise ModelError(
                f"magnitude pruning: sparsity {sparsity}, steps {steps}: "
                "expected a sparsity between 0 and 1 and at least 3 steps"
            )
        schedule = _pruning.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=sparsity,
            begin_step=0,
            end_step=max(1, 2 * steps // 3),
            frequency=max(1, steps // 100),
        )
        self.sparsity = sparsity
        self.model = _pruning.prune_low_magnitude(duplicate(model), pruning_schedule=schedule)
        self._counters = [
            layer.pruning_step for layer in self.model.layers if hasattr(layer, "pruning_step")
        ]

    def step(self, step: int) -> None:
        """Tells the masks how far training is: what `fit` takes as `before_step`."""
        for counter in self._counters:
            counter.assign(step)

    def strip(self) -> keras.Model:
        """The ordinary model, its small weights now zero for good: those that the mask left out,
        which a mean over training may have kept near zero."""
        for layer in self.model.layers:
            for kernel, _mask, _threshold in getattr(layer, "pruning_vars", ()):
                size = np.abs(kernel.numpy())
                kernel.assign(np.where(size > np.quantile(size, self.sparsity), kernel, 0))
        return _pruning.strip_pruning(self.model)


def sparsify(model: keras.Model, sparsity: float, steps: int) -> SparseModel:
    """A copy of `model` that loses the share `sparsity` of its weights over `steps` of training."""
    return SparseModel(model, sparsity, steps)
