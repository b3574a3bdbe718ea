"""What a model takes on a band, and what it may take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from tinyhar.band.cortex_m4 import device
from tinyhar.band.workload import overlapping, with_random_windows

UNITS: Final = {
    "flash_bytes": "bytes of flash",
    "ram_bytes": "bytes of RAM",
    "instructions": "instructions",
}


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

    def told(self, cost: Cost) -> str:
        """Where a cost is over: "30,000 bytes of flash for 24,576"."""
        return ", ".join(
            f"{getattr(cost, name):,} {UNITS[name]} for {getattr(self, name):,}"
            for name in self.excess(cost)
        )


def cost_of(name: str, tflite: bytes, *, hop: int = 0, extra_ram: int = 0) -> Cost:
    """Compile an int8 model, boot it on the emulated Cortex-M4, and count.

    Args:
        name: for messages.
        tflite: the model.
        hop, extra_ram: as for :func:`tinyhar.convert.compiled.compile_model`.

    Raises:
        ModelError: a model that the engine cannot run, or answers of the board that are not the
            desk's.
        ToolError: no cross compiler or no QEMU.
    """
    work = with_random_windows(name, tflite)
    if hop and extra_ram:
        work = overlapping(work, hop, extra_ram)
    with device() as target:
        found = target.measure(work)
    found.check_exact()
    return Cost(
        found.model_bytes + found.engine_code_bytes,
        found.ram_bytes + found.stack_bytes,
        found.instructions_per_window,
    )
