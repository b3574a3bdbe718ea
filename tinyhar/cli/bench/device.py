"""``tinyhar bench device``: what models cost on an emulated Cortex-M4."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tinyhar.cli.status import BAD_VERDICT
from tinyhar.cli.tables import show


def device(
    models: Annotated[
        list[Path],
        typer.Option(
            "--models",
            help="A .tflite file, a folder of them, or a run folder; repeatable.",
        ),
    ],
    hop: Annotated[
        int,
        typer.Option(
            help="A stream's windows, too: so many samples from one to the next, where the first "
            "layers' outputs stay and only what is new is computed.",
            min=0,
        ),
    ] = 0,
    extra_ram: Annotated[
        int, typer.Option(help="--hop: bytes that this may take at most.", min=0)
    ] = 1 << 20,
    layers: Annotated[bool, typer.Option("--layers", help="Every layer's share, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Run models in the compiled engine on an emulated Cortex-M4, and count.

    Instructions are those of one window, int8 input to logits; answers are compared with the golden
    vectors beside a model (NAME_golden.npz), else with the desk's. Exit status 1: a byte differs.
    """
    from tinyhar.band import cortex_m4, workload
    from tinyhar.bench import device_table

    found = workload.find(models)
    if hop:
        pairs = ((one, workload.overlapping(one, hop, extra_ram)) for one in found)
        found = [each for pair in pairs for each in pair]
    with cortex_m4.device() as target:
        costs = [target.measure(one) for one in found]
    if as_json:
        print(json.dumps(device_table.as_json(costs), indent=2))
    else:
        known = [None if one.hop else device_table.tflm_cost(one.tflite) for one in found]
        show(device_table.HEADER, device_table.rows(list(zip(costs, known, strict=True))))
        for cost in costs if layers else []:
            header = (cost.model, "operator", "instructions", "share")
            show(header, device_table.layer_rows(cost))
        print(f"answers compared with: {', '.join(dict.fromkeys(c.golden for c in costs))}")
    if any(cost.mismatched_bytes for cost in costs):
        sys.exit(BAD_VERDICT)
