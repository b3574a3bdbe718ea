"""Layers of few values: four bits a weight, nothing lost, and only where it pays."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.convert.tiny_models import random_model
from tinyhar.convert.clustered import VALUES, pack_clustered
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.packing import QUAD_ORDER, channel_heads, pack_convolution, padded_weights
from tinyhar.convert.parameters import Weighted, Window
from tinyhar.convert.step import CONV_CLUSTERED
from tinyhar.errors import ModelError

WINDOW = Window((1, 8), (1, 8), (1, 1), (1, 1), (1, 1), (0, 0))


def layer(weights: np.ndarray) -> Weighted:
    channels = len(weights)
    return Weighted(
        WINDOW,
        weights.astype(np.int8).reshape(channels, 1, 1, -1),
        np.arange(channels, dtype=np.int64),
        np.full(channels, 1 << 30, np.int64),
        np.full(channels, -1, np.int64),
        in_zero=-3,
        out_zero=5,
        low=-128,
        high=127,
        depthwise=False,
    )


def some_layer(seed: int, channels: int, inputs: int, values: int, tables: int) -> Weighted:
    random = np.random.default_rng(seed)
    sets = random.integers(-127, 128, (tables, values))
    rows = [random.choice(sets[random.integers(tables)], inputs) for _ in range(channels)]
    return layer(np.array(rows))


def unpacked(data: bytes, channels: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Heads and weights as a band would read them."""
    pairs = -(-channels // 2)
    quads = -(-inputs // 4)
    heads, rows = [], []
    for pair in range(pairs):
        at = pair * (20 + 4 * quads)
        heads += [struct.unpack_from("<2i", data, at), struct.unpack_from("<2i", data, at + 8)]
        places = struct.unpack_from("<2H", data, at + 16)
        numbers = np.frombuffer(data, np.uint8, 4 * quads, at + 20).reshape(quads, 4)
        numbers = numbers[:, np.argsort(QUAD_ORDER)].reshape(-1)
        for place, half in zip(places, (numbers & 15, numbers >> 4), strict=True):
            rows.append(np.frombuffer(data, np.int8, VALUES, place)[half])
    return np.array(heads), np.array(rows)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 200),
    st.integers(1, 16),
    st.integers(1, 4),
)
def test_nothing_is_lost_and_it_is_smaller(
    seed: int, channels: int, inputs: int, values: int, tables: int
) -> None:
    p = some_layer(seed, channels, inputs, values, tables)
    packed = pack_clustered(p)
    if packed is None:
        return
    assert len(packed) <= 0.75 * len(pack_convolution(p))
    heads, weights = unpacked(packed, channels, inputs)
    assert np.array_equal(heads, channel_heads(p))
    assert np.array_equal(weights, padded_weights(p))


def test_a_layer_of_sixteen_values_takes_little_more_than_half() -> None:
    p = some_layer(1, 48, 48, 16, 1)
    packed = pack_clustered(p)
    assert packed is not None
    assert len(packed) == 24 * (20 + 48) + 16
    assert len(packed) < 0.62 * len(pack_convolution(p))


def test_channels_share_a_table_that_holds_their_values() -> None:
    values = np.arange(-80, 80, 10)
    random = np.random.default_rng(0)
    weights = np.array([random.choice(values[: 16 - i % 4], 64) for i in range(16)])
    weights[0, :16] = values
    packed = pack_clustered(layer(weights))
    assert packed is not None
    assert len(packed) == 8 * (20 + 64) + 16


@pytest.mark.parametrize(("channels", "inputs", "values"), [(16, 64, 60), (16, 8, 16), (1, 4, 4)])
def test_too_many_values_or_too_few_weights_stay_as_they_are(
    channels: int, inputs: int, values: int
) -> None:
    assert pack_clustered(some_layer(3, channels, inputs, values, channels)) is None


def test_random_models_have_such_layers() -> None:
    """The engine's tests run those: this says that they are among them."""
    found = 0
    for seed in range(200):
        try:
            found += compile_model(random_model(seed)).kernels >> CONV_CLUSTERED & 1
        except ModelError:
            continue
    assert found > 2
