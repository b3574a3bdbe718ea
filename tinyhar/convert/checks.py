"""What a model must be before anything is made of it: int8, symmetric weights, fixed shapes."""

from __future__ import annotations

from typing import Final

import numpy as np

from tinyhar.convert.graph import Graph, Operator, Tensor
from tinyhar.errors import ModelError

_WEIGHTED: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_WEIGHT_RANK: Final = {"CONV_2D": 4, "DEPTHWISE_CONV_2D": 4, "FULLY_CONNECTED": 2}
_LARGEST_TENSOR: Final = 1 << 22
_SCALES: Final = (1e-20, 1e20)
"""What a scale may be at all; beyond lies a damaged file."""


def check(graph: Graph) -> Graph:
    """The graph itself, if a band can run it.

    Raises:
        ModelError: naming the operator and layer, or the tensor, and what was expected.
    """
    if not 0 <= graph.input < len(graph.tensors):
        raise ModelError("damaged .tflite model: its input is no tensor")
    batch = graph.tensors[graph.input].shape[:1]
    if batch != (1,):
        raise ModelError(
            f"input '{graph.tensors[graph.input].name}' has shape "
            f"{list(graph.tensors[graph.input].shape)}: the batch must be 1"
        )
    if not graph.operators:
        raise ModelError("the model has no operators")
    if not 0 <= graph.output < len(graph.tensors):
        raise ModelError("damaged .tflite model: its output is no tensor")
    ready = {graph.input}
    for operator in graph.operators:
        _check_activations(graph, operator, ready)
        _check_options(graph, operator)
        if operator.kind in _WEIGHTED:
            _check_weights(graph, operator)
        if operator.output in ready:
            raise ModelError(f"{graph.name_of(operator)}: its output exists already")
        ready.add(operator.output)
    if graph.output not in ready:
        raise ModelError(f"output '{graph.tensors[graph.output].name}' is computed by no operator")
    return graph


def _check_activations(graph: Graph, operator: Operator, ready: set[int]) -> None:
    operands = graph.operands(operator)
    if not operands:
        raise ModelError(f"{graph.name_of(operator)}: all its operands are constants")
    for index in operands:
        if index not in ready:
            raise ModelError(
                f"{graph.name_of(operator)}: operand '{graph.tensors[index].name}' is a constant "
                "or comes later; every operand must be computed from the model's input"
            )
    constants = operator.inputs[:2] if operator.kind in ("MUL", "MINIMUM", "MAXIMUM") else ()
    for index in {*operands, *constants, operator.output}:
        _check_activation(graph, operator, graph.tensors[index])
    for index in set(constants) - set(operands):
        if graph.tensors[index].size != 1:
            raise ModelError(
                f"{graph.name_of(operator)}: operand '{graph.tensors[index].name}' is a constant "
                f"of shape {list(graph.tensors[index].shape)}; only a single number may be constant"
            )


def _check_activation(graph: Graph, operator: Operator, tensor: Tensor) -> None:
    what = f"{graph.name_of(operator)}: tensor '{tensor.name}'"
    if tensor.dtype != "int8":
        raise ModelError(
            f"{what} is {tensor.dtype}, expected int8; convert with full-integer quantisation, "
            "int8 input and output"
        )
    if len(tensor.scales) != 1 or not _SCALES[0] < tensor.scale < _SCALES[1]:
        scales = tensor.scales[:4].tolist()
        raise ModelError(f"{what} needs exactly one positive scale, it has {scales}")
    if not -128 <= tensor.zero_point <= 127:
        raise ModelError(f"{what} has zero point {tensor.zero_point}, expected -128..127")
    shaped = tensor.shape or tensor.data is not None
    if not (shaped and 1 <= tensor.size <= _LARGEST_TENSOR):
        raise ModelError(
            f"{what} has shape {list(tensor.shape)}; a band holds 1 to {_LARGEST_TENSOR} values"
        )


def _check_options(graph: Graph, operator: Operator) -> None:
    o = operator.options
    if min(*o.stride, *o.dilation, *o.filter, o.multiplier) < 1:
        raise ModelError(f"{graph.name_of(operator)}: a stride, dilation or filter size below 1")


def _check_weights(graph: Graph, operator: Operator) -> None:
    weights = graph.tensors[operator.inputs[1]]
    if graph.constant(operator, 1) is None or weights.dtype != "int8":
        raise ModelError(
            f"{graph.name_of(operator)}: weights are {weights.dtype}, expected constant int8"
        )
    if weights.zero_point != 0:
        raise ModelError(
            f"{graph.name_of(operator)}: asymmetric weights (zero point {weights.zero_point}), "
            "expected 0"
        )
    if len(weights.shape) != _WEIGHT_RANK[operator.kind] or 0 in weights.shape:
        raise ModelError(f"{graph.name_of(operator)}: weights of shape {list(weights.shape)}")
    axis = 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    channels = weights.shape[axis]
    if len(weights.scales) not in (1, channels) or not np.all(
        (weights.scales > _SCALES[0]) & (weights.scales < _SCALES[1])
    ):
        raise ModelError(
            f"{graph.name_of(operator)}: {len(weights.scales)} weight scales for {channels} "
            "output channels; expected 1 or one a channel, all positive"
        )
    if len(weights.scales) > 1 and weights.axis != axis:
        raise ModelError(
            f"{graph.name_of(operator)}: weights quantised along axis {weights.axis}, "
            f"expected {axis}"
        )
    bias = graph.constant(operator, 2)
    if bias is not None and (bias.dtype != np.int32 or bias.size != channels):
        raise ModelError(
            f"{graph.name_of(operator)}: bias is {bias.dtype}[{bias.size}], "
            f"expected int32[{channels}]"
        )
