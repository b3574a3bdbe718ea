"""What a teacher goes by, for the report: attention, its representations, its sensors' places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import distill, models
from tinyhar.errors import DataError
from tinyhar.evaluate.attention import ClassAttention, by_class
from tinyhar.models import attention
from tinyhar.models.tsak import REPRESENTATIONS
from tinyhar.npz import UNREADABLE
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared

ATTENTION = "teacher/attention.npz"
"""Mean attention by class, on the unseen subjects: float32 [class, channel] and [class, step]."""


BATCH = 512


def save_attention(folder: RunFolder, model: keras.Model, data: Prepared, *, clip: float) -> bool:
    """Keep the maps of a model that has any; whether it has."""
    layers = {layer.name for layer in model.layers}
    test = data.side("test")
    x = _unseen(data, clip)
    if not layers & {attention.SENSOR, attention.TEMPORAL}:
        return False
    found = by_class(
        data.y[test],
        classes=len(data.classes),
        sensor=attention.sensor_attention(model, x) if attention.SENSOR in layers else None,
        temporal=attention.temporal_attention(model, x) if attention.TEMPORAL in layers else None,
    )
    maps = {"sensor": found.sensor, "temporal": found.temporal}
    kept: dict[str, Any] = {k: v.astype(np.float32) for k, v in maps.items() if v is not None}
    with folder.writing(ATTENTION) as draft:
        np.savez_compressed(draft, windows=np.array(found.windows), **kept)
    return True


def answers_by_view(model: keras.Model, data: Prepared, *, clip: float) -> dict[str, list[int]]:
    """What each representation's own classifier says of the unseen subjects' windows.

    Empty for a model without representations.
    """
    if not set(REPRESENTATIONS) <= {layer.name for layer in model.layers}:
        return {}
    x = _unseen(data, clip)
    views = models.with_anchors(model, [f"{name}_logits" for name in REPRESENTATIONS])
    outputs = [views(x[i : i + BATCH], training=False) for i in range(0, len(x), BATCH)]
    return {
        name: np.concatenate([np.argmax(one[f"{name}_logits"], axis=1) for one in outputs]).tolist()
        for name in REPRESENTATIONS
    }


def answers_without(
    members: Sequence[keras.Model], data: Prepared, *, clip: float
) -> dict[str, list[int]]:
    """What models say together when one position's sensors show nothing but their mean.

    Empty where all sensors are worn at one position.
    """
    positions = list(dict.fromkeys(channel.position for channel in data.channels))
    if len(positions) == 1:
        return {}
    found = {}
    for position in positions:
        silenced = _unseen(data, clip)
        there = [i for i, channel in enumerate(data.channels) if channel.position == position]
        silenced[..., there] = 0.0
        scores = sum(distill.logits(member, silenced) for member in members)
        found[position] = np.argmax(scores, axis=1).tolist()
    return found


def _unseen(data: Prepared, clip: float) -> np.ndarray:
    return np.clip(data.inputs(data.side("test")), -clip, clip)


def read_attention(folder: RunFolder) -> ClassAttention:
    """What :func:`save_attention` kept.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = folder / ATTENTION
    try:
        with np.load(path) as saved:
            sensor, temporal = (
                saved[name].astype(np.float64) if name in saved else None
                for name in ("sensor", "temporal")
            )
            return ClassAttention(sensor, temporal, tuple(saved["windows"].tolist()))
    except UNREADABLE as error:
        raise DataError(f"{path}: missing or damaged; run the recipe again") from error
