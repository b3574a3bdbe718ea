"""Int8 .tflite models written straight as flatbuffers, operator by operator.

For models of one's own shape and quantisation: no converter would give the odd scales and zero
points that the arithmetic must survive, nor a layer alone.
"""

from __future__ import annotations

from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Shape = tuple[int, ...]

FLOAT32: Final = 0
INT32: Final = 2
INT8: Final = 9


class Maker:
    """Builds one subgraph, operator by operator; `finish` gives the .tflite's bytes."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "made by tinyhar"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors = []
        self.graph.operators = []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Shape,
        scale: float | NDArray[Any] | None = 0.05,
        zero: int = 0,
        *,
        data: NDArray[Any] | None = None,
        kind: int = INT8,
        axis: int = 0,
        name: str | None = None,
        zeros: list[int] | None = None,
    ) -> int:
        """A tensor's index; with `data` a constant, with several scales one for each of `axis`."""
        t = schema.TensorT()
        t.name = name or f"t{len(self.graph.tensors)}"
        t.shape = [int(d) for d in shape]
        t.type = kind
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            t.buffer = len(self.model.buffers) - 1
        if scale is not None:
            q = schema.QuantizationParametersT()
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            q.scale = [float(s) for s in scales]
            q.zeroPoint = zeros if zeros is not None else [int(zero)] * len(scales)
            q.quantizedDimension = axis
            t.quantization = q
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def operator(
        self, kind: str, inputs: list[int], output: int, options: Any = None, version: int = 3
    ) -> int:
        """Makes `output`, and returns it; `options` are the schema's, as AddOptionsT."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        o = schema.OperatorT()
        o.opcodeIndex = len(self.model.operatorCodes) - 1
        o.inputs = inputs
        o.outputs = [output]
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            o.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            o.builtinOptions = options
        self.graph.operators.append(o)
        return output

    def finish(self, source: int, target: int) -> bytes:
        """The model whose input is `source` and whose output is `target`."""
        self.graph.inputs = [source]
        self.graph.outputs = [target]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def shape(self, tensor: int) -> Shape:
        """Of a tensor."""
        return tuple(self.graph.tensors[tensor].shape)

    def quantisation(self, tensor: int) -> tuple[float, int]:
        """A tensor's scale and zero point, the first of them."""
        q = self.graph.tensors[tensor].quantization
        return q.scale[0], q.zeroPoint[0]
