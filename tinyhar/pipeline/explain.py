"""Where a teacher with attention looks, kept beside it for the report."""

from __future__ import annotations

from typing import Any
from zipfile import BadZipFile

import numpy as np
import tf_keras as keras

from tinyhar.errors import DataError
from tinyhar.evaluate.attention import ClassAttention, by_class
from tinyhar.models import attention
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared

ATTENTION = "teacher/attention.npz"
"""Mean attention by class, on the unseen subjects: float32 [class, channel] and [class, step]."""


def save_attention(folder: RunFolder, model: keras.Model, data: Prepared, *, clip: float) -> bool:
    """Keep the maps of a model that has any; whether it has."""
    layers = {layer.name for layer in model.layers}
    test = data.side("test")
    x = np.clip(data.inputs(test), -clip, clip)
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
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: missing or damaged; run the recipe again") from error
