"""``tinyhar run | demo | summary | export``: the main job and its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tinyhar import recipe as recipes
from tinyhar.cli.options import (
    ChangeOption,
    DataOption,
    OutOption,
    RecipeArgument,
    SeedsOption,
)
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import BAD_VERDICT, INTERRUPTED
from tinyhar.errors import DataError
from tinyhar.recipe import Recipe

console = Console(stderr=True)


def run(
    recipe: RecipeArgument,
    data: DataOption = None,
    out: OutOption = Path("runs"),
    seed: SeedsOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A sliver of the data, to try a recipe.")
    ] = False,
    change: ChangeOption = None,
) -> None:
    """Recordings in, a band that answers out: the whole job, resumed where it stopped."""
    whole = recipes.changed(recipes.load(recipe), change or [])
    todo = [
        fold
        for s in seed or [whole.seed]
        for fold in recipes.folds(whole.model_copy(update={"seed": s}))
    ]
    folders = [out / _folder_name(each, quick) for each in todo]
    verdicts = [_one(each, folder, data, quick) for each, folder in zip(todo, folders, strict=True)]
    if len(folders) > 1:
        summary(folders)
    if not all(verdicts):
        raise typer.Exit(BAD_VERDICT)


def demo(out: OutOption = Path("runs")) -> None:
    """The main job on synthetic movement, then a few answers from the emulated band."""
    from tinyhar.cli.showcase import watch

    folder = out / "demo"
    good = _one(recipes.load("demo"), folder, None, quick=False)
    watch(folder, console)
    if not good:
        raise typer.Exit(BAD_VERDICT)


def summary(
    folders: Annotated[list[Path], typer.Argument(help="Run folders: seeds, or people left out.")],
) -> None:
    """Mean and spread over runs: what a table in a README must show."""
    from tinyhar.evaluate.metrics import summary as over_runs
    from tinyhar.evaluate.metrics_json import PROMISED, figure

    told = {folder: _metrics(folder) for folder in folders}
    runs = _without_quick({folder: metrics for folder, metrics in told.items() if metrics})
    missing = [f"{folder / 'metrics.json'}" for folder, metrics in told.items() if not metrics]
    if not runs:
        raise DataError(f"{missing[0]}: not there or damaged; finish that run first")
    for path in missing:
        console.print(f"[yellow]left out[/]: {path} is not there or damaged", soft_wrap=True)
    alone = len(runs) == 1
    table = Table(title="1 run" if alone else f"{len(runs)} runs, mean ± standard deviation")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name in PROMISED:
        values = [value for each in runs if (value := figure(each, name)) is not None]
        if values:
            over = over_runs(values)
            digits = 4 if over.mean <= 1 else 0
            few = "" if len(values) == len(runs) else f" ({len(values)} runs)"
            spread = "" if alone else f" ± {over.std:,.{digits}f}"
            table.add_row(name, f"{over.mean:,.{digits}f}{spread}{few}")
    Console().print(table)


def _without_quick(told: dict[Path, dict[str, Any]]) -> list[dict[str, Any]]:
    """Metrics without those of quick runs, unless all are: a quick run's figures mean nothing."""
    quick = [folder for folder, metrics in told.items() if metrics.get("quick")]
    if len(quick) == len(told):
        return list(told.values())
    for folder in quick:
        console.print(f"[yellow]left out[/]: {folder} is a quick run", soft_wrap=True)
    return [metrics for folder, metrics in told.items() if folder not in quick]


def export(
    folder: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    out: Annotated[Path, typer.Option("--out", help="Where the C sources go.")],
    board: Annotated[
        str | None,
        typer.Option(help="A whole project instead, for nano33ble, esp32s3 or nrf52840."),
    ] = None,
    tflm: Annotated[
        bool,
        typer.Option("--tflm", help="--board: with TensorFlow Lite Micro, from its packages."),
    ] = False,
) -> None:
    """Write C arrays, compiled model and bundle for your own firmware, or a project for a board."""
    from tinyhar.band.desk import read_bundle, read_model
    from tinyhar.convert.board_project import board_project
    from tinyhar.convert.export import export as write

    if tflm and board is None:
        raise DataError("--tflm: for a --board; a plain export has the files for both engines")
    tflite, _ = read_model(folder)
    bundle, _ = read_bundle(folder)
    if board is not None:
        board_project(out, board, tflite, bundle, engine="tflm" if tflm else "compiled")
        console.print(f"written to [bold]{out}[/]; firmware/README.md tells how to build it")
        return
    write(out, tflite, bundle)
    console.print(f"written to [bold]{out}[/]; start with {out / 'README.txt'}")


def _one(recipe: Recipe, folder: Path, data: Path | None, quick: bool) -> bool:
    """One run, watched; whether all that answered agreed with the desk, and a band did if asked."""
    start_tensorflow()
    from tinyhar.cli.watcher import Watcher
    from tinyhar.pipeline import run as pipeline

    console.rule(f"[bold]{recipe.name}[/], seed {recipe.seed}" + (", quick" if quick else ""))
    try:
        with Watcher(console) as watcher:
            metrics = pipeline(recipe, folder, data=data, quick=quick, progress=watcher)
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    student, device = metrics["student"], metrics["device"]
    agreement = device.get("agreement")
    console.print(
        f"int8 student: macro-F1 [bold]{student['int8']['macro_f1']:.4f}[/] on unseen subjects, "
        f"{student['parameters']:,} parameters, {student['flash_bytes']:,} bytes"
    )
    if agreement is None:
        console.print("[yellow]no band has answered; the report says why[/]")
    else:
        console.print(
            f"band: [bold]{agreement:.2%}[/] of {device['windows']:,} windows agree byte for byte"
        )
    console.print(f"report: [bold]{folder / 'report.html'}[/]", soft_wrap=True)
    same = all(row["equal"] == row["windows"] for row in metrics["agreement"])
    return same and (agreement is not None or not recipe.band.boards)


def _folder_name(recipe: Recipe, quick: bool) -> str:
    return f"{recipe.name}-{recipe.seed}" + ("-quick" if quick else "")


def _metrics(folder: Path) -> dict[str, Any] | None:
    """A run's figures; None while it is not finished."""
    try:
        metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    except (OSError, json.JSONDecodeError):
        return None
    return metrics
