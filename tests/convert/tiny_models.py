"""Small int8 .tflite models made from nothing, with any shape and quantisation one likes.

No converter would give the odd scales and zero points that the arithmetic must survive.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.convert import tiny_growth
from tests.convert.tiny_growth import some_scale, some_zero
from tinyhar.convert.tflite_maker import INT32, Maker, Shape


def _activation(rng: np.random.Generator) -> int:
    return int(rng.choice([0, 1, 1, 3, 2]))


def _out_scale(rng: np.random.Generator, in_scale: float, weight_scale: float, depth: int) -> float:
    """Mostly where outputs spread over int8; now and then far off either way."""
    natural = in_scale * weight_scale * 70 * 60 * np.sqrt(depth) / 100
    return float(np.float32(natural * np.exp(rng.normal(0, 0.6 if rng.random() < 0.8 else 3))))


def _output_size(size: int, kernel: int, stride: int, dilation: int, same: bool) -> int:
    effective = (kernel - 1) * dilation + 1
    return -(-size // stride) if same else (size + stride - effective) // stride


def _weights(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    style = rng.random()
    if style < 0.1:
        return rng.choice([-127, 127], shape).astype(np.int8)
    if style < 0.15:
        return rng.integers(-128, 128, shape).astype(np.int8)
    weights = np.clip(np.rint(rng.normal(0, 45, shape)), -127, 127).astype(np.int8)
    if style > 0.8:  # clustered
        values = np.clip(np.rint(rng.normal(0, 60, rng.integers(1, 17))), -127, 127)
        return rng.choice(values, shape).astype(np.int8)
    if style < 0.3:
        weights[tuple(rng.integers(0, s) for s in shape[:1])] = 0
    return weights


def _weighted(m: Maker, rng: np.random.Generator, x: int, kind: str) -> int:
    _, h, w, c = m.shape(x)
    kh = int(rng.integers(1, min(h, 3) + 1))
    kw = int(rng.integers(1, min(w, 7) + 1))
    sh, sw = int(rng.integers(1, 3)) if h > 1 else 1, int(rng.integers(1, 4))
    dw = int(rng.integers(1, 4)) if sw == 1 and rng.random() < 0.2 else 1
    same = bool(rng.random() < 0.6) or (kw - 1) * dw + 1 > w
    each = int(rng.choice([1, 1, 1, 2, 3])) if kind == "DEPTHWISE_CONV_2D" else 1
    out_c = c * each if kind == "DEPTHWISE_CONV_2D" else int(rng.integers(1, 13))
    oh, ow = _output_size(h, kh, sh, 1, same), _output_size(w, kw, sw, dw, same)
    per_channel = out_c > 1 and rng.random() < 0.8
    scales = np.array([some_scale(rng, 1e-3, 2e-2) for _ in range(out_c if per_channel else 1)])
    if per_channel and rng.random() < 0.15:
        scales[rng.integers(0, out_c)] = 1e-9  # a dead channel
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, kh, kw, out_c) if depthwise else (out_c, kh, kw, c)
    wt = m.tensor(shape, scales, data=_weights(rng, shape), axis=3 if depthwise else 0)
    in_scale = m.quantisation(x)[0]
    bias = np.rint(rng.normal(0, 2000, out_c)).astype(np.int32)
    b = m.tensor((out_c,), scales * in_scale, data=bias, kind=INT32)
    depth = kh * kw * (1 if depthwise else c)
    scale = _out_scale(rng, in_scale, float(np.median(scales)), depth)
    y = m.tensor((1, oh, ow, out_c), scale, some_zero(rng))
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    options.padding = 0 if same else 1
    options.strideH, options.strideW = sh, sw
    options.dilationHFactor, options.dilationWFactor = 1, dw
    options.fusedActivationFunction = _activation(rng)
    if depthwise:
        options.depthMultiplier = each
    return m.operator(kind, [x, wt, b], y, options)


def _dense(m: Maker, rng: np.random.Generator, x: int) -> int:
    size = int(np.prod(m.shape(x)))
    out = int(rng.integers(1, 9))
    per_channel = out > 1 and rng.random() < 0.5
    scales = np.array([some_scale(rng, 1e-3, 2e-2) for _ in range(out if per_channel else 1)])
    shape = (out, size)
    wt = m.tensor(shape, scales, data=_weights(rng, shape))
    in_scale = m.quantisation(x)[0]
    bias = np.rint(rng.normal(0, 2000, out)).astype(np.int32)
    b = m.tensor((out,), scales * in_scale, data=bias, kind=INT32)
    scale = _out_scale(rng, in_scale, float(np.median(scales)), size)
    y = m.tensor((1, out), scale, some_zero(rng))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _activation(rng)
    return m.operator("FULLY_CONNECTED", [x, wt, b if rng.random() < 0.8 else -1], y, options, 4)


def _pool(m: Maker, rng: np.random.Generator, x: int, kind: str) -> int:
    _, h, w, c = m.shape(x)
    kh, kw = int(rng.integers(1, min(h, 2) + 1)), int(rng.integers(1, w + 1))
    sw = int(rng.integers(1, kw + 1))
    if rng.random() < 0.4 and w > 1:
        kh, kw, sw = 1, 2, 2
    same = bool(rng.random() < 0.5)
    oh, ow = _output_size(h, kh, 1, 1, same), _output_size(w, kw, sw, 1, same)
    y = m.tensor((1, oh, ow, c), *m.quantisation(x))
    options = schema.Pool2DOptionsT()
    options.padding = 0 if same else 1
    options.strideH, options.strideW, options.filterHeight, options.filterWidth = 1, sw, kh, kw
    options.fusedActivationFunction = _activation(rng)
    return m.operator(kind, [x], y, options)


def _mean(m: Maker, rng: np.random.Generator, x: int) -> int:
    shape = m.shape(x)
    axes = [(1, 2), (2,), (3,), (1,)][int(rng.integers(0, 4))]
    keep = bool(rng.random() < 0.5)
    out = tuple((1 if i in axes else d) for i, d in enumerate(shape) if keep or i not in axes)
    a = m.tensor((len(axes),), None, data=np.array(axes, np.int32), kind=INT32)
    in_scale, zero = m.quantisation(x)
    same = rng.random() < 0.5
    y = m.tensor(out, in_scale if same else some_scale(rng), zero if same else some_zero(rng))
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    return m.operator("MEAN", [x, a], y, options)


def _add(m: Maker, rng: np.random.Generator, x: int, other: int) -> int:
    scales = [m.quantisation(t)[0] for t in (x, other)]
    y = m.tensor(m.shape(x), max(scales) * float(np.exp(rng.normal(0.3, 0.5))), some_zero(rng))
    options = schema.AddOptionsT()
    options.fusedActivationFunction = _activation(rng)
    return m.operator("ADD", [x, other] if rng.random() < 0.5 else [other, x], y, options)


def _softmax(m: Maker, rng: np.random.Generator, x: int) -> int:
    y = m.tensor(m.shape(x), 1 / 256, -128)
    options = schema.SoftmaxOptionsT()
    options.beta = float(rng.choice([1.0, 1.0, 0.5, 2.0]))
    return m.operator("SOFTMAX", [x], y, options)


def _reshape(m: Maker, x: int, shape: Shape) -> int:
    y = m.tensor(shape, *m.quantisation(x))
    s = m.tensor((len(shape),), None, data=np.array(shape, np.int32), kind=INT32)
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    return m.operator("RESHAPE", [x, s], y, options)


IMAGE_KINDS = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "ADD", "SOFTMAX",
    "FULLY_CONNECTED", "RESHAPE", *tiny_growth.GROWN_KINDS,
)  # fmt: skip


def _grow(m: Maker, rng: np.random.Generator, x: int, kind: str, earlier: list[int]) -> int:
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return _weighted(m, rng, x, kind)
    if kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return _pool(m, rng, x, kind)
    if kind == "FULLY_CONNECTED":
        return _dense(m, rng, x)
    if kind == "MEAN":
        return _mean(m, rng, x)
    if kind == "SOFTMAX":
        return _softmax(m, rng, x)
    if kind in tiny_growth.GROWN_KINDS:
        return tiny_growth.grow(m, rng, x, kind, earlier)
    if kind == "RESHAPE":
        _, h, w, c = m.shape(x)
        return _reshape(m, x, (1, h * w * c))
    others = [t for t in earlier if m.shape(t) == m.shape(x)]
    return _add(m, rng, x, int(rng.choice(others)))


def random_model(seed: int, kinds: tuple[str, ...] = IMAGE_KINDS) -> bytes:
    """One to five operators over a short window, all of `kinds` possible."""
    rng = np.random.default_rng(seed)
    m = Maker()
    height = int(rng.integers(2, 5)) if rng.random() < 0.15 else 1
    shape = (1, height, int(rng.integers(1, 25)), int(rng.integers(1, 11)))
    source = m.tensor(shape, some_scale(rng), some_zero(rng))
    x, earlier = source, [source]
    for _ in range(int(rng.integers(1, 6))):
        if len(m.shape(x)) != 4:
            kind = str(rng.choice(["FULLY_CONNECTED", "SOFTMAX", *tiny_growth.TABLE_KINDS]))
        else:
            kind = str(rng.choice(kinds))
        x = _grow(m, rng, x, kind, earlier)
        earlier.append(x)
    return m.finish(source, x)


def random_windows(seed: int, shape: Shape, n: int = 6) -> np.ndarray:
    """Noise and extremes, int8 [n, *shape]."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (n, *shape)).astype(np.int8)
    x[0] = rng.choice([-128, 127], shape)
    if n > 2:
        x[1], x[2] = -128, 127
    return x


def clustered_layer() -> bytes:
    """A convolution whose weights take 16 values, and nothing else: 12 samples of 8 channels to 9
    channels, kernel 4."""
    rng = np.random.default_rng(5)
    m = Maker()
    x = m.tensor((1, 1, 12, 8), 0.1, 3)
    values = np.linspace(-120, 127, 16).astype(np.int8)
    weights = rng.choice(values, (9, 1, 4, 8))
    weights[0, 0, :2] = values.reshape(2, 8)  # one table holds all
    w = m.tensor(weights.shape, np.full(9, 0.01), data=weights)
    b = m.tensor((9,), 0.001, data=np.arange(9, dtype=np.int32), kind=INT32)
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    y = m.tensor((1, 1, 12, 9), 0.3, -5)
    return m.finish(x, m.operator("CONV_2D", [x, w, b], y, options))
