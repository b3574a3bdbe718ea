"""``tinyhar bench table``: the league table of what is finished, whatever it is still doing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tinyhar.cli.quiet import start_tensorflow


def table(
    out: Annotated[Path, typer.Argument(help="A bench's folder.")] = Path("bench"),
) -> None:
    """Print the league table of a bench, and write its pages again."""
    start_tensorflow()  # comes with the pipeline's folders; nothing is computed
    from tinyhar.bench import run
    from tinyhar.bench.store import Store
    from tinyhar.cli.bench.show import show

    store = Store(out)
    league = run.write(store)
    show(league, Console())
    there, failures = len(league.records), store.failures()
    notes = [f"{there} of {len(league.asked)} cells are finished"]
    notes += [f"{len(failures)} failed: see {store.out / 'league.md'}"] if failures else []
    Console(stderr=True).print("; ".join(notes), soft_wrap=True)
