"""What MUL computes with: one operand over all of the other, or a gate over its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tinyhar.convert.fixedpoint import activation_range, quantise_multiplier
from tinyhar.convert.graph import Graph, Operator
from tinyhar.errors import ModelError

_LARGEST_SHIFT: Final = 14
"""To the left: products of two centred bytes have 16 bits."""


@dataclass(frozen=True)
class Product:
    """`large` and `small` are the operands' tensors: `small` repeats over the last values.

    `zeros` are the zero points of both and of the output.
    """

    large: int
    small: int
    repeats: int
    period: int
    zeros: tuple[int, int, int]
    multiplier: int
    shift: int
    low: int
    high: int


def product_factor(graph: Graph, operator: Operator) -> tuple[int, int]:
    """(multiplier, shift) of a product of centred bytes.

    Raises:
        ModelError: an output scale so fine that the product leaves 32 bits.
    """
    first, second = (graph.tensors[i] for i in operator.inputs[:2])
    target = graph.tensors[operator.output]
    multiplier, shift = quantise_multiplier(first.scale * second.scale / target.scale)
    if shift > _LARGEST_SHIFT:
        raise ModelError(f"{graph.name_of(operator)}: output scale {target.scale} is too small")
    return multiplier, shift


def product(graph: Graph, operator: Operator) -> Product:
    """Parameters of a MUL of two computed operands.

    Raises:
        ModelError: shapes that neither are equal nor differ by one operand's lack of a time axis.
    """
    first, second = (graph.tensors[i] for i in operator.inputs[:2])
    large, small = (first, second) if first.size >= second.size else (second, first)
    target = graph.tensors[operator.output]
    core = _core(small.shape)
    if target.size != large.size or large.shape[len(large.shape) - len(core) :] != core:
        raise ModelError(
            f"{graph.name_of(operator)}: shapes {list(first.shape)} and {list(second.shape)}; "
            "operands must have the same shape, or one a single value for each channel"
        )
    multiplier, shift = product_factor(graph, operator)
    low, high = activation_range(operator.options.activation, target.scale, target.zero_point)
    return Product(
        large.index,
        small.index,
        large.size // small.size,
        small.size,
        (large.zero_point, small.zero_point, target.zero_point),
        multiplier,
        shift,
        low,
        high,
    )


def _core(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its leading ones."""
    first = next((i for i, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]
