"""The peers: sizes as published, anchors, maps, saving, and which of them a band can run."""

from pathlib import Path

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import (
    DEPLOYABLE,
    MODELS,
    anchors,
    build,
    check_student,
    sensor_attention,
    temporal_attention,
    with_anchors,
)

PEERS = {
    "deep_conv_lstm": {"filters": 4, "units": 6},
    "gmp": {"input_norm": True},
    "ign": {},
    "tinier_har": {"blocks": 1, "units": 4},
}
X = np.random.default_rng(0).normal(size=(3, 1, 25, 3)).astype(np.float32)


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_ign_and_gmp_have_their_published_sizes() -> None:
    assert build("ign", 24, 3, 4).count_params() == 3064
    assert build("gmp", 24, 3, 4, input_norm=True).count_params() == 1528
    assert build("gmp", 48, 3, 4).count_params() == 1528 - 4


@pytest.mark.parametrize(("channels", "classes", "parameters"), [(6, 12, 7483), (3, 6, 4981)])
def test_tinier_har_has_the_sizes_its_authors_log(
    channels: int, classes: int, parameters: int
) -> None:
    """HAPT and USC-HAD, and WISDM; with 6 and 6 it is the 7.3 k of the yardsticks."""
    assert trainable(build("tinier_har", 128, channels, classes)) == parameters


def test_tinier_har_with_six_classes_is_the_yardstick() -> None:
    assert trainable(build("tinier_har", 150, 6, 6)) == 7285


def test_deep_conv_lstm_counts_as_by_hand() -> None:
    convolutions = (5 * 64 + 64) + 3 * (5 * 64 * 64 + 64)
    recurrent = 4 * 128 * (9 * 64 + 128 + 1) + 4 * 128 * (128 + 128 + 1)
    expected = convolutions + recurrent + 128 * 7 + 7
    assert build("deep_conv_lstm", 24, 9, 7).count_params() == expected


@pytest.mark.parametrize("name", sorted(PEERS))
def test_a_reloaded_peer_gives_equal_logits(name: str, tmp_path: Path) -> None:
    model = build(name, 25, 3, 4, seed=1, **PEERS[name])
    model(X, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again(X), model(X))
    assert np.array_equal(again(X, training=True), model(X, training=True))


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("deep_conv_lstm", (9, 12), (9, 6)), ("tinier_har", (6, 24), (6, 8))],
)
def test_recurrent_peers_have_anchors_along_time(
    name: str, first: tuple[int, int], second: tuple[int, int]
) -> None:
    model = build(name, 25, 3, 4, **PEERS[name])
    assert anchors(model) == ("stage1", "stage2")
    features = with_anchors(model, ["stage1", "stage2"])(X)
    assert features["stage1"].shape == (3, 1, *first)
    assert features["stage2"].shape == (3, 1, *second)


def test_tinier_har_shows_its_times_but_no_sensors() -> None:
    model = build("tinier_har", 25, 3, 4, seed=0, **PEERS["tinier_har"])
    weights = temporal_attention(model, X)
    assert weights.shape == (3, 6)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-5)
    with pytest.raises(ModelError, match="no sensor attention"):
        sensor_attention(model, X)


def test_gmp_takes_the_greatest_wherever_it_is() -> None:
    """Moved by some samples, with the same ends, a pulse gives the same logits."""
    model = build("gmp", 40, 3, 4, seed=0)
    x = np.zeros((2, 1, 40, 3), np.float32)
    x[0, 0, 12, 1], x[1, 0, 21, 1] = 3.0, 3.0
    one, moved = model(x).numpy()
    np.testing.assert_allclose(one, moved, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "window", "least"),
    [("deep_conv_lstm", 16, 17), ("gmp", 8, 9), ("ign", 17, 18), ("tinier_har", 3, 4)],
)
def test_a_window_too_short_is_told(name: str, window: int, least: int) -> None:
    with pytest.raises(ModelError, match=rf"{name}: window {window}: expected"):
        build(name, window, 3, 2)
    assert build(name, least, 3, 2, **PEERS[name]).output_shape == (None, 2)


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_deployable_students_pass(name: str) -> None:
    check_student(build(name, 32, 3, 2))


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("deep_conv_lstm", {}, "'lstm1' is recurrent"),
        ("tinier_har", {"blocks": 1}, "'gru' is recurrent"),
        ("self_attention", {"blocks": 1}, "'sensor_norm' is a LayerNormalization"),
    ],
)
def test_teachers_only_are_refused_as_students(
    name: str, options: dict[str, int], why: str
) -> None:
    with pytest.raises(ModelError, match=rf"{name}.*{why}.*gmp, ign, mobilenetv3.*separable"):
        check_student(build(name, 32, 3, 2, **options))


def test_every_architecture_is_deployable_or_refused() -> None:
    refused = {"deep_conv_lstm", "self_attention", "tinier_har", "tsak"}
    assert set(MODELS) == set(DEPLOYABLE) | refused


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("gmp", {"input_norm": True}, "'input_bn' follows no convolution"),
    ],
)
def test_options_can_bar_a_student(name: str, options: dict[str, object], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        check_student(build(name, 32, 3, 2, **options))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gmp", "ign"])
def test_stm_models_become_int8_that_says_the_same(name: str) -> None:
    from tinyhar.compress import inspect, quantise_aware, to_tflite
    from tinyhar.convert import integer
    from tinyhar.convert.graph import read_graph

    model = build(name, 48, 6, 4, seed=1)
    x = np.random.default_rng(0).normal(size=(64, 1, 48, 6)).astype(np.float32)
    model(x, training=True)  # batch norm has something to fold
    tflite = to_tflite(quantise_aware(model, x, clip=4.0), isolated=False)
    facts = inspect(tflite)
    q = np.round(np.clip(x, -4, 4) / facts.input_scale) + facts.input_zero_point
    logits = integer.run(read_graph(tflite), np.clip(q, -128, 127).astype(np.int8))
    restored = (logits.astype(np.float32) - facts.output_zero_point) * facts.output_scale
    assert np.corrcoef(restored.ravel(), model(x).numpy().ravel())[0, 1] > 0.995
