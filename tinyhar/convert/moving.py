"""What operators that only move or pick values do: PAD, CONCATENATION, REDUCE_MAX."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyhar.convert.graph import Graph, Operator
from tinyhar.convert.parameters import check_same_scale
from tinyhar.convert.reductions import reduced_axes
from tinyhar.errors import ModelError


@dataclass(frozen=True)
class Padding:
    """An image (height, width, channels) with `before` and `after` values of `value` around it."""

    input: tuple[int, int, int]
    before: tuple[int, int, int]
    after: tuple[int, int, int]
    value: int

    @property
    def output(self) -> tuple[int, int, int]:
        """The padded image's size."""
        sizes = zip(self.before, self.input, self.after, strict=True)
        height, width, channels = (sum(size) for size in sizes)
        return height, width, channels


@dataclass(frozen=True)
class Joining:
    """Rows of `widths` values of each input, one after another, `outer` times."""

    outer: int
    widths: tuple[int, ...]


def padding(graph: Graph, operator: Operator) -> Padding:
    """Parameters of PAD and PADV2.

    Raises:
        ModelError: a padded batch, more than four axes, or unequal quantisation.
    """
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    check_same_scale(graph, operator)
    pads = graph.constant(operator, 1)
    rank = len(source.shape)
    if pads is None or pads.dtype != np.int32 or pads.shape != (rank, 2) or rank > 4:
        raise ModelError(f"{graph.name_of(operator)}: expected int32 paddings of at most four axes")
    pairs = [(0, 0)] * (4 - rank) + [(int(a), int(b)) for a, b in pads]
    if min(map(min, pairs)) < 0 or pairs[0] != (0, 0):
        raise ModelError(f"{graph.name_of(operator)}: paddings {pads.tolist()} are not supported")
    shape = (1,) * (4 - rank) + source.shape
    p = Padding(
        (shape[1], shape[2], shape[3]),
        (pairs[1][0], pairs[2][0], pairs[3][0]),
        (pairs[1][1], pairs[2][1], pairs[3][1]),
        _pad_value(graph, operator),
    )
    if ((1,) * (4 - rank) + target.shape)[1:] != p.output:
        raise ModelError(f"{graph.name_of(operator)}: output shape does not fit the paddings")
    return p


def _pad_value(graph: Graph, operator: Operator) -> int:
    target = graph.tensors[operator.output]
    if operator.kind == "PAD":
        return target.zero_point
    value = graph.constant(operator, 2)
    tensor = graph.tensors[operator.inputs[2]]
    if value is None or value.dtype != np.int8 or value.size != 1:
        raise ModelError(f"{graph.name_of(operator)}: expected one int8 value to pad with")
    if tensor.zero_point != target.zero_point:
        raise ModelError(f"{graph.name_of(operator)}: the value to pad with is on another scale")
    return int(value.reshape(-1)[0])


def joining(graph: Graph, operator: Operator) -> Joining:
    """Parameters of CONCATENATION.

    Raises:
        ModelError: inputs of unequal quantisation (TFLM would mix their bytes), shapes that do not
            fit together, or a fused activation.
    """
    target = graph.tensors[operator.output]
    shapes = [graph.tensors[i].shape for i in operator.inputs]
    rank = len(target.shape)
    axis = operator.options.axis % rank
    check_same_scale(graph, operator)
    if operator.options.activation != "NONE":
        raise ModelError(f"{graph.name_of(operator)}: a fused activation is not supported")
    for shape in shapes:
        if len(shape) != rank or any(
            a != b for i, (a, b) in enumerate(zip(shape, target.shape, strict=True)) if i != axis
        ):
            raise ModelError(
                f"{graph.name_of(operator)}: {list(shape)} does not fit into "
                f"{list(target.shape)} along axis {axis}"
            )
    if not -rank <= operator.options.axis < rank or (
        sum(shape[axis] for shape in shapes) != target.shape[axis]
    ):
        raise ModelError(f"{graph.name_of(operator)}: output shape does not fit the inputs")
    inner = math.prod(target.shape[axis + 1 :])
    return Joining(math.prod(target.shape[:axis]), tuple(s[axis] * inner for s in shapes))


def largest(graph: Graph, operator: Operator) -> tuple[int, int, int]:
    """Parameters of REDUCE_MAX: the input as [outer, count, inner], greatest over `count`.

    Raises:
        ModelError: axes that are not neighbours, or unequal quantisation (TFLM refuses that too).
    """
    check_same_scale(graph, operator)
    return reduced_axes(graph, operator)
