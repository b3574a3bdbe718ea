"""The teacher: MobileNetV3's inverted residual blocks along time (Howard et al. 2019).

A block expands pointwise, filters depthwise over k samples, optionally weighs its channels
(squeeze-excite), and projects linearly; it has a residual when its stride is 1 and its width does
not change. A stage is a run of blocks of one width; its end is an anchor, where a student may be
compared with its teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import blocks


@dataclass(frozen=True)
class Stage:
    """A run of blocks: their width, how many, their kernel (samples), first stride, expansion."""

    filters: int
    blocks: int
    kernel: int
    stride: int
    expand: float


STAGES = (
    Stage(filters=24, blocks=2, kernel=5, stride=1, expand=2),
    Stage(filters=40, blocks=2, kernel=7, stride=2, expand=3),
    Stage(filters=64, blocks=3, kernel=9, stride=2, expand=3),
)
"""About 190,000 parameters at width 1 and depth 1."""


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    width: float = 1.0,
    depth: float = 1.0,
    squeeze: bool = True,
    activation: str = "hard_swish",
    head: int = 128,
    stages: Sequence[Stage] = STAGES,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes]; anchors stage1, stage2, ...

    Args:
        window: samples in time.
        channels: sensor channels.
        classes: activities.
        width: factor on every stage's width, rounded to multiples of 8 (of others,
            oneDNN has no vector code for batch normalisation: training takes twice as long).
        depth: factor on every stage's number of blocks, at least one each.
        squeeze: whether blocks have a squeeze-excite gate.
        activation: "hard_swish", "relu" or "relu6".
        head: channels of the last pointwise convolution at width 1.
        stages: the stages.
    """
    if width <= 0 or depth <= 0:
        raise ModelError(f"mobilenetv3: width {width}, depth {depth}: expected both above 0")
    inputs = keras.Input((1, window, channels), name="window")
    x = blocks.conv(
        inputs, blocks.to_multiple(stages[0].filters * width, 8), 9, 2, act=activation, name="stem"
    )
    for s, stage in enumerate(stages, start=1):
        count = max(1, round(stage.blocks * depth))
        filters = blocks.to_multiple(stage.filters * width, 8)
        for b in range(1, count + 1):
            x = _block(
                x,
                filters,
                stage.kernel,
                stage.stride if b == 1 else 1,
                stage.expand,
                squeeze=squeeze,
                act=activation,
                prefix=f"stage{s}_block{b}",
                name=f"stage{s}" if b == count else f"stage{s}_block{b}",
            )
    x = blocks.conv(x, blocks.to_multiple(head * width, 8), 1, act=activation, name="head")
    return keras.Model(inputs, blocks.classify(x, classes), name="mobilenetv3")


def _block(
    x: tf.Tensor,
    filters: int,
    kernel: int,
    stride: int,
    expand: float,
    *,
    squeeze: bool,
    act: str,
    prefix: str,
    name: str,
) -> tf.Tensor:
    before = x
    width = blocks.to_multiple(before.shape[-1] * expand, 8)
    x = blocks.conv(x, width, 1, act=act, name=f"{prefix}_expand")
    x = blocks.depthwise(x, kernel, stride, act=act, name=f"{prefix}_depthwise")
    if squeeze:
        x = blocks.squeeze_excite(x, name=f"{prefix}_squeeze")
    residual = stride == 1 and before.shape[-1] == filters
    x = blocks.conv(x, filters, 1, act=None, name=f"{prefix}_project" if residual else name)
    if residual:
        x = keras.layers.Add(name=name)([before, x])
    return x
