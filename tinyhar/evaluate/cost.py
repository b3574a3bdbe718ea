"""What a model costs in bytes, in flash and over the air."""

from __future__ import annotations

import gzip
from dataclasses import dataclass


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
