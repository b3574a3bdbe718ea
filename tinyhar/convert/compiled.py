"""Compile a .tflite for the band's own engine: operators in a short table, weights packed.

The payload is what `firmware/engine/compiled/plan.h` describes: a header of 32 bytes, 52 bytes an
operator, then weights, little-endian, 16-aligned as a whole. RESHAPE costs nothing, MAX_POOL_2D by
two along time is taken into the convolution before it, ADD and SOFTMAX work in place.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Final

from tinyhar.convert import packing, parameters
from tinyhar.convert.graph import Graph, Operator, read_graph
from tinyhar.convert.placement import Block, place
from tinyhar.errors import ModelError

VERSION: Final = 1
"""Of the payload's format; the engine refuses any other."""
_MAGIC: Final = 0x4D434854
_HEADER: Final = struct.Struct("<IHHIIIIII")
_OPERATOR: Final = struct.Struct("<BBbbbbH14HIIII")
_CONV, _DEPTHWISE, _CONV_WIDE, _DEPTHWISE_WIDE = range(4)
_MAX_POOL, _AVERAGE_POOL, _MEAN, _ADD, _SOFTMAX = range(4, 9)


@dataclass(frozen=True)
class LayerInfo:
    """One step of the compiled model, in the order in which a traced run reports them."""

    name: str
    operator: str
    output_tensor: int
    """The tensor of the .tflite that this step's output equals."""


@dataclass(frozen=True)
class CompiledModel:
    """A payload for the compiled engine and what it needs to run."""

    payload: bytes
    arena_bytes: int
    layers: tuple[LayerInfo, ...]


@dataclass
class _Step:
    """One row of the operator table before memory is placed."""

    kind: int
    layer: LayerInfo
    source: int
    target: int
    second: int = -1
    zeros: tuple[int, int] = (0, 0)
    low: int = -128
    high: int = 127
    input: tuple[int, int, int] = (1, 1, 1)
    output: tuple[int, int, int] = (1, 1, 1)
    window: parameters.Window | None = None
    pool: int = 1
    scratch: int = 0
    """Bytes that the kernel works in; a convolution's for one pair of outputs."""
    before: int = 0
    """Bytes that must be free before the input, for padding; `after` likewise."""
    after: int = 0
    tile: int = 1
    data: bytes = b""
    in_place: bool = False
    offsets: dict[str, int] = field(default_factory=dict)


def compile_model(tflite: bytes) -> CompiledModel:
    """Compile an int8 .tflite.

    Raises:
        ModelError: a model that the engine cannot run; the text names operator and layer.
    """
    graph = read_graph(tflite)
    alias = _aliases(graph)
    steps = _fuse_pools(graph, [_step(graph, o) for o in graph.operators if o.kind != "RESHAPE"])
    arena = _place(graph, steps, alias)
    start = _HEADER.size + _OPERATOR.size * len(steps)
    rows, data = b"", b""
    for step in steps:
        data += bytes(-(start + len(data)) % 4)
        rows += _row(graph, step, start + len(data))
        data += step.data
    data += bytes(-(start + len(data)) % 16)
    source, target = graph.tensors[graph.input], graph.tensors[graph.output]
    header = _HEADER.pack(
        _MAGIC,
        VERSION,
        len(steps),
        start + len(data),
        arena.bytes,
        arena.offsets[graph.input],
        source.size,
        arena.offsets[graph.output],
        target.size,
    )
    return CompiledModel(header + rows + data, arena.bytes, tuple(s.layer for s in steps))


def _aliases(graph: Graph) -> dict[int, int]:
    """Tensor -> the tensor whose memory it shares: RESHAPE's output is its input."""
    alias = {graph.input: graph.input}
    for operator in graph.operators:
        reshaped = operator.kind == "RESHAPE"
        alias[operator.output] = alias[operator.inputs[0]] if reshaped else operator.output
        sizes = [graph.tensors[t].size for t in (operator.inputs[0], operator.output)]
        if reshaped and sizes[0] != sizes[1]:
            raise ModelError(f"{graph.name_of(operator)}: sizes differ")
    return alias


