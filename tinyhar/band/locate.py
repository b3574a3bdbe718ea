"""Where a window goes another way on the band than on the desk: its layer and its channel."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.client import Client
from tinyhar.band.codes import What
from tinyhar.band.errors import BandRefused

Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class DeskLayer:
    """What the desk computed: a layer's name and its output int8 [..., channel], one window."""

    name: str
    output: Int8


DeskLayers = Callable[[m.Counts], Sequence[DeskLayer]]
"""From counts int16 [time, channel] to the int8 input and every layer's output, in order."""


@dataclass(frozen=True)
class Place:
    """A layer and the first of its channels that differs; empty where nobody can tell."""

    layer: str
    channel: str = ""


def locate(client: Client, window: m.Counts, desk_layers: DeskLayers) -> Place | None:
    """The first layer whose bytes differ, for one window, counts int16 [time, channel].

    None when the band, asked once more, computes the same bytes as the desk, or cannot look inside.
    """
    try:
        client.infer(window)
        theirs = client.trace()
    except BandRefused:
        return None
    ours = desk_layers(window)
    if len(theirs) != len(ours):
        return Place(f"the number of layers ({len(theirs) - 1}, expected {len(ours) - 1})")
    for index, (crc, layer) in enumerate(zip(theirs, ours, strict=True)):
        if crc != _crc(layer.output):
            return Place(layer.name, _channel(client, index, layer))
    return None


def _channel(client: Client, index: int, layer: DeskLayer) -> str:
    channels = layer.output.shape[-1]
    try:
        theirs = client.trace_channels(index, channels)
    except BandRefused:
        return ""
    columns = layer.output.reshape(-1, channels).T
    for channel, (crc, column) in enumerate(zip(theirs, columns, strict=True)):
        if crc != _crc(column):
            return client.names(What.CHANNEL_NAME)[channel] if index == 0 else str(channel)
    return ""


def _crc(values: Int8) -> int:
    return zlib.crc32(np.ascontiguousarray(values, np.int8).tobytes())
