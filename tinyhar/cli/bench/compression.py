"""``tinyhar bench compression``: what each way to make a student smaller buys and costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tinyhar import recipe as recipes
from tinyhar.cli.options import ChangeOption, DataOption, RecipeArgument, SeedsOption
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import INTERRUPTED
from tinyhar.cli.tables import show

console = Console(stderr=True)


def compression(
    recipe: RecipeArgument,
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where everything is kept.",
            show_default="compression, or compression-quick",
        ),
    ] = None,
    seed: SeedsOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A sliver of the data: the table's shape.")
    ] = False,
    change: ChangeOption = None,
) -> None:
    """Train a recipe's student, make it smaller in each way, and put bytes beside F1.

    F1 is on the test subjects; model, RAM and instructions are the compiled engine's, `sent` is the
    bundle under gzip. What is finished is kept: the same command goes on where it was stopped.
    """
    whole = recipes.changed(recipes.load(recipe), change or [])
    start_tensorflow()
    from tinyhar.bench import compression as bench
    from tinyhar.pipeline.folder import RunFolder

    def told(what: str, done: int, total: int) -> None:
        console.print(f"{done}/{total} {what}", highlight=False, soft_wrap=True)

    seeds = list(dict.fromkeys(seed or [whole.seed]))
    place = out or Path("compression-quick" if quick else "compression")
    try:
        rows = bench.compare(whole, seeds, place, data=data, quick=quick, told=told)
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    RunFolder(place).write_text(f"{whole.name}.csv", bench.as_csv(rows))
    many = f"seed {seeds[0]}" if len(seeds) == 1 else f"mean of {len(seeds)} seeds"
    print(f"{whole.name}, {many}" + (", quick: the shape, not the figures" if quick else ""))
    show(bench.HEADER, bench.cells(rows))
    console.print(f"figures: [bold]{place / whole.name}.csv[/]", soft_wrap=True)
