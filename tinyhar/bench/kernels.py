"""Each kernel of the compiled engine alone: models of one layer on the emulated Cortex-M4.

The shapes are those of wrist models: a window of 64 or 128 samples, 8 to 64 channels. Weights and
inputs are random, and every answer is compared with the desk's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyhar.band.cortex_m4 import Device, DeviceCost
from tinyhar.band.workload import with_random_windows
from tinyhar.convert.clustered import VALUES
from tinyhar.convert.tflite_maker import INT32, Maker, Shape

_SCALE: Final = 0.05
_WEIGHT: Final = 0.01


@dataclass(frozen=True)
class Kernel:
    """A layer alone: what it is, over which shape, and how many products or values it takes."""

    name: str
    shape: str
    work: int
    """Multiplications of a convolution; values that come in, of any other layer."""
    tflite: bytes


@dataclass(frozen=True)
class Measured:
    """A kernel and what it cost."""

    kernel: Kernel
    cost: DeviceCost

    @property
    def each(self) -> float:
        """Instructions for one product or value."""
        return self.cost.instructions_per_window / self.kernel.work


def measure(device: Device) -> Iterator[Measured]:
    """All kernels, one after another."""
    for kernel in kernels():
        work = with_random_windows(f"{kernel.name} {kernel.shape}", kernel.tflite)
        yield Measured(kernel, device.measure(work))


def kernels() -> Iterator[Kernel]:
    """One of each kind, the convolutions in several shapes."""
    for time, channels, filters, size, stride in (
        (128, 6, 24, 9, 2),
        (64, 24, 24, 3, 1),
        (64, 16, 32, 1, 1),
        (64, 32, 32, 1, 1),
        (64, 64, 64, 1, 1),
        (64, 30, 30, 1, 1),
        (1, 64, 6, 1, 1),
    ):
        yield _convolution(time, channels, filters, size, stride)
    for time, channels, filters, size, stride in ((64, 24, 24, 3, 1), (64, 64, 64, 1, 1)):
        yield _convolution(time, channels, filters, size, stride, clustered=True)
    for time, channels, size, stride in ((64, 24, 3, 1), (64, 24, 7, 1), (64, 48, 9, 2)):
        yield _depthwise(time, channels, size, stride)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        yield _pool(name, 64, 32)
    for name in ("ADD", "MUL"):
        yield _pair(name, 64, 32)
    yield _hard_swish(64, 32)
    yield _softmax(32)


def _weights(shape: Shape, clustered: bool) -> NDArray[np.int8]:
    random = np.random.default_rng(1)
    if clustered:
        return random.choice(np.linspace(-127, 127, VALUES), shape).astype(np.int8)
    return random.integers(-127, 128, shape).astype(np.int8)


def _weighted(
    kind: str, options: Any, sizes: Shape, shape: Shape, outputs: int, clustered: bool = False
) -> tuple[str, bytes]:
    """A convolution's shape in words, and its model: sizes are time in and out, channels in."""
    time, later, channels = sizes
    options.padding, options.strideH, options.strideW = 0, 1, -(-time // later)
    options.fusedActivationFunction = 1
    model = Maker()
    x = model.tensor((1, 1, time, channels), zero=-128)
    w = model.tensor(shape, _WEIGHT, data=_weights(shape, clustered))
    bias = np.zeros(outputs, np.int32)
    b = model.tensor((outputs,), _SCALE * _WEIGHT, data=bias, kind=INT32)
    y = model.tensor((1, 1, later, outputs), 4 * _SCALE, -128)
    words = f"{time} x {channels} to {later} x {outputs}"
    return words, model.finish(x, model.operator(kind, [x, w, b], y, options))


def _convolution(
    time: int, channels: int, filters: int, size: int, stride: int, *, clustered: bool = False
) -> Kernel:
    later = -(-time // stride)
    shape = (filters, 1, size, channels)
    options = schema.Conv2DOptionsT()
    sizes = (time, later, channels)
    words, tflite = _weighted("CONV_2D", options, sizes, shape, filters, clustered)
    name = f"{'CLUSTERED_' if clustered else ''}CONV_2D {size}"
    return Kernel(name, words, later * filters * size * channels, tflite)


def _depthwise(time: int, channels: int, size: int, stride: int) -> Kernel:
    later = -(-time // stride)
    options = schema.DepthwiseConv2DOptionsT()
    options.depthMultiplier = 1
    shape = (1, 1, size, channels)
    words, tflite = _weighted(
        "DEPTHWISE_CONV_2D", options, (time, later, channels), shape, channels
    )
    return Kernel(f"DEPTHWISE_CONV_2D {size}", words, later * size * channels, tflite)


def _pool(kind: str, time: int, channels: int) -> Kernel:
    options = schema.Pool2DOptionsT()
    options.padding = 1
    options.strideH = options.filterHeight = 1
    options.strideW = options.filterWidth = time
    model = Maker()
    x = model.tensor((1, 1, time, channels))
    y = model.tensor((1, 1, 1, channels))
    tflite = model.finish(x, model.operator(kind, [x], y, options))
    return Kernel(kind, f"{time} x {channels} to 1", time * channels, tflite)


def _pair(kind: str, time: int, channels: int) -> Kernel:
    options = schema.AddOptionsT() if kind == "ADD" else schema.MulOptionsT()
    model = Maker()
    x = model.tensor((1, 1, time, channels))
    y = model.tensor((1, 1, time, channels), 2 * _SCALE if kind == "ADD" else _SCALE)
    tflite = model.finish(x, model.operator(kind, [x, x], y, options))
    return Kernel(kind, f"{time} x {channels}", time * channels, tflite)


def _hard_swish(time: int, channels: int) -> Kernel:
    model = Maker()
    x = model.tensor((1, 1, time, channels))
    y = model.tensor((1, 1, time, channels))
    tflite = model.finish(x, model.operator("HARD_SWISH", [x], y))
    return Kernel("HARD_SWISH", f"{time} x {channels}", time * channels, tflite)


def _softmax(channels: int) -> Kernel:
    model, options = Maker(), schema.SoftmaxOptionsT()
    options.beta = 1.0
    x = model.tensor((1, 1, 1, channels))
    y = model.tensor((1, 1, 1, channels), 1 / 256, -128)
    tflite = model.finish(x, model.operator("SOFTMAX", [x], y, options))
    return Kernel("SOFTMAX", f"1 x {channels}", channels, tflite)


HEADER: Final = ("kernel", "shape", "instructions", "each", "engine code", "wrong bytes")


def rows(measured: list[Measured]) -> list[tuple[str, ...]]:
    """A row a kernel; `each` is for one multiplication of a convolution, else one value."""
    return [
        (
            one.kernel.name,
            one.kernel.shape,
            f"{one.cost.instructions_per_window:,}",
            f"{one.each:.2f}",
            f"{one.cost.engine_code_bytes:,}",
            str(one.cost.mismatched_bytes),
        )
        for one in measured
    ]


def as_json(one: Measured) -> dict[str, Any]:
    """For machines."""
    return {
        "kernel": one.kernel.name,
        "shape": one.kernel.shape,
        "instructions": one.cost.instructions_per_window,
        "each": one.each,
        "engine_code_bytes": one.cost.engine_code_bytes,
        "mismatched_bytes": one.cost.mismatched_bytes,
    }
