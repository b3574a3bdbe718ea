"""Structured pruning by sensitivity: where channels are missed least, they go first.

Each group of channels is silenced alone, four more at a time, and the answers are compared with
those before: the analysis of Li et al. 2017 ("Pruning Filters for Efficient ConvNets", section
3.2), with the divergence of the answers instead of the accuracy. Groups then give up channels in
the order of what a multiplication saved costs; that they are judged one by one is an approximation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from tinyhar.compress.structured import (
    ChannelGroup,
    channel_groups,
    first_that_fits,
    importance,
    with_channels,
)
from tinyhar.models import total_cost
from tinyhar.models.duplicate import duplicate


@dataclass(frozen=True)
class Sensitivity:
    """One group of channels that are kept or removed together.

    Attributes:
        layers: whose output channels they are.
        order: the channels, the least important first.
        left: how many channels are left after each step.
        divergence: of the answers then, mean over windows, in nats (Kullback and Leibler's).
        macs: multiplications that a channel less saves.
    """

    layers: tuple[str, ...]
    order: NDArray[np.int64]
    left: tuple[int, ...]
    divergence: tuple[float, ...]
    macs: float

    def kept(self, steps: int) -> NDArray[np.int64]:
        """Channels that stay after so many steps, ascending."""
        left = len(self.order) if steps == 0 else self.left[steps - 1]
        return np.sort(self.order[len(self.order) - left :])

    def price(self, steps: int) -> float:
        """What the next step's saved multiplications cost, in nats each; infinite: no next one."""
        if steps == len(self.left):
            return np.inf
        before = self.divergence[steps - 1] if steps else 0.0
        channels = (self.left[steps - 1] if steps else len(self.order)) - self.left[steps]
        return max(self.divergence[steps] - before, 0.0) / (self.macs * channels)


def sensitivities(
    model: keras.Model, windows: NDArray[np.float32], *, multiple: int = 4
) -> list[Sensitivity]:
    """How much each group of more than `multiple` channels is missed.

    Args:
        model: as for :func:`tinyhar.compress.structured.prune_channels`.
        windows: of training subjects, normalised [n, 1, time, channel].
        multiple: channels that go at once, and the fewest that stay.
    """
    by_layer = channel_groups(model)
    groups = {
        id(group): group for group in by_layer.values() if group.free and group.channels > multiple
    }
    probe = duplicate(model)
    answers = tf.function(lambda x: tf.nn.log_softmax(probe(x, training=False)))
    x = tf.constant(windows)
    truth = answers(x)

    def divergence(group: ChannelGroup, silent: NDArray[np.int64]) -> float:
        before = _silence(probe, group, silent)
        found = tf.reduce_sum(tf.exp(truth) * (truth - answers(x)), axis=-1)
        for layer, weights in before.items():
            probe.get_layer(layer).set_weights(weights)
        return float(tf.reduce_mean(found))

    found = []
    for key, group in groups.items():
        layers = tuple(name for name, one in by_layer.items() if id(one) == key)
        order = np.argsort(importance(model, group, "l1"), kind="stable")
        first = (group.channels - 1) // multiple * multiple
        left = tuple(range(first, 0, -multiple))
        curve = tuple(divergence(group, order[: group.channels - n]) for n in left)
        found.append(Sensitivity(layers, order, left, curve, _macs(model, by_layer, layers, order)))
    return found


def prune_least_sensitive(
    model: keras.Model,
    windows: NDArray[np.float32],
    fits: Callable[[keras.Model], bool],
    *,
    multiple: int = 4,
) -> keras.Model | None:
    """A model that has lost the channels it misses least, as few as make it fit; fine-tune it.

    Args:
        model, windows, multiple: as for :func:`sensitivities`.
        fits: whether a model is small enough; one that keeps more is never smaller.

    Returns:
        None where not even `multiple` channels a group fit.
    """
    groups = sensitivities(model, windows, multiple=multiple)
    steps = [0] * len(groups)
    plans = [tuple(steps)]
    for _ in range(sum(len(group.left) for group in groups)):
        prices = [group.price(taken) for group, taken in zip(groups, steps, strict=True)]
        steps[int(np.argmin(prices))] += 1
        plans.append(tuple(steps))
    everything = {layer: np.arange(g.channels) for layer, g in channel_groups(model).items()}

    def made(plan: tuple[int, ...]) -> keras.Model:
        kept = dict(everything)
        for group, taken in zip(groups, plan, strict=True):
            kept |= dict.fromkeys(group.layers, group.kept(taken))
        return with_channels(model, kept)

    return first_that_fits(plans, made, fits)


def _silence(
    model: keras.Model, group: ChannelGroup, channels: NDArray[np.int64]
) -> dict[str, list[NDArray[np.float32]]]:
    """Make channels exactly zero; the weights before, by layer."""
    before = {name: model.get_layer(name).get_weights() for name in group.norms or group.producers}
    for name, weights in before.items():
        silent = [weight.copy() for weight in weights]
        # Of a batch norm, factor and offset; of a filter without one, its weights and its bias.
        for weight in silent[:2]:
            weight[..., channels] = 0
        model.get_layer(name).set_weights(silent)
    return before


def _macs(
    model: keras.Model,
    groups: dict[str, ChannelGroup],
    layers: tuple[str, ...],
    order: NDArray[np.int64],
) -> float:
    """Multiplications that one channel less of a group saves."""
    kept = {name: np.arange(group.channels) for name, group in groups.items()}
    kept |= dict.fromkeys(layers, np.sort(order[1:]))
    return float(total_cost(model).macs - total_cost(with_channels(model, kept)).macs)
