"""Compile a .tflite for the band's own engine: operators in a short table, weights packed.

The payload is what `firmware/engine/compiled/plan.h` describes: a header of 32 bytes, 52 bytes an
operator, then weights, little-endian, 16-aligned as a whole. RESHAPE costs nothing, MAX_POOL_2D by
two along time is taken into the convolution before it and PAD into the one after it, ADD, MUL,
SOFTMAX and tables (of one value each) work in place; equal tables are stored once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tinyhar.convert import parameters
from tinyhar.convert.graph import read_graph
from tinyhar.convert.kept import best_kept
from tinyhar.convert.memory import place_steps
from tinyhar.convert.step import TABLE, LayerInfo, Step
from tinyhar.convert.steps import steps_of
from tinyhar.errors import ModelError

__all__ = ["VERSION", "CompiledModel", "LayerInfo", "compile_model"]

VERSION: Final = 1
"""Of the payload's format; the engine refuses any other."""
_MAGIC: Final = 0x4D434854
_HEADER: Final = struct.Struct("<IBBHIIIIII")
_KEPT_AT: Final = 5
_OPERATOR: Final = struct.Struct("<BBbbbbH14HIIII")


def kept_layers(payload: bytes) -> int:
    """How many layers' outputs stay from window to window in a compiled model."""
    return payload[_KEPT_AT] if len(payload) > _KEPT_AT else 0


@dataclass(frozen=True)
class CompiledModel:
    """A payload for the compiled engine and what it needs to run."""

    payload: bytes
    arena_bytes: int
    layers: tuple[LayerInfo, ...]
    kernels: int
    """A bit for each kind of kernel that it runs: THAR_KERNELS of an image that runs no other."""
    kept: int = 0
    """Layers, from the first, whose outputs stay from window to window."""


def compile_model(
    tflite: bytes, *, hop: int = 0, extra_ram: int = 0, kept: int | None = None
) -> CompiledModel:
    """Compile an int8 .tflite.

    Layers whose channels take at most 16 values get four bits a weight where that saves a quarter
    of their flash or more; they are slower (see :mod:`tinyhar.convert.clustered`).

    Args:
        tflite: the model.
        hop: samples from one window's start to the next one's, where the first layers' outputs
            shall stay from window to window and only what is new be computed; 0: they do not.
        extra_ram: bytes of arena that this may take more.
        kept: so many layers' outputs stay, whatever it takes; None: the best number for `hop`.

    Raises:
        ModelError: a model that the engine cannot run; the text names operator and layer.
    """
    graph = read_graph(tflite)
    steps = steps_of(graph)
    if kept is None:
        kept = best_kept(graph, steps, hop, extra_ram) if hop else 0
    arena = place_steps(graph, steps, kept)
    start = _HEADER.size + _OPERATOR.size * len(steps)
    rows, data = b"", b""
    tables: dict[bytes, int] = {}
    for step in steps:
        if step.kind == TABLE and step.data in tables:
            rows += _row(step, tables[step.data])
            continue
        data += bytes(-(start + len(data)) % 4)
        rows += _row(step, start + len(data))
        if step.kind == TABLE:
            tables[step.data] = start + len(data)
        data += step.data
    data += bytes(-(start + len(data)) % 16)
    source, target = graph.tensors[graph.input], graph.tensors[graph.output]
    header = _HEADER.pack(
        _MAGIC,
        VERSION,
        kept,
        len(steps),
        start + len(data),
        arena.bytes,
        arena.offsets[graph.input],
        source.size,
        arena.offsets[graph.output],
        target.size,
    )
    return CompiledModel(
        header + rows + data,
        arena.bytes,
        tuple(s.layer for s in steps),
        sum({1 << s.kind for s in steps}),
        kept,
    )


def _row(step: Step, data: int) -> bytes:
    w = step.window or parameters.Window((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (0, 0))
    numbers = (*step.input, *step.output, *w.kernel, *w.stride, *w.dilation, *w.pad)
    if max(numbers) > 0xFFFF or min(numbers) < 0:
        raise ModelError(
            f"{step.layer.operator} '{step.layer.name}': a size of {max(numbers)} is more than "
            "the engine's 65535"
        )
    offsets = (step.offsets["input"], step.offsets["output"], step.offsets["other"], data)
    return _OPERATOR.pack(
        step.kind, step.pool, *step.zeros, step.low, step.high, step.tile, *numbers, *offsets
    )
