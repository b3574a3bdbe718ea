"""What a student would take on a band, before it is trained: converted, compiled, booted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tinyhar.band import budget
from tinyhar.errors import ModelError
from tinyhar.search.space import Candidate

CALIBRATION: Final = 64
"""Random windows: the scales are nonsense, shapes and costs are not."""


@dataclass(frozen=True)
class Cost(budget.Cost):
    """On the band, and the two figures that networks are usually compared by."""

    parameters: int
    macs: int


def cost_of(
    candidate: Candidate, channels: int, classes: int, *, hop: int = 0, extra_ram: int = 0
) -> dict[str, Any]:
    """Build, convert and boot a student; the fields of :class:`Cost`.

    Args:
        hop, extra_ram: as for :func:`tinyhar.convert.compiled.compile_model`.

    Raises:
        ModelError: a student that cannot be: its window is too short, say.
        ToolError: no cross compiler or no QEMU.
    """
    from tinyhar import compress, models

    shape = (candidate.window, channels, classes)
    student = models.build("separable", *shape, seed=0, **candidate.options)
    x = np.random.default_rng(0).normal(size=(CALIBRATION, 1, candidate.window, channels))
    tflite = compress.to_tflite(student, calibration=x.astype(np.float32), isolated=False)
    size = models.total_cost(student)
    return {
        **vars(budget.cost_of(candidate.name, tflite, hop=hop, extra_ram=extra_ram)),
        "parameters": size.parameters,
        "macs": size.macs,
    }


def affordable(costs: dict[Candidate, Cost], limits: budget.Budget) -> list[Candidate]:
    """Candidates within the budget.

    Raises:
        ModelError: there is none; names the nearest, and by how much it is over.
    """
    within = [candidate for candidate, cost in costs.items() if not limits.excess(cost)]
    if within or not costs:
        return within
    nearest = min(costs, key=lambda candidate: max(limits.excess(costs[candidate]).values()))
    raise ModelError(
        f"no student of {len(costs)} meets the budget; the nearest, {nearest.name}, takes "
        f"{limits.told(costs[nearest])}: "
        "raise the budget, try more --candidates, or shorten the --window"
    )
