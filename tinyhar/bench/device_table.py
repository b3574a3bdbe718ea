"""Costs on the device as a table and as JSON, beside TensorFlow Lite Micro's where known."""

from __future__ import annotations

import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tinyhar.band.cortex_m4 import DeviceCost

_TFLM = Path(__file__).with_name("tflm_costs.toml")


@dataclass(frozen=True)
class TflmCost:
    """What TensorFlow Lite Micro with CMSIS-NN takes; `flash` without the model."""

    model: str
    instructions: int
    flash: int
    model_bytes: int
    ram: int
    stack: int


@cache
def _known() -> dict[str, TflmCost]:
    table = tomllib.loads(_TFLM.read_text(encoding="utf-8"))
    return {digest: TflmCost(**row) for digest, row in table.items()}


def tflm_cost(tflite: bytes) -> TflmCost | None:
    """TFLM's cost of exactly this model, if somebody measured it."""
    return _known().get(hashlib.sha256(tflite).hexdigest())


def as_json(costs: Sequence[DeviceCost]) -> dict[str, Any]:
    """For machines: {"models": [...]}, layers included."""
    return {
        "models": [
            {
                "model": cost.model,
                "instructions_per_window": cost.instructions_per_window,
                "engine_code_bytes": cost.engine_code_bytes,
                "model_bytes": cost.model_bytes,
                "ram_bytes": cost.ram_bytes,
                "stack_bytes": cost.stack_bytes,
                "mismatched_bytes": cost.mismatched_bytes,
                "windows": cost.windows,
                "golden": cost.golden,
                "kept_layers": cost.kept,
                "layers": [vars(layer) for layer in cost.layers],
            }
            for cost in costs
        ]
    }


HEADER = ("model", "instructions", "engine code", "model", "RAM", "stack", "wrong bytes")


def rows(costs: Sequence[tuple[DeviceCost, TflmCost | None]]) -> list[tuple[str, ...]]:
    """A row a model; under it TFLM's, and ours as a share of it."""
    found: list[tuple[str, ...]] = []
    for cost, theirs in costs:
        ours = (
            cost.instructions_per_window,
            cost.engine_code_bytes,
            cost.model_bytes,
            cost.ram_bytes,
            cost.stack_bytes,
        )
        found.append((cost.model, *map(_count, ours), _count(cost.mismatched_bytes)))
        if theirs:
            figures = (
                theirs.instructions,
                theirs.flash,
                theirs.model_bytes,
                theirs.ram,
                theirs.stack,
            )
            found.append(("  TFLM, CMSIS-NN", *map(_count, figures), ""))
            shares = (f"{a / b:.2f}" for a, b in zip(ours, figures, strict=True))
            found.append(("  share of it", *shares, ""))
    return found


def layer_rows(cost: DeviceCost) -> list[tuple[str, str, str, str]]:
    """Name, operator, instructions and share of each layer, then sums by operator."""
    total = sum(layer.instructions for layer in cost.layers)
    found = [
        (layer.name, layer.operator, _count(layer.instructions), _share(layer.instructions, total))
        for layer in cost.layers
    ]
    sums: dict[str, int] = defaultdict(int)
    for layer in cost.layers:
        sums[layer.operator] += layer.instructions
    found += [
        (f"all {operator}", "", _count(count), _share(count, total))
        for operator, count in sorted(sums.items(), key=lambda item: -item[1])
    ]
    return found


def _count(value: int) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
