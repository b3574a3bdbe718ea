"""What a model costs: parameters, multiply-accumulates, bytes in flash and over the air."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StepCost:
    """A row of "what each compression step cost": the model as it stands after `step`.

    `macro_f1` is on the unseen subjects, `bytes` what the model takes as stored at that step
    (32-bit weights or .tflite), `note` one phrase on what was done ("32 to 24 channels").
    """

    step: str
    macro_f1: float
    parameters: int
    bytes: int
    note: str = ""


def gzip_bytes(data: bytes) -> int:
    """Size of `data` as transferred: gzip at its best level, without name or time."""
    return len(gzip.compress(data, compresslevel=9, mtime=0))


def float_bytes(parameters: int) -> int:
    """Size of `parameters` kept as 32-bit floats."""
    return 4 * parameters


def keras_macs(model: Any) -> int:
    """Multiply-accumulates of one window through a Keras model's convolutions and dense layers.

    Attention's matrix products, pooling, additions and activations are not counted, as is usual.
    Nested models and wrappers (tfmot's, TimeDistributed) are looked into.
    """
    return sum(_layer_macs(inner, outer.output_shape) for outer, inner in _layers(model))


def _layers(model: Any) -> Iterator[tuple[Any, Any]]:
    """Every layer with the wrapper around it (itself where there is none)."""
    for outer in model.layers:
        inner = getattr(outer, "layer", outer)
        if getattr(inner, "layers", None):
            yield from _layers(inner)
        else:
            yield outer, inner


def _layer_macs(layer: Any, output_shape: tuple[int | None, ...]) -> int:
    kind = type(layer).__name__
    if kind.startswith("SeparableConv"):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif kind.startswith("Depthwise"):
        kernels = [layer.depthwise_kernel]
    elif kind.startswith("Conv") or kind == "Dense":
        kernels = [layer.kernel]
    else:
        return 0
    positions = math.prod(side or 1 for side in output_shape[1:-1])
    return int(positions * sum(math.prod(kernel.shape) for kernel in kernels))
