"""Weights as the compiled engine's kernels read them, and whether they can be packed at all.

The packed layouts hold sums of at most 24 bits and factors below one; the rest goes to the engine's
plain kernels. `firmware/engine/compiled/conv.c` and `depthwise.c` tell how the bytes are used.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.parameters import Weighted

_SUM_LIMIT: Final = 1 << 23
_DEEPEST_SHIFT: Final = 16

QUAD_ORDER: Final = (0, 2, 1, 3)
"""How four inputs' weights lie: bytes 0 and 2 spread to halves first."""


def folded_bias(p: Weighted) -> NDArray[np.int64]:
    """Bias per channel with the input's zero point folded in: sums then run over raw int8."""
    return p.bias - p.in_zero * _flat(p).sum(axis=1)


def _flat(p: Weighted) -> NDArray[np.int64]:
    return p.weights.reshape(len(p.weights), -1).astype(np.int64)


def sums_fit(p: Weighted) -> bool:
    """True if no input whatever drives a channel's sum, folded or partial, beyond 24 bits."""
    bias, flat = folded_bias(p), _flat(p)
    low = bias + np.minimum(-128 * flat, 127 * flat).sum(axis=1)
    high = bias + np.maximum(-128 * flat, 127 * flat).sum(axis=1)
    limits = np.concatenate([bias, low, high])
    return bool((np.abs(limits) < _SUM_LIMIT).all())


def without_dead_channels(p: Weighted) -> Weighted:
    """Channels whose factor is so small that they always give the zero point, as plain zeros.

    Such a channel (all its weights pruned, or its activation dead) would else need shifts that no
    packed kernel has.
    """
    bias, flat = folded_bias(p), _flat(p)
    span = np.abs(bias) + 128 * np.abs(flat).sum(axis=1)
    reach = span * p.multiplier / 2.0 ** (31 - np.minimum(p.shift, 0))
    dead = (p.shift <= 0) & (reach < 0.25)
    if not dead.any():
        return p
    keep = ~dead
    shaped = keep.reshape(-1, 1, 1, 1)
    return Weighted(
        p.window,
        np.where(shaped, p.weights, 0).astype(np.int8),
        np.where(keep, p.bias, 0),
        np.where(keep, p.multiplier, 1 << 30),
        np.where(keep, p.shift, -1),
        p.in_zero,
        p.out_zero,
        p.low,
        p.high,
        p.depthwise,
    )


def can_pack(p: Weighted) -> bool:
    """True if the packed kernel for this kind of layer can hold it: one row, factors below one.

    A factor of 1/2 and more (shift 0) is rounded once only; the linear kernels always round twice.
    """
    w = p.window
    least = 0 if p.low >= p.out_zero else 1
    if not w.input[0] == w.output[0] == w.kernel[0] == 1 or not sums_fit(p):
        return False
    if (p.shift > -least).any() or (p.shift < -_DEEPEST_SHIFT).any():
        return False
    if p.depthwise:
        return len(p.weights) >= 4
    aligned = w.dilation[1] == 1 or p.weights.shape[3] % 4 == 0
    return aligned and bool((p.weights > -128).all())


def _heads(p: Weighted) -> NDArray[np.int32]:
    """(bias * 256 + shift, multiplier) of each channel, int32 [channels, 2]."""
    heads = folded_bias(p) * 256 + (7 - p.shift)
    return np.stack([heads, p.multiplier], axis=1).astype("<i4")


def channel_heads(p: Weighted) -> NDArray[np.int32]:
    """What each channel's weights are preceded by, int32 [channels, 2]; a silent one makes the
    number of channels even."""
    heads = np.zeros((2 * -(-len(p.weights) // 2), 2), "<i4")
    heads[:, 0] = 8
    heads[: len(p.weights)] = _heads(p)
    return heads


def padded_weights(p: Weighted) -> NDArray[np.int64]:
    """[channels, inputs] with zeros to an even number of channels and to quads of inputs."""
    flat = _flat(p)
    channels, inputs = flat.shape
    return np.pad(flat, ((0, channels % 2), (0, -inputs % 4)))


def pack_convolution(p: Weighted) -> bytes:
    """Pairs of channels: two heads, then one 16-bit weight 256*w1 + w0 an input.

    Inputs come in quads, each as (0, 2), (1, 3): the order in which bytes spread to halves.
    """
    weights, heads = padded_weights(p), channel_heads(p)
    pairs = len(weights) // 2
    both = (256 * weights[1::2] + weights[0::2]).reshape(pairs, -1, 4)
    halves = both[:, :, QUAD_ORDER].reshape(pairs, -1).astype("<i2")
    return b"".join(heads[2 * i : 2 * i + 2].tobytes() + halves[i].tobytes() for i in range(pairs))


def pack_depthwise(p: Weighted) -> bytes:
    """Groups of four channels: four heads, then four weights a tap. The last group may overlap."""
    channels = len(p.weights)
    flat = p.weights.reshape(channels, -1)
    heads = _heads(p)
    parts = []
    for first in range(0, channels, 4):
        group = slice(min(first, channels - 4), min(first, channels - 4) + 4)
        parts.append(heads[group].tobytes() + np.ascontiguousarray(flat[group].T).tobytes())
    return b"".join(parts)


def pack_plain(p: Weighted) -> bytes:
    """The plain kernels' layout: bias, multiplier, shift of each channel, then int8 weights."""
    heads = np.stack([p.bias, p.multiplier, p.shift], axis=1)
    rows = b"".join(struct.pack("<3i", *(int(v) for v in row)) for row in heads)
    return rows + p.weights.tobytes()
