"""What a band must not care about, made up anew for every batch: how it sits, noise, gain, pace.

Works inside the training graph on normalised windows [batch, 1, time, channel]. A rotation of the
sensor's frame means something only in physical units, so windows are taken back to SI by the
normalisation's mean and std, turned, and normalised again; the other changes act on SI values too
(noise in shares of each channel's std, gain as a factor).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from tinyhar.errors import DataError


class ChannelLike(Protocol):
    """What is needed of recordings.Channel."""

    @property
    def position(self) -> str:
        """Where the sensor is worn."""
        ...

    @property
    def kind(self) -> str:
        """acc, gyro, ..."""
        ...

    @property
    def axis(self) -> str:
        """x, y or z."""
        ...


@dataclass(frozen=True)
class AugmentConfig:
    """How strong each change is; 0 switches it off. All are drawn per window.

    Attributes:
        rotation: largest angle in degrees about a random axis; the same turn for all sensors of
            one position.
        noise: std of white noise, in each channel's std over the training data.
        scale: largest relative change of gain, one factor for each sensor (accelerometer, gyro).
        warp: largest relative change of pace: the window shows a stretch of 1 - warp to 1 of its
            length, played over the whole window.
    """

    rotation: float = 0.0
    noise: float = 0.0
    scale: float = 0.0
    warp: float = 0.0


class Augment:
    """Callable (x [batch, 1, time, channel] normalised, seed int32 [2]) -> the same, changed.

    Args:
        config: how strongly.
        channels: of the windows.
        mean, std: of their normalisation, [channel].
        like: positions of another Augment with the same config: with the same seed, sensors worn
            there turn alike in both.
    """

    def __init__(
        self,
        config: AugmentConfig,
        channels: Sequence[ChannelLike],
        mean: ArrayLike,
        std: ArrayLike,
        *,
        like: Sequence[str] = (),
    ) -> None:
        self.config = config
        self._first = sorted(set(like))
        self.mean = np.asarray(mean, np.float32)
        self.std = np.asarray(std, np.float32)
        self.triads = triads_of(channels) if config.rotation or config.scale else {}
        if config.rotation:
            _check_triads(channels, self.triads)

    def __call__(self, x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The same seed gives the same changes."""
        config = self.config
        seeds = [tf.stack([seed[0] + 7919 * i, seed[1]]) for i in range(4)]
        if config.warp:
            x = warp_time(x, config.warp, seeds[0])
        if config.rotation or config.scale:
            si = x * self.std + self.mean
            if config.rotation:
                si = rotate(si, list(self.triads), self._positions(), config.rotation, seeds[1])
            if config.scale:
                si = scale_sensors(si, list(self.triads), config.scale, seeds[2])
            x = (si - self.mean) / self.std
        if config.noise:
            x += config.noise * tf.random.stateless_normal(tf.shape(x), seeds[3])
        return x

    def _positions(self) -> list[int]:
        others = {position for position, _ in self.triads.values()} - set(self._first)
        names = [*self._first, *sorted(others)]
        return [names.index(position) for position, _ in self.triads.values()]


def triads_of(channels: Sequence[ChannelLike]) -> dict[tuple[int, ...], tuple[str, str]]:
    """Indices of the x, y, z channels of each three-axis sensor -> its (position, kind)."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for index, channel in enumerate(channels):
        found.setdefault((channel.position, channel.kind), {})[channel.axis] = index
    return {
        (axes["x"], axes["y"], axes["z"]): sensor
        for sensor, axes in found.items()
        if {"x", "y", "z"} <= set(axes)
    }


def _check_triads(
    channels: Sequence[ChannelLike], triads: dict[tuple[int, ...], tuple[str, str]]
) -> None:
    covered = {index for triad in triads for index in triad}
    for index, channel in enumerate(channels):
        if index not in covered:
            raise DataError(
                f"augmentation by rotation: channel {channel.position}_{channel.kind}_"
                f"{channel.axis} has not all three axes x, y, z beside it; "
                "select whole sensors or set rotation to 0"
            )


def random_rotations(count: tf.Tensor, degrees: float, seed: tf.Tensor) -> tf.Tensor:
    """[count, 3, 3] rotations: axis uniform on the sphere, angle uniform within +-degrees.

    (Rodrigues' formula; a uniform angle, rather than Haar measure, keeps small turns likely: ours.)
    """
    axis = tf.math.l2_normalize(tf.random.stateless_normal([count, 3], seed), axis=-1)
    limit = degrees * np.pi / 180
    angle = tf.random.stateless_uniform([count, 1, 1], seed + 1, -limit, limit)
    x, y, z = tf.unstack(axis, axis=-1)
    zero = tf.zeros_like(x)
    cross = tf.reshape(tf.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1), [-1, 3, 3])
    return tf.eye(3) + tf.sin(angle) * cross + (1.0 - tf.cos(angle)) * (cross @ cross)


def rotate(
    si: tf.Tensor,
    triads: Sequence[tuple[int, ...]],
    positions: Sequence[int],
    degrees: float,
    seed: tf.Tensor,
) -> tf.Tensor:
    """Turns each sensor's x, y, z (channel indices in `triads`), one turn for each position.

    Channels in no triad stay as they are.
    """
    turns = {
        position: random_rotations(tf.shape(si)[0], degrees, seed + 2 * position)
        for position in set(positions)
    }
    columns = tf.unstack(si, axis=-1)
    for triad, position in zip(triads, positions, strict=True):
        vector = tf.stack([columns[i] for i in triad], axis=-1)
        turned = tf.einsum("bij,bhtj->bhti", turns[position], vector)
        for i, column in zip(triad, tf.unstack(turned, axis=-1), strict=True):
            columns[i] = column
    return tf.stack(columns, axis=-1)


def scale_sensors(
    si: tf.Tensor, triads: Sequence[tuple[int, ...]], limit: float, seed: tf.Tensor
) -> tf.Tensor:
    """Multiplies each sensor by its own factor within 1 +- limit; other channels each by theirs."""
    channels = si.shape[-1]
    group = np.arange(channels)
    for triad in triads:
        group[list(triad)] = min(triad)
    shape = [tf.shape(si)[0], 1, 1, channels]
    factors = tf.random.stateless_uniform(shape, seed, 1.0 - limit, 1.0 + limit)
    return si * tf.gather(factors, group, axis=-1)


def warp_time(x: tf.Tensor, limit: float, seed: tf.Tensor) -> tf.Tensor:
    """Plays a random stretch, 1 - limit to 1 of the window, over the whole window (linear)."""
    time = x.shape[2]
    batch = tf.shape(x)[0]
    share = tf.random.stateless_uniform([batch, 1], seed, 1.0 - limit, 1.0)
    first = tf.random.stateless_uniform([batch, 1], seed + 1) * (1.0 - share)
    at = (first + share * tf.linspace(0.0, 1.0, time)[None]) * (time - 1.0)
    low = tf.clip_by_value(tf.cast(tf.floor(at), tf.int32), 0, time - 2)
    part = (at - tf.cast(low, tf.float32))[..., None]
    flat = x[:, 0]
    before = tf.gather(flat, low, batch_dims=1)
    after = tf.gather(flat, low + 1, batch_dims=1)
    return (before + part * (after - before))[:, None]
