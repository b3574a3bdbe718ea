"""What a model costs: parameters, multiply-accumulates, bytes in flash and over the air."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Final

from tinyhar.convert.graph import Graph, Operator

WEIGHTED: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""Operators that multiply by weights."""


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


def graph_parameters(graph: Graph) -> int:
    """Weights and biases that a converted model holds (after folding, so without batch norms)."""
    return sum(
        graph.tensors[tensor].size
        for operator in graph.operators
        for tensor in operator.inputs[1:]
        if operator.kind in WEIGHTED and tensor >= 0
    )


def graph_macs(graph: Graph) -> int:
    """Multiply-accumulates of one window through a converted model; see `layer_macs`."""
    return sum(layer_macs(graph, operator) for operator in graph.operators)


def layer_macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one operator: every weight once for each place of the output.

    Taps on padding count (the usual convention); biases, pooling and additions do not.
    """
    if operator.kind not in WEIGHTED:
        return 0
    output = graph.tensors[operator.output]
    return graph.tensors[operator.inputs[1]].size * (output.size // output.shape[-1])
