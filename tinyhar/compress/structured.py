"""Structured pruning: whole channels go, and a smaller ordinary Keras model stays.

Channels belong together where a layer only passes them on: a batch norm, an activation, a
depthwise convolution and pooling keep their input's channels, an addition or a gate ties two
tensors' channels. Each such group starts at convolutions and is pruned as one; the input's
channels and the logits stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models.blocks import HardSwish

layers = keras.layers
Importance = Literal["bn", "l1"]
Plan = TypeVar("Plan")


@dataclass
class ChannelGroup:
    """Channels that are kept or removed together: in all of `producers` the same ones."""

    channels: int
    producers: list[str] = field(default_factory=list)
    """Convolutions whose filters these channels are."""
    norms: list[str] = field(default_factory=list)
    """Batch norms on them."""
    free: bool = True
    """False for the input's channels and the logits."""


def channel_groups(model: keras.Model) -> dict[str, ChannelGroup]:
    """The group of each layer's output channels, by layer name.

    Raises ModelError for a layer of a kind whose channels cannot be followed.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents[name] != name:
            name = parents[name]
        return name

    for layer in model.layers:
        parents[layer.name] = layer.name
        for before in _inputs(layer) if _passes(layer) else []:
            parents[root(before)] = root(layer.name)
    groups: dict[str, ChannelGroup] = {}
    for layer in model.layers:
        group = groups.setdefault(root(layer.name), ChannelGroup(int(layer.output.shape[-1])))
        if _makes_channels(layer):
            group.producers.append(layer.name)
        elif isinstance(layer, layers.BatchNormalization):
            group.norms.append(layer.name)
        if isinstance(layer, (layers.InputLayer, layers.Dense)):
            group.free = False
    return {layer.name: groups[root(layer.name)] for layer in model.layers}


def channels_of(model: keras.Model) -> int:
    """How many channels there are to prune, each group of them counted once."""
    groups = {id(group): group for group in channel_groups(model).values()}
    return sum(group.channels for group in groups.values() if group.free)


def importance(model: keras.Model, group: ChannelGroup, by: Importance) -> np.ndarray:
    """[channels], larger for channels that matter more.

    "bn": the sum of |gamma| of the group's batch norms (Liu et al. 2017, "Network Slimming");
    "l1": the sum of the filters' absolute weights times |gamma| / sigma (Li et al. 2017, with the
    batch norm folded in: ours). A gate's filters do not count where others make the channel: they
    scale what those let through.
    """
    scores = np.zeros(group.channels)
    if by == "bn" and group.norms:
        for name in group.norms:
            scores += np.abs(model.get_layer(name).gamma.numpy())
        return scores
    for name in group.producers:
        layer = model.get_layer(name)
        weight = np.abs(layer.kernel.numpy()).sum(axis=(0, 1, 2))
        norm = _norm_after(layer)
        if norm is None and group.norms:
            continue
        if norm is not None:
            weight *= np.abs(norm.gamma.numpy()) / np.sqrt(
                norm.moving_variance.numpy() + norm.epsilon
            )
        scores += weight
    return scores


def prune_channels(
    model: keras.Model, keep: float, *, by: Importance = "l1", multiple: int = 4
) -> keras.Model:
    """A smaller model of the same architecture; fine-tune it.

    Args:
        model: convolutions, batch norms, activations, additions, gates, pooling, one dense end.
        keep: share of channels that stay in every group, above 0 up to 1.
        by: what makes a channel important.
        multiple: channel counts are rounded to this (kernels on the band want 4).
    """
    if not 0 < keep <= 1:
        raise ModelError(f"structured pruning: keep {keep}: expected above 0, at most 1")
    groups = channel_groups(model)
    chosen: dict[int, np.ndarray] = {}
    for group in groups.values():
        if id(group) not in chosen:
            chosen[id(group)] = _best(model, group, keep, by, multiple)
    return with_channels(model, {name: chosen[id(group)] for name, group in groups.items()})


def prune_until(
    model: keras.Model,
    fits: Callable[[keras.Model], bool],
    *,
    by: Importance = "l1",
    multiple: int = 4,
) -> keras.Model | None:
    """As `prune_channels`, keeping the largest share of channels that `fits`; None: no share does.

    Args:
        fits: whether a model is small enough; one that keeps more is never smaller.
    """
    shares = [percent / 100 for percent in range(100, 0, -1)]
    return first_that_fits(
        shares, lambda share: prune_channels(model, share, by=by, multiple=multiple), fits
    )


def first_that_fits(
    plans: Sequence[Plan],
    made: Callable[[Plan], keras.Model],
    fits: Callable[[keras.Model], bool],
) -> keras.Model | None:
    """What is made of the first of ever smaller plans that fits, by bisection; None: none does."""
    best, low, high = None, 0, len(plans) - 1
    while low <= high:
        middle = (low + high) // 2
        smaller = made(plans[middle])
        if fits(smaller):
            best, high = smaller, middle - 1
        else:
            low = middle + 1
    return best


def _best(
    model: keras.Model, group: ChannelGroup, keep: float, by: Importance, multiple: int
) -> np.ndarray:
    if not group.free:
        return np.arange(group.channels)
    count = min(group.channels, max(multiple, round(group.channels * keep / multiple) * multiple))
    return np.sort(np.argsort(-importance(model, group, by), kind="stable")[:count])


def with_channels(model: keras.Model, kept: dict[str, np.ndarray]) -> keras.Model:
    """The model with only the kept channels of each layer, weights and all."""
    config = model.get_config()
    for entry in config["layers"]:
        if "filters" in entry["config"]:
            entry["config"]["filters"] = len(kept[entry["config"]["name"]])
    smaller = type(model).from_config(config)
    for layer in model.layers:
        if layer.weights:
            before = kept[_inputs(layer)[0]]
            values = _slice(layer, before, kept[layer.name])
            smaller.get_layer(layer.name).set_weights(values)
    return smaller


def _slice(layer: keras.layers.Layer, before: np.ndarray, after: np.ndarray) -> list[np.ndarray]:
    values = layer.get_weights()
    if isinstance(layer, layers.DepthwiseConv2D):
        return [values[0][:, :, before], *(bias[after] for bias in values[1:])]
    if isinstance(layer, (layers.Conv2D, layers.Dense)):
        kernel = values[0][..., before, :][..., after]
        return [kernel, *(bias[after] for bias in values[1:])]
    return [value[after] for value in values]


def _inputs(layer: keras.layers.Layer) -> list[str]:
    before = layer.inbound_nodes[0].inbound_layers
    return [one.name for one in (before if isinstance(before, list) else [before])]


def _makes_channels(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, layers.Conv2D) and not isinstance(layer, layers.DepthwiseConv2D)


def _passes(layer: keras.layers.Layer) -> bool:
    """Whether the output's channels are the input's."""
    if isinstance(layer, _PASSING):
        return True
    if isinstance(layer, layers.Flatten) and layer.output.shape[-1] == layer.input.shape[-1]:
        return True  # of one sample in time: no channel moves
    if isinstance(layer, (layers.InputLayer, layers.Dense)) or _makes_channels(layer):
        return False
    raise ModelError(
        f"structured pruning cannot follow channels through layer {layer.name!r} "
        f"({type(layer).__name__}); prune by magnitude or change the architecture"
    )


def _norm_after(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    for node in layer.outbound_nodes:
        if isinstance(node.outbound_layer, layers.BatchNormalization):
            return node.outbound_layer
    return None


_PASSING = (
    layers.BatchNormalization,
    layers.Activation,
    layers.ReLU,
    HardSwish,
    layers.DepthwiseConv2D,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
    layers.Add,
    layers.Multiply,
    layers.Dropout,
)
