"""The league's tables in a terminal, within 100 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from tinyhar.bench import tables
from tinyhar.bench.league import League
from tinyhar.bench.tables import Table

WIDTH = 100


def show(league: League, console: Console) -> None:
    """Print what matters most; costs and people are on the pages."""
    if not console.is_terminal:
        console.width = WIDTH
    width = min(WIDTH, console.width)
    if league.quick:
        console.print("quick: a sliver of the data, do not quote these figures", style="yellow")
    for table in (tables.students(league), tables.others(league), tables.comparison(league)):
        if table is None:
            continue
        console.print(Text(table.title, style="bold"))
        for part in _narrow(table, width):
            console.print(_drawn(part))
        for note in table.notes:
            console.print(Text(note, style="dim"), width=width)
        console.print()


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(table.headings):
        drawn.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in table.rows:
        drawn.add_row(*(Text(cell.text, style="bold" if cell.best else "") for cell in row))
    return drawn


def _narrow(table: Table, width: int) -> Iterator[Table]:
    """The table, cut by columns into as many as fit; each has the rows' names."""
    widths = [
        1 + max(len(text) for text in (*heading.split("\n"), *(row[i].text for row in table.rows)))
        for i, heading in enumerate(table.headings)
    ]
    chosen: list[int] = []
    for place in range(1, len(widths)):
        if chosen and widths[0] + sum(widths[i] for i in [*chosen, place]) > width:
            yield _part(table, chosen)
            chosen = []
        chosen.append(place)
    yield _part(table, chosen)


def _part(table: Table, columns: list[int]) -> Table:
    places = [0, *columns]
    rows = [tuple(row[i] for i in places) for row in table.rows]
    return Table(table.name, table.title, tuple(table.headings[i] for i in places), rows)
