"""``tinyhar energy``: what a finished run would cost a battery, as an estimate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tinyhar.cli.tables import show
from tinyhar.errors import DataError
from tinyhar.evaluate import energy as estimates

BATTERY_AH = 0.1
HEADER = (
    *("microcontroller", "stride", "moving", "a window", "a day", "core", "sensor"),
    "100 mAh last",
)


def energy(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    stride: Annotated[
        list[int] | None,
        typer.Option("--stride", min=1, help="Samples from window to window; repeatable."),
    ] = None,
    moving: Annotated[
        list[float] | None,
        typer.Option(
            "--moving",
            min=0,
            max=1,
            help="Share of the day with movement: an idle gate spares the rest; repeatable.",
        ),
    ] = None,
) -> None:
    """Estimate what a run's model costs a battery, on named microcontrollers.

    From the instructions that the emulated Cortex-M4 counted, and from data sheets: an estimate,
    no measurement.
    """
    facts = _facts(run)
    strides = stride or [facts["stride"], 2 * facts["stride"], 4 * facts["stride"]]
    rows = []
    for core in estimates.MICROCONTROLLERS:
        for samples in strides:
            for share in moving or [1.0, 0.25]:
                found = estimates.estimate(
                    core,
                    facts["instructions"],
                    rate=facts["rate"],
                    stride=samples,
                    kinds=facts["kinds"],
                    moving=share,
                )
                rows.append(
                    (
                        core.name,
                        f"{samples / facts['rate']:.2f} s",
                        f"{share:.0%}",
                        f"{1e6 * found.window_j:,.1f} uJ",
                        f"{found.day_j:,.1f} J",
                        f"{1e6 * found.average_a:,.1f} uA",
                        f"{1e6 * found.sensor_a:,.0f} uA",
                        f"{found.days(BATTERY_AH):,.1f} days",
                    )
                )
    show(HEADER, rows)
    Console().print(
        f"Estimates, no measurements: {facts['instructions']:,} instructions a window, "
        f"{estimates.CYCLES_PER_INSTRUCTION} cycles each; sensor {estimates.LSM6DSO.name} with "
        f"{' and '.join(facts['kinds'])}. Sources: "
        + "; ".join(one.source for one in (*estimates.MICROCONTROLLERS, estimates.LSM6DSO))
        + ".",
        soft_wrap=True,
    )


def _facts(run: Path) -> dict[str, Any]:
    """Instructions, stride, rate and kinds of a run.

    Raises:
        DataError: it is not finished, or was not booted on the emulated Cortex-M4.
    """
    try:
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        if metrics.get("kind") == "personal":
            raise DataError(
                f"{run}: a personal run is not booted on the Cortex-M4; its network costs what its "
                "base run's does: name that one"
            )
        instructions = metrics["device"]["instructions_per_window"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{run}: no finished run there ({error}); `tinyhar run` makes one"
        ) from error
    if instructions is None:
        raise DataError(
            f"{run}: nobody counted its instructions; run its recipe with board mps2_an386"
        )
    from tinyhar.band.desk import read_bundle

    bundle, _ = read_bundle(run)
    return {
        "instructions": instructions,
        "stride": bundle.stride,
        "rate": bundle.rate,
        "kinds": sorted({name.rsplit("_", 2)[1] for name in bundle.channels}),
    }
