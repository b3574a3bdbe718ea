"""Weights of four bits: convolutions whose channels take few values, as a numbered table of them.

Weight clustering leaves a layer at most 16 different weights; after batch norm is folded in and
each channel has its own int8 scale these are 16 for each channel, and mostly the same ones for many
channels. `firmware/engine/compiled/conv_clustered.c` is the other half.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.packing import QUAD_ORDER, channel_heads, padded_weights
from tinyhar.convert.parameters import Weighted

VALUES: Final = 16
"""Of a table: what four bits can number."""
_WORTH: Final = 0.75
"""A clustered layer is slower: it must take at most this share of the packed one's bytes."""
_REACH: Final = 0xFFFF
"""Bytes from a layer's data to a table."""


def pack_clustered(p: Weighted) -> bytes | None:
    """A layer that :func:`tinyhar.convert.packing.can_pack` as the engine reads clustered ones.

    Pairs of channels: two heads, where their tables are (bytes from here), then a byte an input
    with both channels' numbers; the tables of 16 int8 follow, each different one once.

    Returns:
        None where a channel has more than 16 values, or where it would not pay.
    """
    weights = padded_weights(p)
    pairs, inputs = len(weights) // 2, weights.shape[1]
    tables = _tables(weights)
    if tables is None:
        return None
    pair_bytes = struct.calcsize("<4i2H") + inputs
    size = pairs * pair_bytes + VALUES * len(set(map(bytes, tables)))
    if size > _REACH or size > _WORTH * pairs * (16 + 2 * inputs):
        return None
    places: dict[bytes, int] = {}
    for table in map(bytes, tables):
        places.setdefault(table, pairs * pair_bytes + VALUES * len(places))
    numbers = np.stack([np.searchsorted(t, w) for t, w in zip(tables, weights, strict=True)])
    both = (numbers[1::2] << 4 | numbers[0::2]).reshape(pairs, -1, 4)[:, :, QUAD_ORDER]
    heads = channel_heads(p)
    packed = b"".join(
        heads[2 * i : 2 * i + 2].tobytes()
        + struct.pack("<2H", *(places[bytes(t)] for t in tables[2 * i : 2 * i + 2]))
        + both[i].astype(np.uint8).tobytes()
        for i in range(pairs)
    )
    return packed + b"".join(places)


def _tables(weights: NDArray[np.int64]) -> list[NDArray[np.int8]] | None:
    """For each channel the 16 values, ascending, that its weights are among; None: too many.

    A channel whose values another one's table holds shares it.
    """
    values = [np.unique(row) for row in weights.astype(np.int8)]
    if max(map(len, values)) > VALUES:
        return None
    found: list[NDArray[np.int8]] = []
    chosen: dict[int, NDArray[np.int8]] = {}
    for channel in sorted(range(len(values)), key=lambda i: -len(values[i])):
        mine = values[channel]
        table = next((t for t in found if np.isin(mine, t).all()), None)
        if table is None:
            table = np.pad(mine, (0, VALUES - len(mine)), mode="edge")
            found.append(table)
        chosen[channel] = table
    return [chosen[i] for i in range(len(values))]
