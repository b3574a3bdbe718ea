"""Operators that `tiny_models` grows beside convolutions: curves, products, paddings, joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

if TYPE_CHECKING:
    from tinyhar.convert.tflite_maker import Maker

INT8, INT32 = 9, 2

TABLE_KINDS = (
    "HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU", "QUANTIZE", "MINIMUM",
    "MAXIMUM",
)  # fmt: skip
"""Functions of one value."""

GROWN_KINDS = (*TABLE_KINDS, "MUL", "PAD", "PADV2", "CONCATENATION", "REDUCE_MAX")


def some_scale(rng: np.random.Generator, low: float = 1e-3, high: float = 0.5) -> float:
    return float(np.float32(np.exp(rng.uniform(np.log(low), np.log(high)))))


def some_zero(rng: np.random.Generator) -> int:
    return int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def grow(m: Maker, rng: np.random.Generator, x: int, kind: str, earlier: list[int]) -> int:
    if kind in TABLE_KINDS:
        return curve(m, rng, x, kind)
    if kind == "MUL":
        return multiply(m, rng, x, earlier)
    if kind in ("PAD", "PADV2"):
        return pad(m, rng, x, kind)
    if kind == "CONCATENATION":
        return concatenate(m, rng, x, earlier)
    return largest(m, rng, x)


def curve(
    m: Maker,
    rng: np.random.Generator,
    x: int,
    kind: str,
    to: tuple[float, int] | None = None,
) -> int:
    scale, zero = m.quantisation(x)
    options: Any = None
    extra: list[int] = []
    given = to or (some_scale(rng, scale / 4, scale * 8), some_zero(rng))
    if kind in ("LOGISTIC", "TANH"):
        given = (1 / 256, -128) if kind == "LOGISTIC" else (1 / 128, 0)
    if kind in ("RELU6", "MINIMUM", "MAXIMUM"):
        given = (scale, zero)
    if kind == "LEAKY_RELU":
        options = schema.LeakyReluOptionsT()
        options.alpha = float(rng.choice([0.01, 0.2, 0.3, 1.0]))
    if kind in ("MINIMUM", "MAXIMUM"):
        extra = [number(m, rng, scale, zero)]
    order = [x, *extra] if rng.random() < 0.7 else [*extra, x]
    return m.operator(kind, order, m.tensor(m.shape(x), *given), options)


def number(m: Maker, rng: np.random.Generator, scale: float, zero: int) -> int:
    """A constant of one value."""
    value = rng.integers(-128, 128, 1).astype(np.int8)
    return m.tensor([(), (1,), (1, 1, 1, 1)][int(rng.integers(0, 3))], scale, zero, data=value)


def multiply(m: Maker, rng: np.random.Generator, x: int, earlier: list[int]) -> int:
    dice = rng.random()
    if dice < 0.2:
        other = number(m, rng, some_scale(rng), some_zero(rng))
    elif dice < 0.45:
        other = int(rng.choice([t for t in earlier if m.shape(t) == m.shape(x)]))
    else:
        other = gate(m, rng, x)
    natural = m.quantisation(x)[0] * m.quantisation(other)[0] * 100
    y = m.tensor(m.shape(x), natural * float(np.exp(rng.normal(0, 1.5))), some_zero(rng))
    options = schema.MulOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 0, 1, 3, 2]))
    return m.operator("MUL", [x, other] if rng.random() < 0.7 else [other, x], y, options)


def gate(m: Maker, rng: np.random.Generator, x: int) -> int:
    """One value a channel out of x, as squeeze-excite makes them."""
    shape = m.shape(x)
    axes = tuple(range(1, len(shape) - 1)) if len(shape) > 2 else ()
    if not axes:
        return curve(m, rng, x, "LOGISTIC")
    a = m.tensor((len(axes),), None, data=np.array(axes, np.int32), kind=INT32)
    keep = bool(rng.random() < 0.6)
    out = tuple(1 if i in axes else d for i, d in enumerate(shape) if keep or i not in axes)
    y = m.tensor(out, *m.quantisation(x))
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    m.operator("MEAN", [x, a], y, options)
    return curve(m, rng, y, str(rng.choice(["LOGISTIC", "RELU", "TANH"])))


def pad(m: Maker, rng: np.random.Generator, x: int, kind: str) -> int:
    """Along time, mostly; elsewhere too, now and then."""
    shape = m.shape(x)
    pads = np.zeros((len(shape), 2), np.int32)
    pads[-2] = rng.integers(0, 4, 2)
    if rng.random() < 0.3:
        pads[1:] = rng.integers(0, 3, (len(shape) - 1, 2))
    p = m.tensor(pads.shape, None, data=pads, kind=INT32)
    scale, zero = m.quantisation(x)
    inputs = [x, p]
    if kind == "PADV2":
        inputs.append(number(m, rng, scale, zero))
    out = tuple(int(d + a + b) for d, (a, b) in zip(shape, pads, strict=True))
    return m.operator(kind, inputs, m.tensor(out, scale, zero))


def concatenate(m: Maker, rng: np.random.Generator, x: int, earlier: list[int]) -> int:
    """x and one or two others that fit, on x's scale, along any axis but the batch's."""
    shape = m.shape(x)
    axis = int(rng.choice([len(shape) - 1, len(shape) - 1, *range(1, len(shape))]))

    def fits(t: int) -> bool:
        other = m.shape(t)
        return len(other) == len(shape) and all(
            a == b for i, (a, b) in enumerate(zip(other, shape, strict=True)) if i != axis
        )

    parts = [x]
    for other in rng.choice([t for t in earlier if fits(t)], int(rng.integers(1, 3))):
        equal = m.quantisation(int(other)) == m.quantisation(x)
        parts.append(
            int(other) if equal else curve(m, rng, int(other), "QUANTIZE", m.quantisation(x))
        )
    rng.shuffle(parts)
    out = list(shape)
    out[axis] = sum(m.shape(t)[axis] for t in parts)
    options = schema.ConcatenationOptionsT()
    options.axis = axis if rng.random() < 0.5 else axis - len(shape)
    return m.operator("CONCATENATION", parts, m.tensor(tuple(out), *m.quantisation(x)), options)


def largest(m: Maker, rng: np.random.Generator, x: int) -> int:
    shape = m.shape(x)
    axes = [(1, 2), (2,), (3,), (1,), (-2,)][int(rng.integers(0, 5))]
    keep = bool(rng.random() < 0.5)
    gone = {a % len(shape) for a in axes}
    out = tuple(1 if i in gone else d for i, d in enumerate(shape) if keep or i not in gone)
    a = m.tensor((len(axes),), None, data=np.array(axes, np.int32), kind=INT32)
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    return m.operator("REDUCE_MAX", [x, a], m.tensor(out, *m.quantisation(x)), options)
