"""What operators that reduce whole axes compute with: MEAN; REDUCE_MAX shares its axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tinyhar.convert.fixedpoint import quantise_multiplier
from tinyhar.convert.graph import Graph, Operator
from tinyhar.errors import ModelError

_LARGEST_SHIFT: Final = 30


@dataclass(frozen=True)
class Mean:
    """A mean over `count` elements, as [outer, count, inner] of the flattened input."""

    outer: int
    count: int
    inner: int
    multiplier: int
    shift: int
    in_zero: int
    out_zero: int


def reduced_axes(graph: Graph, operator: Operator) -> tuple[int, int, int]:
    """What MEAN and REDUCE_MAX reduce: the input as [outer, count, inner], over `count`.

    Raises:
        ModelError: axes that are not neighbours, or an output that does not fit them.
    """
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    axes_data = graph.constant(operator, 1)
    if axes_data is None:
        raise ModelError(f"{graph.name_of(operator)}: the axes are missing")
    rank = len(source.shape)
    if any(not -rank <= int(a) < rank for a in axes_data.reshape(-1)):
        raise ModelError(f"{graph.name_of(operator)}: axes {axes_data.tolist()} of {rank}")
    axes = sorted({int(a) % rank for a in axes_data.reshape(-1)})
    if not axes or axes != list(range(axes[0], axes[-1] + 1)):
        raise ModelError(f"{graph.name_of(operator)}: axes {axes} are not neighbours")
    outer = int(np.prod(source.shape[: axes[0]], dtype=np.int64))
    count = int(np.prod([source.shape[a] for a in axes], dtype=np.int64))
    inner = source.size // (outer * count)
    if target.size != outer * inner:
        raise ModelError(f"{graph.name_of(operator)}: output shape does not fit the axes")
    return outer, count, inner


def mean(graph: Graph, operator: Operator) -> Mean:
    """Parameters of MEAN; TFLM folds the division into the multiplier.

    Raises:
        ModelError: axes that are not neighbours.
    """
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.output]
    outer, count, inner = reduced_axes(graph, operator)
    multiplier, shift = quantise_multiplier(source.scale / target.scale)
    if shift > _LARGEST_SHIFT:
        raise ModelError(f"{graph.name_of(operator)}: output scale {target.scale} is too small")
    down = min(count.bit_length() - 1, 32, 31 + shift)
    return Mean(
        outer,
        count,
        inner,
        (multiplier << down) // count,
        shift - down,
        source.zero_point,
        target.zero_point,
    )
