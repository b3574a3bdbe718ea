"""``tinyhar search``: students that fit a band."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from tinyhar.cli.options import DataOption
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import INTERRUPTED
from tinyhar.cli.tables import show
from tinyhar.cli.workers import folder_for_workers, workers_for
from tinyhar.errors import RecipeError

console = Console(stderr=True)

BINARY = {"": 1, "K": 1024, "M": 1024 * 1024}
DECIMAL = {"": 1, "K": 1000, "M": 1_000_000}


def search(
    recipe: Annotated[str, typer.Argument(help="A recipe, by name or file.")],
    flash: Annotated[
        str | None, typer.Option(help="Bytes of flash for model and engine, as 24K.")
    ] = None,
    ram: Annotated[
        str | None, typer.Option(help="Bytes of RAM for activations, engine and stack, as 6K.")
    ] = None,
    instructions: Annotated[
        str | None, typer.Option(help="Instructions a window on a Cortex-M4, as 0.5M.")
    ] = None,
    data: DataOption = None,
    out: Annotated[Path, typer.Option("--out", help="Where everything is kept.")] = Path("search"),
    candidates: Annotated[int, typer.Option(min=1, help="Students to cost.")] = 60,
    epochs: Annotated[int, typer.Option(min=1, help="Of the longest trainings.")] = 60,
    rungs: Annotated[int, typer.Option(min=1, max=6, help="How often the field is thinned.")] = 3,
    window: Annotated[
        list[int] | None,
        typer.Option("--window", min=16, help="Samples, beside the recipe's own; repeatable."),
    ] = None,
    validation: Annotated[int, typer.Option(min=1, help="Training people held out to judge.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Of sampling and training.")] = 1,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, help="At a time; 0: in this process, without Ray.", show_default="one a core"
        ),
    ] = None,
) -> None:
    """Find students within a budget, on the front of macro-F1 against cost.

    Costs are measured by converter and engine on the emulated Cortex-M4; scores are of training
    people held out, the recipe's test people are not looked at. The same command goes on where it
    was stopped.
    """
    from tinyhar import recipe as recipes
    from tinyhar.band.budget import Budget

    budget = Budget(
        flash_bytes=_size("--flash", flash, BINARY),
        ram_bytes=_size("--ram", ram, BINARY),
        instructions=_size("--instructions", instructions, DECIMAL),
    )
    chosen, *others = (
        fold.model_copy(update={"seed": seed}) for fold in recipes.folds(recipes.load(recipe))
    )
    if others:
        console.print(
            f"[yellow]only {', '.join(chosen.split.test)} is left out[/]: the others of whom the "
            "recipe leaves out one in turn take part in the search: judge what it finds on this one"
        )
    start_tensorflow()
    from tinyhar.search import pages
    from tinyhar.search import run as searching

    windows = dict.fromkeys([chosen.data.window, *(window or [])])
    plan = searching.Plan(
        recipe=chosen,
        budget=budget,
        out=out.resolve(),
        data=folder_for_workers(data),
        windows=tuple(windows),
        candidates=candidates,
        epochs=epochs,
        rungs=rungs,
        validation=validation,
        seed=seed,
    )
    helpers = workers_for(workers, None, plan.out, console)
    try:
        with _bars() as bars:
            tasks: dict[str, TaskID] = {}

            def told(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(escape(what), total=total)
                bars.update(tasks[what], completed=done)

            found = searching.do(plan, helpers, told)
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    best = pages.write(plan, found)
    show(pages.HEADER, pages.rows(found, best), words=2)
    console.print(
        f"{len(found.within)} of {len(found.costs)} students fit the budget; a page with the "
        f"front, all costs, and a recipe for each student above: [bold]{plan.out}[/] "
        "(search.html, search.csv, front/)",
        soft_wrap=True,
    )
    console.print(f"next: tinyhar run {pages.recipe_file(plan, best[-1])}", soft_wrap=True)


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _size(option: str, text: str | None, units: dict[str, int]) -> int | None:
    """ "24K" as a number.

    Raises:
        RecipeError: it is none.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KkMm]?)", text.strip())
    size = round(float(match[1]) * units[match[2].upper()]) if match else 0
    if size < 1:
        raise RecipeError(f"{option} {text}: expected a number, with K or M behind it, as 24K")
    return size
