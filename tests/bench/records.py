"""Records of cells that nobody ran: scores that follow a rule, so that tables can be checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyhar.bench.cells import Cell

Score = Callable[[Cell], float]

PARAMETERS = {
    "deep_conv_lstm": 391_000,
    "tinier_har": 7_300,
    "self_attention": 422_000,
    "ign": 58_000,
    "gmp": 1_500,
    "forest": 31_000,
}


def record_of(cell: Cell, f1: float) -> dict[str, Any]:
    """What `work.make` would have found if the cell's macro-F1 were `f1`."""
    test = [cell.fold] if cell.fold else list(cell.recipe.split.test)
    judged = {
        "macro_f1": f1,
        "accuracy": f1,
        "class_f1": [f1] * 3,
        "subject_f1": {person: f1 + 0.01 * i for i, person in enumerate(test)},
        "subject_windows": dict.fromkeys(test, 10),
    }
    int8 = cell.arithmetic == "int8"
    return {
        **{"id": cell.id, "key": cell.key, "protocol": cell.protocol, "method": cell.method},
        **{"group": cell.group, "arithmetic": cell.arithmetic, "size": cell.size},
        **{"fold": cell.fold, "seed": cell.seed, "quick": cell.quick, "version": "0"},
        **{"finished": "2024-01-01T00:00:00+00:00", "classes": ["a", "b", "c"]},
        "split": {"train": ["x"], "validation": ["y"], "test": test},
        "int8": judged if int8 else None,
        "float": {**judged, "macro_f1": f1 + 0.002},
        "teacher_f1": f1 + 0.01 if cell.needs_teacher else None,
        "parameters": PARAMETERS.get(cell.method, (cell.size or 10_000) - 300),
        "macs": None if cell.arithmetic == "forest" else 500_000,
        "device": DEVICE if int8 else None,
        "senses": senses_of(cell),
        "seconds": 100.0,
    }


DEVICE = {"flash_bytes": 19_152, "ram_bytes": 3_248, "instructions": 602_307}


def senses_of(cell: Cell) -> dict[str, Any]:
    """As the cell's recipe says."""
    data = cell.recipe.data
    places = len(data.positions or [""])
    return {
        "positions": places,
        "kinds": list(data.kinds),
        "channels": 3 * places * len(data.kinds),
        "rate": data.rate,
        "stride": data.stride,
    }


def plausible(cell: Cell) -> float:
    """A score as a bench might find it: by protocol and method, with the seed's noise."""
    base = {"hapt": 0.955, "motionsense": 0.90, "spsw-watch": 0.84, "dsads-wrist": 0.65}
    gain = {"none": -0.012, "hinton": 0.004, "fitnet": -0.004, "at": -0.002, "smldist": 0.008}
    other = {"deep_conv_lstm": -0.03, "self_attention": -0.02, "gmp": -0.09, "forest": -0.07}
    rng = np.random.default_rng([cell.seed, *cell.id.encode()])
    small = -0.012 if (cell.size or 15_000) < 5000 else 0.0
    person = 0.05 * (int(cell.fold) % 4 - 1.5) if cell.fold else 0.0
    shift = {**gain, **other}.get(cell.method, 0.0)
    return base.get(cell.protocol, 0.9) + small + shift + person + 0.006 * rng.standard_normal()