def _step(graph: Graph, operator: Operator) -> _Step:
    layer = LayerInfo(graph.tensors[operator.output].name, operator.kind, operator.output)
    step = _Step(-1, layer, operator.inputs[0], operator.output)
    if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return _weighted(graph, operator, step)
    if operator.kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        pool = parameters.pool(graph, operator)
        channels = graph.tensors[operator.output].shape[3]
        return replace(
            step,
            kind=_MAX_POOL if operator.kind == "MAX_POOL_2D" else _AVERAGE_POOL,
            window=pool.window,
            input=(*pool.window.input, channels),
            output=(*pool.window.output, channels),
            low=pool.low,
            high=pool.high,
        )
    return _pointwise(graph, operator, step)


def _weighted(graph: Graph, operator: Operator, step: _Step) -> _Step:
    p = packing.without_dead_channels(parameters.weighted(graph, operator))
    packed = packing.can_pack(p)
    inputs = p.weights[0].size
    channels = len(p.weights)
    in_channels = graph.tensors[operator.inputs[0]].size // (p.window.input[0] * p.window.input[1])
    if p.depthwise:
        packed = packed and in_channels == channels
        kind = _DEPTHWISE if packed else _DEPTHWISE_WIDE
        data = packing.pack_depthwise(p) if packed else packing.pack_plain(p)
        scratch = 8 * inputs if packed else 0
    else:
        kind = _CONV if packed else _CONV_WIDE
        data = packing.pack_convolution(p) if packed else packing.pack_plain(p)
        scratch = (4 if p.window.output[1] > 1 else 2) * _quads(inputs) if packed else 0
    room = _room(p.window, in_channels, 0 if p.depthwise else _quads(inputs) - inputs)
    return replace(
        step,
        before=room[0] if packed else 0,
        after=room[1] if packed else 0,
        kind=kind,
        zeros=(p.in_zero, p.out_zero),
        low=p.low,
        high=p.high,
        window=p.window,
        input=(*p.window.input, in_channels),
        output=(*p.window.output, channels),
        scratch=scratch,
        data=data,
    )


