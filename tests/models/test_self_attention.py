"""Self-attention HAR: its size, its maps, what it computes, and that a saved one comes back."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import anchors, build, sensor_attention, temporal_attention, with_anchors
from tinyhar.models.attention import DotProductAttention, WeightedSum, positions

TIME, CHANNELS, CLASSES = 20, 5, 3
SIZES = {"width": 16, "heads": 2, "feed_forward": 24, "filters": 8}
X = np.random.default_rng(0).normal(size=(7, 1, TIME, CHANNELS)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build("self_attention", TIME, CHANNELS, CLASSES, seed=1, **SIZES)


@pytest.mark.parametrize(
    ("window", "channels", "classes", "parameters"),
    [(100, 6, 12, 422_025), (128, 6, 6, 418_491)],
)
def test_it_has_the_papers_size(window: int, channels: int, classes: int, parameters: int) -> None:
    """About 422 k: 422,025 with USC-HAD's 6 channels and 12 classes, whatever the window."""
    assert build("self_attention", window, channels, classes).count_params() == parameters


def test_attention_maps_sum_to_one_along_their_axis(model: keras.Model) -> None:
    sensors = sensor_attention(model, X, batch=3)
    assert sensors.shape == (7, TIME, CHANNELS) and (sensors >= 0).all()
    np.testing.assert_allclose(sensors.sum(axis=2), 1.0, atol=1e-5)
    assert np.abs(sensors.sum(axis=1) - 1.0).max() > 0.1  # not along time
    times = temporal_attention(model, X, batch=3)
    assert times.shape == (7, TIME) and (times >= 0).all()
    np.testing.assert_allclose(times.sum(axis=1), 1.0, atol=1e-5)
    assert times.std() > 0


def test_maps_are_the_ones_that_decide(model: keras.Model) -> None:
    """From the map and the last block's features the logits follow."""
    features = with_anchors(model, ["stage2"])(X)["stage2"].numpy()[:, 0]
    pooled = np.einsum("nt,ntd->nd", temporal_attention(model, X), features)
    hidden = model.get_layer("head")(pooled)
    np.testing.assert_allclose(model.get_layer("logits")(hidden), model(X), atol=1e-5)
    normed = model.get_layer("sensor_norm")(X).numpy()[:, 0]
    weighed = keras.Model(model.input, model.get_layer("sensors").output)(X).numpy()[:, 0]
    np.testing.assert_allclose(weighed, normed * sensor_attention(model, X), atol=1e-6)


def test_a_model_without_attention_is_told() -> None:
    plain = build("ign", TIME, CHANNELS, CLASSES)
    with pytest.raises(ModelError, match=r"'ign' has no sensor attention"):
        sensor_attention(plain, X)
    with pytest.raises(ModelError, match=r"'ign' has no temporal attention"):
        temporal_attention(plain, X)


def test_inference_repeats_and_training_drops(model: keras.Model) -> None:
    assert np.array_equal(model(X, training=False), model(X, training=False))
    assert not np.allclose(model(X, training=True), model(X, training=False))


def test_a_reloaded_model_gives_equal_logits(model: keras.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again(X), model(X))
    assert np.array_equal(again(X, training=True), model(X, training=True))
    assert np.array_equal(sensor_attention(again, X), sensor_attention(model, X))


def test_blocks_end_in_normalised_anchors(model: keras.Model) -> None:
    assert anchors(model) == ("stage1", "stage2")
    features = with_anchors(model, ["stage1"])(X)["stage1"].numpy()
    assert features.shape == (7, 1, TIME, SIZES["width"])
    np.testing.assert_allclose(features.mean(axis=-1), 0.0, atol=1e-5)
    np.testing.assert_allclose(features.std(axis=-1), 1.0, atol=1e-3)


def test_dot_product_attention_is_the_equation() -> None:
    q, k, v = np.random.default_rng(1).normal(size=(3, 2, 1, 6, 8)).astype(np.float32)
    out = DotProductAttention(2)([q, k, v]).numpy()
    for head in (slice(0, 4), slice(4, 8)):
        scores = q[:, 0, :, head] @ k[:, 0, :, head].transpose(0, 2, 1) / 2.0
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(out[:, 0, :, head], weights @ v[:, 0, :, head], atol=1e-5)


def test_without_positions_attention_would_not_see_order() -> None:
    x = tf.constant(X)
    mixed = DotProductAttention(1)([x, x, x]).numpy()
    back = DotProductAttention(1)([x[:, :, ::-1]] * 3).numpy()[:, :, ::-1]
    np.testing.assert_allclose(mixed, back, atol=1e-5)
    table = positions(9, 6)
    assert table.shape == (9, 6)
    np.testing.assert_allclose(table[0], [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(table[4, [0, 3]], [np.sin(4.0), np.cos(4.0)], rtol=1e-6)
    assert table[4, 1] == pytest.approx(np.sin(4.0 / 10000 ** (2 / 6)))


def test_a_weighted_sum_of_equal_weights_is_the_mean() -> None:
    weights = np.full((7, 1, TIME, 1), 1.0 / TIME, np.float32)
    np.testing.assert_allclose(WeightedSum()([X, weights]), X.mean(axis=(1, 2)), atol=1e-6)


@pytest.mark.parametrize(
    ("channels", "options", "message"),
    [
        (1, {}, "1 channel"),
        (3, {"width": 18, "heads": 4}, "width 18, heads 4"),
        (3, {"width": 9, "heads": 3}, "even width"),
        (3, {"blocks": 0}, "blocks 0"),
    ],
)
def test_nonsense_is_refused(channels: int, options: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        build("self_attention", 16, channels, 3, **options)
