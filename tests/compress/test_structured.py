"""Structured pruning: channels are really gone, and nothing else has changed."""

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.compress import prune_channels, prune_until
from tinyhar.compress.structured import channel_groups
from tinyhar.errors import ModelError
from tinyhar.models import build, total_cost

X = np.random.default_rng(0).normal(size=(3, 1, 32, 3)).astype(np.float32)


def used(name: str, **options: object) -> keras.Model:
    """A model whose batch norms have seen something, so that none is an identity."""
    model = build(name, 32, 3, 4, seed=1, **options)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


MODELS = {
    "separable": {"width": 0.5, "depth": 1},
    "mobilenetv3": {"width": 0.5, "depth": 0.6, "head": 32},
}


def silence_half(model: keras.Model, group_of: str) -> int:
    """Makes every second channel of a group exactly zero; how many."""
    group = channel_groups(model)[group_of]
    off = np.arange(0, group.channels, 2)
    for name in group.norms:
        layer = model.get_layer(name)
        weights = layer.get_weights()
        weights[0][off] = 0  # gamma
        weights[1][off] = 0  # beta: relu(0) is 0, and so is a sum of zeros
        layer.set_weights(weights)
    for name in group.producers if not group.norms else []:  # inside a gate
        layer = model.get_layer(name)
        layer.set_weights(
            [np.where(np.isin(np.arange(w.shape[-1]), off), 0, w) for w in layer.get_weights()]
        )
    return len(off)


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("by", ["l1", "bn"])
def test_silent_channels_go_and_the_outputs_stay(name: str, by: str) -> None:
    model = used(name, **MODELS[name])
    groups = {id(g): layer for layer, g in channel_groups(model).items() if g.free}
    for layer in groups.values():
        silence_half(model, layer)
    smaller = prune_channels(model, 0.5, by=by, multiple=1)
    assert smaller.count_params() < 0.5 * model.count_params()
    assert smaller(X).numpy() == pytest.approx(model(X).numpy(), abs=1e-4)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_widths_shrink_to_multiples_and_the_ends_stay(name: str) -> None:
    model = used(name, **MODELS[name])
    smaller = prune_channels(model, 0.6)
    assert total_cost(smaller).macs < total_cost(model).macs
    assert smaller.input_shape == model.input_shape
    assert smaller.output_shape == model.output_shape
    for layer in smaller.layers:
        if getattr(layer, "filters", None):
            assert layer.filters % 4 == 0
            assert layer.filters <= model.get_layer(layer.name).filters


def test_keeping_everything_changes_nothing() -> None:
    model = used("mobilenetv3", **MODELS["mobilenetv3"])
    assert prune_channels(model, 1.0, multiple=1)(X).numpy() == pytest.approx(model(X).numpy())


def test_the_original_is_left_alone() -> None:
    model = used("separable", **MODELS["separable"])
    before = model(X).numpy()
    prune_channels(model, 0.5)
    assert np.array_equal(model(X).numpy(), before)


def test_an_addition_ties_its_branches() -> None:
    model = used("mobilenetv3", **MODELS["mobilenetv3"], squeeze=False)
    groups = channel_groups(model)
    sums = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert sums
    for layer in sums:
        before = [one.name for one in layer.inbound_nodes[0].inbound_layers]
        assert all(groups[name] is groups[layer.name] for name in before)
        assert len(groups[layer.name].producers) >= 2


def test_pruning_to_a_budget_stays_just_within() -> None:
    model = used("separable", widths=(16, 24), depth=1)
    smaller = prune_until(model, lambda m: total_cost(m).parameters <= 800)
    assert smaller is not None
    assert 700 < total_cost(smaller).parameters <= 800
    assert prune_until(model, lambda m: total_cost(m).parameters <= 10) is None


def test_unimportant_channels_go_first() -> None:
    model = used("separable", **MODELS["separable"])
    norm = model.get_layer("stage1_bn")
    weights = norm.get_weights()
    weights[0][:] = np.where(np.arange(16) < 8, 5.0, 0.01)
    norm.set_weights(weights)
    smaller = prune_channels(model, 0.5, by="bn")
    assert smaller.get_layer("stage1_bn").gamma.numpy() == pytest.approx(np.full(8, 5.0))


def test_what_cannot_be_followed_is_named() -> None:
    inputs = keras.Input((1, 8, 4))
    x = keras.layers.Permute((1, 3, 2), name="swap")(keras.layers.Conv2D(8, 1)(inputs))
    with pytest.raises(ModelError, match="swap"):
        prune_channels(keras.Model(inputs, x), 0.5)
    with pytest.raises(ModelError, match="keep 0"):
        prune_channels(used("separable", **MODELS["separable"]), 0)
