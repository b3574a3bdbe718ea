"""What an operator is told beside its tensors: strides, padding, activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tinyhar.errors import ModelError


@dataclass(frozen=True)
class Options:
    """All options of all supported operators; those that an operator lacks keep their defaults."""

    stride: tuple[int, int] = (1, 1)
    """Steps along height and width."""
    dilation: tuple[int, int] = (1, 1)
    filter: tuple[int, int] = (1, 1)
    """A pool's height and width; a convolution's are its weights'."""
    same: bool = False
    """SAME padding; VALID otherwise."""
    activation: str = "NONE"
    multiplier: int = 1
    """A depthwise convolution's outputs for each input channel."""
    keep_dims: bool = False
    beta: float = 1.0
    axis: int = 0
    """Along which tensors are concatenated; negative from the last."""
    alpha: float = 0.0
    """A leaky ReLU's slope below zero."""


_ACTIVATIONS: Final = {0: "NONE", 1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}


def read_options(kind: str, table: Any) -> Options:
    """Options of an operator of `kind` from its flatbuffer table.

    Raises:
        ModelError: an activation that no engine fuses.
    """
    import tflite as schema

    if table is None:
        return Options()

    def of(name: str) -> Any:
        options = getattr(schema, name)()
        options.Init(table.Bytes, table.Pos)
        return options

    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        o = of("Conv2DOptions" if kind == "CONV_2D" else "DepthwiseConv2DOptions")
        return Options(
            stride=(o.StrideH(), o.StrideW()),
            dilation=(o.DilationHFactor(), o.DilationWFactor()),
            same=o.Padding() == schema.Padding.SAME,
            activation=_activation(kind, o),
            multiplier=o.DepthMultiplier() if kind == "DEPTHWISE_CONV_2D" else 1,
        )
    if kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        o = of("Pool2DOptions")
        return Options(
            stride=(o.StrideH(), o.StrideW()),
            filter=(o.FilterHeight(), o.FilterWidth()),
            same=o.Padding() == schema.Padding.SAME,
            activation=_activation(kind, o),
        )
    if kind == "FULLY_CONNECTED":
        return Options(activation=_activation(kind, of("FullyConnectedOptions")))
    if kind in ("ADD", "MUL"):
        return Options(activation=_activation(kind, of(f"{kind.title()}Options")))
    if kind == "CONCATENATION":
        o = of("ConcatenationOptions")
        return Options(activation=_activation(kind, o), axis=o.Axis())
    if kind == "LEAKY_RELU":
        return Options(alpha=float(of("LeakyReluOptions").Alpha()))
    if kind in ("MEAN", "REDUCE_MAX"):
        return Options(keep_dims=bool(of("ReducerOptions").KeepDims()))
    if kind == "SOFTMAX":
        return Options(beta=float(of("SoftmaxOptions").Beta()))
    return Options()


def _activation(kind: str, options: Any) -> str:
    code = options.FusedActivationFunction()
    if code not in _ACTIVATIONS:
        raise ModelError(f"{kind}: fused activation {code} is not supported")
    return _ACTIVATIONS[code]
