"""Dropout from the batch itself: it drops its share, repeats exactly, and survives a resumption."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tinyhar.distill import EpochReport, Examples, FitConfig, Snapshot, fit
from tinyhar.models import build
from tinyhar.models.dropout import BatchSeededDropout

X = tf.random.stateless_normal((64, 1, 20, 8), (1, 2))


def test_it_drops_its_share_and_keeps_the_mean() -> None:
    out = BatchSeededDropout(0.3, seed=1)(X, training=True).numpy()
    kept = out != 0
    assert kept.mean() == pytest.approx(0.7, abs=0.02)
    np.testing.assert_allclose(out[kept], X.numpy()[kept] / 0.7, rtol=1e-6)


def test_the_batch_and_the_layers_seed_decide_the_mask() -> None:
    layer = BatchSeededDropout(0.5, seed=1)
    mask = layer(X, training=True).numpy() != 0
    assert np.array_equal(mask, layer(X, training=True).numpy() != 0)
    others = (
        layer(tf.tensor_scatter_nd_add(X, [[0, 0, 0, 0]], [1e-3]), training=True),
        BatchSeededDropout(0.5, seed=2)(X, training=True),
    )
    for other in others:  # masks that have nothing to do with each other agree on half
        assert (mask == (other.numpy() != 0)).mean() == pytest.approx(0.5, abs=0.03)


def test_it_is_the_identity_outside_training() -> None:
    layer = BatchSeededDropout(0.5, seed=1)
    assert np.array_equal(layer(X), X)
    assert np.array_equal(layer(X, training=False), X)
    assert layer.weights == []


def test_whether_it_trains_may_be_a_tensor() -> None:
    layer = BatchSeededDropout(0.5, seed=1)
    call = tf.function(lambda training: layer(X, training=training))
    assert np.array_equal(call(tf.constant(False)), X)
    assert np.array_equal(call(tf.constant(True)), layer(X, training=True))


def test_gradients_flow_where_values_were_kept() -> None:
    layer = BatchSeededDropout(0.5, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(X)
        out = layer(X, training=True)
    gradient = tape.gradient(out, X).numpy()
    assert np.array_equal(gradient, np.where(out.numpy() != 0, 2.0, 0.0))


class InterruptionError(Exception):
    pass


def test_a_resumed_training_with_dropout_repeats_bit_for_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    examples = Examples(random.normal(size=(48, 1, 12, 3)).astype(np.float32), np.arange(48) % 2)
    config = FitConfig(epochs=2, batch=16, seed=2)

    def small(seed: int) -> keras.Model:
        return build("gmp", 12, 3, 2, seed=seed, filters=4)

    whole = small(0)
    history = fit(whole, examples, examples, config)

    def stop(report: EpochReport) -> None:
        raise InterruptionError

    file = tmp_path / "snapshot.npz"
    with pytest.raises(InterruptionError):
        fit(small(0), examples, examples, config, on_epoch=stop, on_snapshot=lambda s: s.save(file))
    resumed = small(9)
    again = fit(resumed, examples, examples, config, resume=Snapshot.load(file))
    assert [r.loss for r in again.epochs] == [r.loss for r in history.epochs]
    for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(a, b)
