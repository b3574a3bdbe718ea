"""Plain tables in a terminal: words to the left, figures to the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def show(header: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> None:
    """Print to stdout; the first `words` columns are no figures. Nothing is cut to fit."""
    table = Table(box=None, pad_edge=False)
    for place, heading in enumerate(header):
        table.add_column(heading, justify="left" if place < words else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    wanted = console.measure(table, options=console.options.update(max_width=1000)).maximum
    Console(width=max(console.width, wanted)).print(table)
