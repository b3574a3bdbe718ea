"""What is in a .tflite: its operators, its int8 input and output, whether anything stayed float."""

from __future__ import annotations

from dataclasses import dataclass

import tflite as schema

from tinyhar.errors import ModelError

BAND_OPERATORS = frozenset(
    {"ADD", "AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
    | {"MAX_POOL_2D", "MEAN", "RESHAPE", "SOFTMAX", "MUL", "PAD", "PADV2", "CONCATENATION"}
    | {"REDUCE_MAX", "HARD_SWISH", "LOGISTIC", "TANH", "RELU", "RELU6", "LEAKY_RELU"}
    | {"QUANTIZE", "MINIMUM", "MAXIMUM"}
)
"""What the band's engines run."""

_OPERATOR_NAMES = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()
}
_TYPE_NAMES = {value: name for name, value in vars(schema.TensorType).items() if name.isupper()}


@dataclass(frozen=True)
class TfliteFacts:
    """Facts of a .tflite that the stages after it need."""

    operators: tuple[str, ...]
    input_shape: tuple[int, ...]
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    size: int
    others: tuple[str, ...]
    """Tensors that are neither int8 nor int32 (biases, shapes), as "name: TYPE"."""


def inspect(tflite: bytes) -> TfliteFacts:
    """Reads the facts of a .tflite; ModelError when it is none."""
    if tflite[4:8] != b"TFL3":
        raise ModelError("not a .tflite: the identifier TFL3 is missing at byte 4")
    model = schema.Model.GetRootAs(tflite, 0)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(i) for i in range(graph.TensorsLength())]
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    names = [
        _OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes
    ]
    source, sink = tensors[graph.Inputs(0)], tensors[graph.Outputs(0)]
    input_scale, input_zero_point = _affine(source)
    output_scale, output_zero_point = _affine(sink)
    integers = (schema.TensorType.INT8, schema.TensorType.INT32)
    return TfliteFacts(
        operators=tuple(
            names[graph.Operators(i).OpcodeIndex()] for i in range(graph.OperatorsLength())
        ),
        input_shape=tuple(int(n) for n in source.ShapeAsNumpy()),
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        output_scale=output_scale,
        output_zero_point=output_zero_point,
        size=len(tflite),
        others=tuple(
            f"{t.Name().decode()}: {_TYPE_NAMES[t.Type()]}"
            for t in tensors
            if t.Type() not in integers
        ),
    )


def check_deployable(tflite: bytes) -> TfliteFacts:
    """The facts, or ModelError naming the operator or tensor that no band can run."""
    facts = inspect(tflite)
    for operator in facts.operators:
        if operator not in BAND_OPERATORS:
            raise ModelError(
                f"operator {operator} is none of the band's ({', '.join(sorted(BAND_OPERATORS))}); "
                "change the architecture"
            )
    if facts.others:
        raise ModelError(f"tensor {facts.others[0]} is not an integer: quantisation left it out")
    return facts


def _affine(tensor: schema.Tensor) -> tuple[float, int]:
    quantisation = tensor.Quantization()
    if quantisation is None or not quantisation.ScaleLength():
        return 0.0, 0
    return float(quantisation.Scale(0)), int(quantisation.ZeroPoint(0))
