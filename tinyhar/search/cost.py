"""What a student would take on a band, before it is trained: converted, compiled, booted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from tinyhar.errors import ModelError
from tinyhar.search.space import Candidate

CALIBRATION: Final = 64
"""Random windows: the scales are nonsense, shapes and costs are not."""


@dataclass(frozen=True)
class Cost:
    """Of the band's model with its engine.

    Attributes:
        flash_bytes: compiled model and engine.
        ram_bytes: activations, the engine's state, and the stack of one inference.
        instructions: for one window, on the emulated Cortex-M4.
    """

    flash_bytes: int
    ram_bytes: int
    instructions: int
    parameters: int
    macs: int


@dataclass(frozen=True)
class Budget:
    """Upper limits; None: as much as it likes."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None

    def excess(self, cost: Cost) -> dict[str, float]:
        """By which factor a cost is over each limit that it breaks."""
        limits = {field.name: getattr(self, field.name) for field in fields(self)}
        ratios = {
            name: getattr(cost, name) / limit for name, limit in limits.items() if limit is not None
        }
        return {name: ratio for name, ratio in ratios.items() if ratio > 1}


def cost_of(candidate: Candidate, channels: int, classes: int) -> dict[str, Any]:
    """Build, convert and boot a student; the fields of :class:`Cost`.

    Raises:
        ModelError: a student that cannot be: its window is too short, say.
        ToolError: no cross compiler or no QEMU.
    """
    from tinyhar import compress, models
    from tinyhar.bench.device import device
    from tinyhar.bench.workload import with_random_windows

    shape = (candidate.window, channels, classes)
    student = models.build("separable", *shape, seed=0, **candidate.options)
    x = np.random.default_rng(0).normal(size=(CALIBRATION, 1, candidate.window, channels))
    tflite = compress.to_tflite(student, calibration=x.astype(np.float32), isolated=False)
    with device() as target:
        found = target.measure(with_random_windows(candidate.name, tflite))
    size = models.total_cost(student)
    return {
        "flash_bytes": found.model_bytes + found.engine_code_bytes,
        "ram_bytes": found.ram_bytes + found.stack_bytes,
        "instructions": found.instructions_per_window,
        "parameters": size.parameters,
        "macs": size.macs,
    }


def affordable(costs: dict[Candidate, Cost], budget: Budget) -> list[Candidate]:
    """Candidates within the budget.

    Raises:
        ModelError: there is none; names the nearest, and by how much it is over.
    """
    within = [candidate for candidate, cost in costs.items() if not budget.excess(cost)]
    if within or not costs:
        return within
    nearest = min(costs, key=lambda candidate: max(budget.excess(costs[candidate]).values()))
    cost, over = costs[nearest], budget.excess(costs[nearest])
    told = ", ".join(
        f"{getattr(cost, name):,} {UNITS[name]} for {getattr(budget, name):,}" for name in over
    )
    raise ModelError(
        f"no student of {len(costs)} meets the budget; the nearest, {nearest.name}, takes {told}: "
        "raise the budget, try more --candidates, or shorten the --window"
    )


UNITS: Final = {
    "flash_bytes": "bytes of flash",
    "ram_bytes": "bytes of RAM",
    "instructions": "instructions",
}
