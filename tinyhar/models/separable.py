"""The band's student: separable convolutions along time, scaled by width and depth.

A stem convolution that halves the time (or more), then three stages of depthwise (1, k) and
pointwise layers; each stage widens, and the second and third halve the time again. Conv, batch norm
and ReLU always come together, so that quantisation folds them into one int8 operator; the whole
model is CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D, RESHAPE and FULLY_CONNECTED.
"""

from __future__ import annotations

from collections.abc import Sequence

import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import blocks

WIDTHS = (24, 32, 48, 64)
"""Channels of the stem and of the three stages at width 1."""


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    width: float = 1.0,
    depth: int = 2,
    kernel: int = 7,
    stem_kernel: int = 9,
    stem_stride: int = 2,
    widths: Sequence[int] = WIDTHS,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; anchors stage1, stage2, stage3.

    Args:
        window: samples in time, at least 16.
        channels: sensor channels.
        classes: activities.
        width: factor on `widths`; the results are rounded to multiples of 4.
        depth: separable blocks a stage.
        kernel: samples that a depthwise layer sees.
        stem_kernel: samples that the first convolution sees.
        stem_stride: samples that it moves by.
        widths: channels of the stem and of each stage.
    """
    if depth < 1 or width <= 0 or len(widths) < 2 or stem_stride < 1:
        raise ModelError(
            f"separable: depth {depth}, width {width}, widths {tuple(widths)}, stem_stride "
            f"{stem_stride}: expected depth and stride >= 1, width > 0 and at least two widths"
        )
    stem, *stages = (blocks.to_multiple(w * width) for w in widths)
    inputs = keras.Input((1, window, channels), name="window")
    x = blocks.conv(inputs, stem, stem_kernel, stem_stride, act="relu", name="stem")
    for s, filters in enumerate(stages, start=1):
        for b in range(1, depth + 1):
            stride = 2 if b == 1 and s > 1 else 1
            last = b == depth
            x = blocks.depthwise(x, kernel, stride, act="relu", name=f"stage{s}_block{b}_depthwise")
            name = f"stage{s}" if last else f"stage{s}_block{b}_point"
            x = blocks.conv(x, filters, 1, act="relu", name=name)
    return keras.Model(inputs, blocks.classify(x, classes), name="separable")
