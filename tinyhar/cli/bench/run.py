"""``tinyhar bench``: every method on every protocol, resumed where it stopped."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tinyhar.cli.options import DataOption
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import BAD_VERDICT, INTERRUPTED
from tinyhar.cli.workers import folder_for_workers, workers_for

console = Console(stderr=True)


def bench(
    context: typer.Context,
    grid: Annotated[
        str, typer.Option("--grid", help="A TOML file, or the name of a built-in grid.")
    ] = "league",
    data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Where everything is kept.", show_default="bench, or bench-quick"
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One seed, a sliver of the data: the table's shape.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="PATTERN",
            help="Only protocols or methods of this name (with * and ?). Several protocols add up, "
            "so do several methods; protocols and methods narrow each other.",
        ),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="Instead of the grid's; repeatable.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=0,
            help="Cells at a time; 0: in this process, without Ray.",
            show_default="one a core",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="A running Ray cluster, host:port; OUT must be shared."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the run folder of every finished cell.")
    ] = False,
) -> None:
    """Run a grid of protocols, methods, sizes, folds and seeds, and print its league table.

    Every finished cell is kept: the same command goes on where it was stopped.
    """
    if context.invoked_subcommand is not None:
        return
    from tinyhar.bench import cells as spelt
    from tinyhar.bench import grid as grids

    chosen_grid = grids.load(grid)
    every = spelt.expand(chosen_grid, grids.find(grid), quick=quick, seeds=seed)
    chosen = spelt.select(every, only or [])
    start_tensorflow()
    from tinyhar.bench import run
    from tinyhar.bench.store import Store
    from tinyhar.bench.work import Place
    from tinyhar.cli.bench.show import show
    from tinyhar.cli.bench.watcher import Watcher

    store = Store((out or Path("bench-quick" if quick else "bench")).resolve())
    place = Place(store.out, folder_for_workers(data), keep=keep)
    with store.held():
        todo = run.to_do(chosen, store)
        run.check_data(todo, data)
        run.check_networks(todo)
        command = shlex.join(["tinyhar", *sys.argv[1:]])
        store.begin(chosen_grid, every, quick=quick, command=command)
        kept = len(chosen) - len(todo)
        if kept:
            console.print(f"{kept} of {len(chosen)} cells are kept from before")
        try:
            if todo:
                with Watcher(console) as watcher:
                    run.do(
                        todo,
                        place,
                        store,
                        workers_for(workers, address, store.out, console),
                        watcher,
                    )
        except KeyboardInterrupt:
            console.print("interrupted; the same command goes on from here")
            raise typer.Exit(INTERRUPTED) from None
        league = run.write(store)
    show(league, Console())
    _tell(store.out, store.failures())


def _tell(out: Path, failures: dict[str, str]) -> None:
    console.print(f"pages: [bold]{out / 'league.html'}[/], league.md, table.csv", soft_wrap=True)
    if not failures:
        return
    many = "1 cell" if len(failures) == 1 else f"{len(failures)} cells"
    console.print(f"[red]{many} failed[/]; the same command tries again:")
    for name, error in failures.items():
        console.print(f"  {name}: {error}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(BAD_VERDICT)
