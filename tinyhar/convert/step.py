"""One row of the compiled engine's operator table, before memory is placed."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyhar.convert import parameters

CONV, DEPTHWISE, CONV_WIDE, DEPTHWISE_WIDE = range(4)
MAX_POOL, AVERAGE_POOL, MEAN, ADD, SOFTMAX = range(4, 9)
TABLE, MUL, PAD, CONCATENATION, CONV_CLUSTERED = range(9, 14)
PACKED_CONV = (CONV, CONV_CLUSTERED)
"""Convolutions over time that pool, tile and keep alike."""


@dataclass(frozen=True)
class LayerInfo:
    """One step of the compiled model, in the order in which a traced run reports them."""

    name: str
    operator: str
    output_tensor: int
    """The tensor of the .tflite that this step's output equals."""


@dataclass
class Step:
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
    expanded: int = 0
    """Bytes of a pair of clustered channels' weights, which the kernel expands beside that."""
    before: int = 0
    """Bytes that must be free before the input, for padding; `after` likewise."""
    after: int = 0
    tile: int = 1
    data: bytes = b""
    """What the kernel reads in the model; a concatenation's is known once memory is placed."""
    in_place: bool = False
    """Whether the output may take the memory of `source`."""
    offsets: dict[str, int] = field(default_factory=dict)
    rows: tuple[tuple[int, int], ...] = ()
    """Of a concatenation: (tensor, bytes a row) of each input."""

    @property
    def sources(self) -> tuple[int, ...]:
        """All tensors that the step reads, the first first."""
        if self.rows:
            return tuple(tensor for tensor, _ in self.rows)
        return (self.source, self.second) if self.second >= 0 else (self.source,)
