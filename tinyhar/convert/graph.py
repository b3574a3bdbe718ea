"""A .tflite read into plain typed objects, or refused with the operator and layer that is at fault.

Only what the band's engines can run passes: one subgraph, one input, one output, int8 activations
with one scale each, symmetric int8 weights, fixed shapes and a batch of one.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.convert.options import Options, read_options
from tinyhar.errors import ModelError

SUPPORTED: Final = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN", "MAX_POOL_2D",
    "AVERAGE_POOL_2D", "ADD", "RESHAPE", "SOFTMAX", "MUL", "PAD", "PADV2", "CONCATENATION",
    "REDUCE_MAX", "HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU", "QUANTIZE",
    "MINIMUM", "MAXIMUM",
)  # fmt: skip
"""Operators that every later step (integer executor, compiled engine) knows."""

PAIRED: Final = ("ADD", "MUL", "MINIMUM", "MAXIMUM")
"""Operators of two operands."""
_OPERANDS: Final = {
    "CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "MEAN": 2, "REDUCE_MAX": 2,
    "PAD": 2, "PADV2": 3, **dict.fromkeys(PAIRED, 2),
}  # fmt: skip
"""The least number of inputs, where it is not one."""
_DTYPES: Final = {"INT8": np.int8, "INT32": np.int32}


@dataclass(frozen=True)
class Tensor:
    """One tensor: shape, numpy dtype name, quantisation, and its constant value if it has one."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: NDArray[np.float32]
    zero_point: int
    axis: int
    data: NDArray[Any] | None

    @property
    def scale(self) -> float:
        """The one scale of an activation, as the float32 that the file holds."""
        return float(self.scales[0])

    @property
    def size(self) -> int:
        """How many elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """One operator; `inputs` are tensor indices, -1 where an optional input is absent."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    output: int
    options: Options


