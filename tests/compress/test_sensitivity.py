"""Pruning by sensitivity: what is not missed goes first, and no more than must."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras as keras

from tests.compress.test_structured import MODELS, X, silence_half, used
from tinyhar.compress import prune_least_sensitive, prune_until
from tinyhar.compress.sensitivity import sensitivities
from tinyhar.compress.structured import channel_groups, with_channels
from tinyhar.models import total_cost


@pytest.mark.parametrize("name", sorted(MODELS))
def test_silent_channels_cost_nothing_and_go_first(name: str) -> None:
    model = used(name, **MODELS[name])
    spared = next(layer for layer, group in channel_groups(model).items() if group.free)
    gone = silence_half(model, spared)
    mine = next(s for s in sensitivities(model, X) if spared in s.layers)
    steps = gone // 4
    assert mine.divergence[:steps] == pytest.approx(np.zeros(steps), abs=1e-5)
    assert set(range(1, len(mine.order), 2)) <= set(mine.kept(steps))
    whole = total_cost(model).macs
    smaller = prune_least_sensitive(model, X, lambda m: total_cost(m).macs < whole)
    assert smaller is not None
    assert smaller(X).numpy() == pytest.approx(model(X).numpy(), abs=1e-4)


def test_a_channel_saves_what_it_says() -> None:
    model = used("separable", **MODELS["separable"])
    groups = channel_groups(model)
    for one in sensitivities(model, X):
        kept = {layer: np.arange(group.channels) for layer, group in groups.items()}
        kept |= dict.fromkeys(one.layers, one.kept(1))
        gone = len(one.order) - one.left[0]
        saved = total_cost(model).macs - total_cost(with_channels(model, kept)).macs
        assert saved == pytest.approx(gone * one.macs)
        assert all(left % 4 == 0 for left in one.left)
        assert one.price(len(one.left)) == np.inf


def test_groups_of_few_channels_are_left_alone() -> None:
    model = used("separable", widths=(4, 8), depth=1)
    assert all(len(one.order) > 4 for one in sensitivities(model, X))
    smallest = used("separable", widths=(4, 4), depth=1)
    assert sensitivities(smallest, X) == []
    assert prune_least_sensitive(smallest, X, lambda m: False) is None


def test_less_is_missed_than_of_an_even_cut() -> None:
    """Half of one layer is nearly silent: an even cut takes as much from the others."""
    model = used("separable", widths=(16, 24, 32), depth=1)
    norm = model.get_layer("stage2_bn")
    weights = norm.get_weights()
    weights[0][::2] *= 1e-3
    weights[1][::2] *= 1e-3
    norm.set_weights(weights)

    def small(candidate: keras.Model) -> bool:
        return total_cost(candidate).macs <= 0.8 * total_cost(model).macs

    even, chosen = prune_until(model, small), prune_least_sensitive(model, X, small)
    assert even is not None and chosen is not None
    truth = model(X).numpy()
    assert np.square(chosen(X).numpy() - truth).mean() < np.square(even(X).numpy() - truth).mean()


def test_what_cannot_fit_is_none_and_the_model_stays_as_it_was() -> None:
    model = used("separable", **MODELS["separable"])
    before = model(X).numpy()
    assert prune_least_sensitive(model, X, lambda m: False) is None
    assert np.array_equal(model(X).numpy(), before)
