"""A bench from start to table: check everything, do what is not done yet, write what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyhar.bench import page, work
from tinyhar.bench.cells import Cell
from tinyhar.bench.league import League
from tinyhar.bench.schedule import Watcher, do_all, jobs_for
from tinyhar.bench.store import Store
from tinyhar.bench.work import Place
from tinyhar.bench.workers import Workers
from tinyhar.errors import DataError, ModelError, RecipeError
from tinyhar.recordings import data_root, dataset
from tinyhar.recordings.registry import where_to_get


def check_data(cells: Sequence[Cell], data: Path | None) -> None:
    """DataError naming the first protocol whose recordings are not there."""
    for protocol, source in {cell.protocol: cell.recipe.data.source for cell in cells}.items():
        info = dataset(source)
        if info.made_here:
            continue
        others = "leave this protocol out with --only"
        try:
            root = data_root(data)
        except DataError as error:
            raise DataError(f"protocol '{protocol}': {error}, or {others}") from error
        if info.find(root) is None:
            raise DataError(
                f"protocol '{protocol}': {source} is not under {root}: "
                f"{where_to_get(info, root)}; or {others}"
            )


def check_networks(cells: Sequence[Cell]) -> None:
    """Build each method's networks once; ModelError or RecipeError names method and culprit."""
    for method, cell in {cell.method: cell for cell in reversed(cells)}.items():
        try:
            work.check(cell)
        except (ModelError, RecipeError) as error:
            raise type(error)(f"method '{method}': {error}") from error


def to_do(cells: Sequence[Cell], store: Store) -> list[Cell]:
    """Cells without a record."""
    return [cell for cell in cells if store.finished(cell.id) is None]


def do(
    cells: Sequence[Cell], place: Place, store: Store, workers: Workers, watcher: Watcher
) -> None:
    """Do all `cells`; whatever ends this early leaves a table of what is finished.

    Raises:
        ToolError: the workers cannot be started.
        DataError: the disk fails.
    """
    jobs = jobs_for(cells, place)
    try:
        with workers:
            do_all(jobs, workers, store, watcher)
    finally:
        store.write_table()


def write(store: Store) -> League:
    """Make ``table.csv``, ``league.md`` and ``league.html`` from what is finished.

    Raises:
        DataError: there is no bench in the folder, nothing is finished, or the disk fails.
    """
    asked, records, failures = store.asked(), store.records(), store.failures()
    if not records:
        told = next(iter(failures.values()), "")
        why = f"; the first of {len(failures)} failed cells says: {told}" if told else ""
        raise DataError(f"{store.out}: no cell is finished yet{why}")
    league = League(asked, records)
    store.write_table()
    store.write("league.md", page.markdown(league, asked, failures))
    store.write("league.html", page.html(league, asked, failures))
    return league