def _quads(inputs: int) -> int:
    """`inputs` rounded up to what the kernels read at once."""
    return -(-inputs // 4) * 4


def _room(window: parameters.Window, channels: int, overread: int) -> tuple[int, int]:
    """Bytes before and after an input that a packed kernel fills with padding or over-reads."""
    reach = (window.output[1] - 1) * window.stride[1] + (window.kernel[1] - 1) * window.dilation[1]
    after = max(reach + 1 - window.pad[1] - window.input[1], 0)
    return window.pad[1] * channels, after * channels + overread


def _pointwise(graph: Graph, operator: Operator, step: _Step) -> _Step:
    shape = graph.tensors[operator.inputs[0]].shape
    rows, columns = graph.tensors[operator.inputs[0]].size // shape[-1], shape[-1]
    flat = (1, rows, columns)
    if operator.kind == "ADD":
        a = parameters.addition(graph, operator)
        return replace(
            step,
            kind=_ADD,
            second=operator.inputs[1],
            zeros=(a.zeros[0], a.zeros[2]),
            low=a.low,
            high=a.high,
            input=flat,
            output=flat,
            data=struct.pack("<7i", *a.multipliers, *a.shifts, a.zeros[1]),
            in_place=True,
        )
    if operator.kind == "MEAN":
        m = parameters.mean(graph, operator)
        return replace(
            step,
            kind=_MEAN,
            zeros=(m.in_zero, m.out_zero),
            input=(m.outer, m.count, m.inner),
            output=(1, m.outer, m.inner),
            data=struct.pack("<3i", m.multiplier, m.shift, 0),
        )
    s = parameters.softmax(graph, operator)
    return replace(
        step,
        kind=_SOFTMAX,
        input=flat,
        output=flat,
        data=struct.pack("<3i", s.multiplier, s.shift, s.lowest),
        in_place=True,
    )


def _fuse_pools(graph: Graph, steps: list[_Step]) -> list[_Step]:
    """Take each maximum of two neighbours in time into the convolution that feeds only it."""
    fused: list[_Step] = []
    for step in steps:
        before = fused[-1] if fused else None
        if before is not None and _halves(graph, before, step):
            fused[-1] = replace(
                before,
                layer=step.layer,
                target=step.target,
                output=step.output,
                low=max(before.low, step.low),
                high=min(before.high, step.high),
                pool=2,
            )
        else:
            fused.append(step)
    return fused


def _halves(graph: Graph, before: _Step, step: _Step) -> bool:
    w = step.window
    if before.kind != _CONV or before.pool != 1 or step.kind != _MAX_POOL or w is None:
        return False
    readers = sum(o.inputs.count(before.target) for o in graph.operators)
    return (
        step.source == before.target
        and readers == 1
        and graph.output != before.target
        and w.kernel == w.stride == (1, 2)
        and w.pad == (0, 0)
        and max(before.low, step.low) >= before.zeros[1]
        and w.output[1] * 2 <= w.input[1]
    )


@dataclass(frozen=True)
class _Arena:
    bytes: int
    offsets: dict[int, int]


def _place(graph: Graph, steps: list[_Step], alias: dict[int, int]) -> _Arena:
    """Offsets of every tensor and of each step's scratch; sets the steps' offsets and tiles."""
    owner, first, last = _lifetimes(graph, steps, alias)
    before, after = dict.fromkeys(first, 0), dict.fromkeys(first, 0)
    for step in steps:
        source = owner[alias[step.source]]
        before[source] = max(before[source], -(-step.before // 4) * 4)
        after[source] = max(after[source], step.after)
    tensors = list(first)
    blocks = [
        Block(before[t] + graph.tensors[t].size + after[t], first[t], last[t]) for t in tensors
    ]
    offsets, total = place(blocks + [Block(s.scratch, i, i) for i, s in enumerate(steps)])
    at = {t: offsets[i] + before[t] for i, t in enumerate(tensors)}
    places = {t: at[o] for t, o in owner.items()}
    for i, step in enumerate(steps):
        busy = [
            (offsets[j], offsets[j] + b.bytes)
            for j, b in enumerate(blocks)
            if b.first <= i <= b.last
        ]
        gap, room = _largest_gap(busy, total)
        if step.kind == _CONV:
            step.tile = max(1, min(room // step.scratch, step.output[1] * step.pool // 2))
        step.offsets = {
            "input": places[alias[step.source]],
            "output": places[alias[step.target]],
            "other": places[alias[step.second]] if step.second >= 0 else gap,
        }
    return _Arena(total, {t: places[o] for t, o in alias.items() if o in places})


def _largest_gap(busy: list[tuple[int, int]], total: int) -> tuple[int, int]:
    """Offset (a multiple of 4) and length of the longest stretch of [0, total) that is not busy."""
    best, at = (0, 0), 0
    for start, end in [*sorted(busy), (total, total)]:
        if start - at > best[1]:
            best = (at, start - at)
        at = max(at, -(-end // 4) * 4)
    return best


def _lifetimes(
    graph: Graph, steps: list[_Step], alias: dict[int, int]
) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Tensor -> the tensor whose memory it takes; that one's first and last step."""
    last: dict[int, int] = {alias[graph.output]: len(steps)}
    for i, step in enumerate(steps):
        for tensor in (step.source, step.second):
            if tensor >= 0:
                last[alias[tensor]] = max(last.get(alias[tensor], 0), i)
    owner = {alias[graph.input]: alias[graph.input]}
    first = {alias[graph.input]: -1}
    last.setdefault(alias[graph.input], 0)
    for i, step in enumerate(steps):
        source = owner[alias[step.source]]
        second = owner[alias[step.second]] if step.second >= 0 else -1
        share = step.in_place and last[source] == i and second != source
        owner[step.target] = source if share else step.target
        if not share:
            first[step.target] = i
        last[owner[step.target]] = max(last.get(owner[step.target], i), last.get(step.target, i))
    return owner, first, last


def _row(graph: Graph, step: _Step, data: int) -> bytes:
    w = step.window or parameters.Window((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (0, 0))
    numbers = (*step.input, *step.output, *w.kernel, *w.stride, *w.dilation, *w.pad)
    if max(numbers) > 0xFFFF:
        raise ModelError(
            f"{step.layer.operator} '{step.layer.name}': a size of {max(numbers)} is more than "
            "the engine's 65535"
        )
    offsets = (step.offsets["input"], step.offsets["output"], step.offsets["other"], data)
    return _OPERATOR.pack(
        step.kind, step.pool, *step.zeros, step.low, step.high, step.tile, *numbers, *offsets
    )
