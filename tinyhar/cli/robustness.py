"""``tinyhar robustness``: what displacement, a wrong clock, losses and noise cost finished runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from tinyhar.cli.options import DataOption
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import INTERRUPTED
from tinyhar.errors import DataError

if TYPE_CHECKING:
    from tinyhar.evaluate.metrics import Summary
    from tinyhar.evaluate.robustness_results import Group, Tried
    from tinyhar.pipeline.finished import Finished
    from tinyhar.pipeline.folder import RunFolder

console = Console(stderr=True)


def robustness(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Finished run folders; seeds and people of one recipe are averaged."),
    ],
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where page and JSON go.",
            show_default="robustness, or robustness-quick",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few angles, axes and draws: the table's shape.")
    ] = False,
) -> None:
    """What turning, displacement, a wrong clock, lost samples and noise cost a finished run."""
    start_tensorflow()
    from tinyhar.evaluate.robustness_page import render
    from tinyhar.evaluate.robustness_results import as_json, grouped
    from tinyhar.pipeline.finished import opened
    from tinyhar.pipeline.folder import RunFolder

    finished = [opened(folder) for folder in dict.fromkeys(runs)]
    out = out or Path("robustness-quick" if quick else "robustness")
    files = RunFolder(out).made()
    try:
        groups = grouped([_tried(run, data, quick, files) for run in finished])
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    found = {"quick": quick, **as_json(groups)}
    files.write_text("robustness.json", json.dumps(found, indent=1))
    files.write_text("robustness.html", render(groups, quick=quick))
    _show(groups)
    console.print(f"page: [bold]{out / 'robustness.html'}[/]", soft_wrap=True)


def _tried(run: Finished, data: Path | None, quick: bool, files: RunFolder) -> Tried:
    """A run's trials, from an earlier call where nothing has changed since."""
    from tinyhar.pipeline.robust import FULL, QUICK, key, robust

    plan = QUICK if quick else FULL
    kept = f"runs/{key(run, plan)[:16]}.json"
    if (known := _known(files / kept, run)) is not None:
        console.print(f"✓ {run.folder}: as before", soft_wrap=True)
        return known
    with console.status(f"{run.folder}") as status:
        found = robust(
            run,
            data,
            plan=plan,
            tell=lambda name: status.update(f"{run.folder}: {name}"),
        )
    console.print(f"✓ {run.folder}: {len(found.trials)} disturbances", soft_wrap=True)
    for reason in found.left_out:
        console.print(f"  left out: {reason}", soft_wrap=True)
    if not found.left_out:
        files.write_text(kept, json.dumps(asdict(found)))
    return found


def _known(file: Path, run: Finished) -> Tried | None:
    from tinyhar.evaluate.robustness_results import tried_from_json

    try:
        found = tried_from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, DataError):
        return None  # not there, or cut off: tried again
    return replace(found, folder=str(run.folder))


def _show(groups: Sequence[Group]) -> None:
    """The table on the terminal: a column a model, mean ± spread over its runs and the loss."""
    from tinyhar.evaluate.formats import change
    from tinyhar.evaluate.robustness_results import rows

    table = Table(title="macro-F1 on unseen people")
    table.add_column("disturbance")
    for group in groups:
        many = f" ({group.clean.n} runs)" if group.clean.n > 1 else ""
        table.add_column(f"{group.label}{many}", justify="right")
        table.add_column("loss", justify="right")
    clean = [text for group in groups for text in (_short(group.clean), "")]
    table.add_row("[bold]undisturbed[/]", *clean, end_section=True)
    found = rows(groups)
    for row, following in zip(found, [*found[1:], None], strict=True):
        cells = [
            text
            for cell in row.cells
            for text in (
                ("–", "–") if cell is None else (_short(cell.macro_f1), change(cell.loss.mean, 3))
            )
        ]
        last = following is None or following.family != row.family
        name = f"[bold]{row.name}[/]" if row.mean else row.name
        table.add_row(name, *cells, end_section=last)
    Console().print(table)


def _short(value: Summary) -> str:
    """Three digits: a terminal is narrow, and the page has the fourth."""
    return f"{value.mean:.3f}" + (f" ± {value.std:.3f}" if value.n > 1 else "")
