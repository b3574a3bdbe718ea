"""Ranges for int8 from training windows: of the input, and of every activation.

Never from validation or test windows: a quantiser that has seen them is fitted on them.
"""

from __future__ import annotations

import numpy as np
import tf_keras as keras


def input_clip(x: np.ndarray, share: float = 0.9995) -> float:
    """The +-clip, in normalised units, within which this share of all values lies.

    One int8 scale serves all channels, so rare peaks beyond it would cost every channel precision;
    they saturate instead, on the desk as on the band. x: training windows, normalised.
    """
    return float(np.quantile(np.abs(x), share))


def activation_ranges(
    model: keras.Model, x: np.ndarray, batch: int = 256
) -> dict[str, tuple[float, float]]:
    """Each layer's output (min, max), averaged over batches as tfmot's moving average would be.

    x: training windows [n, 1, time, channel] as the model sees them (normalised, clipped).
    """
    watched = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    probe = keras.Model(model.input, [layer.output for layer in watched])
    lows: list[list[float]] = []
    highs: list[list[float]] = []
    for i in range(0, len(x), batch):
        outputs = probe(x[i : i + batch], training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        lows.append([float(np.min(o)) for o in outputs])
        highs.append([float(np.max(o)) for o in outputs])
    low, high = np.mean(lows, axis=0), np.mean(highs, axis=0)
    return {layer.name: (float(low[i]), float(high[i])) for i, layer in enumerate(watched)}