@dataclass(frozen=True)
class Graph:
    """A whole model in execution order."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int

    def name_of(self, operator: Operator) -> str:
        """Operator and layer as an error names them: `CONV_2D 'model/stem/Relu' (operator 3)`."""
        name = self.tensors[operator.output].name
        return f"{operator.kind} '{name}' (operator {operator.index})"

    def operands(self, operator: Operator) -> tuple[int, ...]:
        """Inputs that an operator computes with, rather than is told by: in order, no constants.

        The second one of MUL, MINIMUM and MAXIMUM may be a constant.
        """
        if operator.kind == "CONCATENATION":
            return operator.inputs
        if operator.kind in ("MUL", "MINIMUM", "MAXIMUM"):
            return tuple(i for i in operator.inputs[:2] if self.tensors[i].data is None)
        return operator.inputs[: 2 if operator.kind in PAIRED else 1]

    def constant(self, operator: Operator, position: int) -> NDArray[Any] | None:
        """The constant value of an input, None where the operator has no such input.

        Raises:
            ModelError: the input is there but is computed, not constant.
        """
        if position >= len(operator.inputs) or operator.inputs[position] < 0:
            return None
        tensor = self.tensors[operator.inputs[position]]
        if tensor.data is None:
            raise ModelError(
                f"{self.name_of(operator)}: input {position} ('{tensor.name}') must be a constant"
            )
        return tensor.data


def read_graph(tflite: bytes) -> Graph:
    """Parse a .tflite.

    Raises:
        ModelError: not a .tflite, or a model that a band cannot run; the text names the operator
            and layer, or the tensor, that is at fault and what was expected.
    """
    if len(tflite) < 8 or tflite[4:8] != b"TFL3":
        raise ModelError("not a .tflite model: the identifier 'TFL3' is missing at byte 4")
    import tflite as schema

    from tinyhar.convert.checks import check

    try:
        return check(_parse(schema.Model.GetRootAs(tflite, 0), schema))
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, MemoryError) as error:
        raise ModelError(f"damaged .tflite model: {error}") from error


def _parse(model: Any, schema: Any) -> Graph:
    if model.SubgraphsLength() != 1:
        raise ModelError(f"the model has {model.SubgraphsLength()} subgraphs, expected 1")
    subgraph = model.Subgraphs(0)
    for what, count in (("inputs", subgraph.InputsLength()), ("outputs", subgraph.OutputsLength())):
        if count != 1:
            raise ModelError(f"the model has {count} {what}, expected 1")
    type_names = _names(schema.TensorType)
    tensors = tuple(
        _tensor(model, subgraph.Tensors(i), i, type_names) for i in range(subgraph.TensorsLength())
    )
    operator_names = _names(schema.BuiltinOperator)
    operators = tuple(
        _operator(model, subgraph.Operators(i), i, operator_names, tensors)
        for i in range(subgraph.OperatorsLength())
    )
    return Graph(tensors, operators, int(subgraph.Inputs(0)), int(subgraph.Outputs(0)))


def _names(enumeration: Any) -> dict[int, str]:
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int)}


def _printable(raw: bytes | None) -> str:
    """A name fit for a one-line message."""
    text = (raw or b"").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _tensor(model: Any, raw: Any, index: int, type_names: dict[int, str]) -> Tensor:
    name = _printable(raw.Name())
    shape = tuple(int(raw.Shape(i)) for i in range(raw.ShapeLength()))
    signature = tuple(int(raw.ShapeSignature(i)) for i in range(raw.ShapeSignatureLength()))
    if any(d < 0 for d in shape + signature):
        raise ModelError(
            f"tensor '{name}' has a dynamic shape {list(signature or shape)}: "
            "convert with every dimension fixed, batch 1"
        )
    type_name = type_names.get(raw.Type(), str(raw.Type()))
    dtype = type_name.lower()
    quantisation = raw.Quantization()
    scales = np.zeros(0, np.float32)
    zero_points = np.zeros(0, np.int64)
    axis = 0
    if quantisation is not None and quantisation.ScaleLength():
        scales = np.array(quantisation.ScaleAsNumpy(), np.float32)
        axis = int(quantisation.QuantizedDimension())
        if quantisation.ZeroPointLength():
            zero_points = np.array(quantisation.ZeroPointAsNumpy(), np.int64)
    if len(zero_points) > 1 and np.any(zero_points != zero_points[0]):
        raise ModelError(f"tensor '{name}' has asymmetric weights: one zero point a channel")
    data = None
    buffer = model.Buffers(raw.Buffer())
    if buffer.DataLength():
        if type_name not in _DTYPES:
            raise ModelError(f"constant '{name}' is {dtype}: only int8 and int32 are supported")
        data = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[type_name]).reshape(shape)
    zero_point = int(zero_points[0]) if len(zero_points) else 0
    return Tensor(index, name, shape, dtype, scales, zero_point, axis, data)


def _operator(
    model: Any, raw: Any, index: int, names: dict[int, str], tensors: tuple[Tensor, ...]
) -> Operator:
    code = model.OperatorCodes(raw.OpcodeIndex())
    builtin = max(int(code.BuiltinCode()), int(code.DeprecatedBuiltinCode()))
    kind = names.get(builtin, f"operator {builtin}")
    outputs = [int(raw.Outputs(i)) for i in range(raw.OutputsLength())]
    inputs = tuple(int(raw.Inputs(i)) for i in range(raw.InputsLength()))
    if any(not -1 <= t < len(tensors) for t in inputs) or any(
        not 0 <= t < len(tensors) for t in outputs
    ):
        raise ModelError(
            f"damaged .tflite model: operator {index} names a tensor that is not there"
        )
    layer = tensors[outputs[0]].name if outputs else "?"
    if kind == "CUSTOM":
        kind = f"custom operator {_printable(code.CustomCode())}"
    if kind not in SUPPORTED or len(outputs) != 1:
        raise ModelError(
            f"{kind} in layer '{layer}' (operator {index}) is not supported; "
            f"supported are {', '.join(SUPPORTED)}"
        )
    needed = len(inputs) if kind == "CONCATENATION" else _OPERANDS.get(kind, 1)
    if len(inputs) < max(needed, 1) or -1 in inputs[:needed]:
        raise ModelError(f"{kind} in layer '{layer}' (operator {index}) lacks an input")
    return Operator(index, kind, inputs, outputs[0], read_options(kind, raw.BuiltinOptions()))
