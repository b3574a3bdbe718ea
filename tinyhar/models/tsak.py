"""TSAK's teacher: attention, causal and combined views of many sensors (arXiv 2408.14146).

That these three representations are learned first, and a semantic classifier over them after, is
the paper's; its layers are ours. With x the window [time, channel]:

    A = encoder(x), weighed by multi-head self-attention over time
    C = left-padded, dilated convolutions of x: nothing of it knows a later sample
    M = g([A; C]), a convolution over both

each with a classifier of its own. The semantic classifier reads A, C and M, averaged over time, and
what those three classifiers say; its scores are the model's. It is trained in two stages: see
``tinyhar/distill/phases.py``.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import blocks
from tinyhar.models.attention import DotProductAttention, SinusoidalPositions
from tinyhar.models.dropout import BatchSeededDropout

layers = keras.layers

REPRESENTATIONS = ("attention", "causal", "combined")
"""Layers whose outputs [1, time, width] are the three views; their scores are "NAME_logits"."""

SEMANTIC = "semantic"
"""Prefix of the layers of the second stage, which "logits" belongs to as well."""

STRIDE = 4
"""Samples of the window for each step of a representation."""


def build(
    window: int,
    channels: int,
    classes: int,
    *,
    width: int = 64,
    heads: int = 4,
    kernel: int = 5,
    dilations: tuple[int, ...] = (1, 2, 4, 8),
    dropout: float = 0.2,
) -> keras.Model:
    """Input [1, window, channels], output logits [classes].

    Args:
        window: samples in time.
        channels: of all positions and sensors that the teacher sees.
        classes: activities.
        width: of each representation, a multiple of `heads` and even.
        heads: of the self-attention.
        kernel: samples that each convolution sees.
        dilations: of the causal convolutions, in steps of four samples.
        dropout: rate before each classifier and within the attention.
    """
    if width % heads or width % 2:
        raise ModelError(f"tsak: width {width}, heads {heads}: expected an even multiple of heads")
    inputs = keras.Input((1, window, channels), name="window")
    attention = _attention(inputs, width, heads, kernel, dropout)
    causal = _causal(inputs, width, kernel, dilations)
    both = layers.Concatenate(name="combined_inputs")([attention, causal])
    combined = blocks.conv(both, width, 3, act="relu", name="combined_mix")
    combined = layers.Activation("linear", name="combined")(combined)
    means, scores = [], []
    for number, (name, view) in enumerate(
        zip(REPRESENTATIONS, (attention, causal, combined), strict=True), start=1
    ):
        mean = layers.GlobalAveragePooling2D(name=f"{name}_mean")(view)
        thinned = BatchSeededDropout(dropout, seed=10 + number, name=f"{name}_dropout")(mean)
        means.append(mean)
        scores.append(layers.Dense(classes, name=f"{name}_logits")(thinned))
    x = layers.Concatenate(name=f"{SEMANTIC}_views")([*means, *scores])
    x = layers.Dense(2 * width, activation="relu", name=f"{SEMANTIC}_hidden")(x)
    x = BatchSeededDropout(dropout, seed=20, name=f"{SEMANTIC}_dropout")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="tsak")


def _attention(x: tf.Tensor, width: int, heads: int, kernel: int, dropout: float) -> tf.Tensor:
    """An encoder of all sensors, and a post-norm block of self-attention (Vaswani et al. 2017).

    The encoder's two convolutions are the anchors, where SMLDist can compare a student.
    """
    x = blocks.conv(x, width, kernel, 2, act="relu", name="stage1")
    x = blocks.conv(x, width, kernel, 2, act="relu", name="stage2")
    x = SinusoidalPositions(name="positions")(x)
    query, key, value = (
        layers.Dense(width, name=f"attention_{part}")(x) for part in ("query", "key", "value")
    )
    mixed = DotProductAttention(heads, name="attention_heads")([query, key, value])
    mixed = layers.Dense(width, name="attention_project")(mixed)
    mixed = BatchSeededDropout(dropout, seed=1, name="attention_project_dropout")(mixed)
    x = layers.LayerNormalization(name="attended")(layers.Add(name="attention_add")([x, mixed]))
    fed = layers.Dense(2 * width, activation="relu", name="attention_widen")(x)
    fed = layers.Dense(width, name="attention_narrow")(fed)
    return layers.LayerNormalization(name="attention")(layers.Add(name="attention_fed")([x, fed]))


def _causal(x: tf.Tensor, width: int, kernel: int, dilations: tuple[int, ...]) -> tf.Tensor:
    """Residual blocks of left-padded convolutions: step i sees the samples up to STRIDE i."""
    x = _left_conv(x, width, kernel, "causal_stem1", stride=2)
    x = _left_conv(x, width, kernel, "causal_stem2", stride=2)
    for number, dilation in enumerate(dilations, start=1):
        more = _left_conv(x, width, kernel, f"causal_block{number}", dilation=dilation)
        last = number == len(dilations)
        x = layers.Add(name="causal" if last else f"causal_add{number}")([x, more])
    return x


def _left_conv(
    x: tf.Tensor, width: int, kernel: int, name: str, *, stride: int = 1, dilation: int = 1
) -> tf.Tensor:
    x = layers.ZeroPadding2D(((0, 0), ((kernel - 1) * dilation, 0)), name=f"{name}_pad")(x)
    x = layers.Conv2D(
        width,
        (1, kernel),
        strides=(1, stride),
        dilation_rate=(1, dilation),
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=blocks.MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
