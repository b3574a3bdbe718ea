"""The league as text and as a page: everything there, nothing to load, nothing that breaks it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.grids import league
from tests.bench.records import plausible, record_of
from tinyhar.bench import run
from tinyhar.bench.cells import expand
from tinyhar.bench.store import Store
from tinyhar.cli.bench.show import show


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("league")
    grid, origin = league()
    cells = expand(grid, origin)
    store = Store(folder)
    store.begin(grid, cells, quick=False, command="tinyhar bench --data '<har>'")
    for cell in cells[1:]:
        store.keep(record_of(cell, plausible(cell)))
    store.lament(cells[0].id, "a <bad> day", "")
    run.write(store)
    return folder


def test_the_page_is_whole_and_loads_nothing(out: Path) -> None:
    page = (out / "league.html").read_text()
    for words in ("SMLDist", "random forest", "critical difference", "a &lt;bad&gt; day"):
        assert words in page
    assert "--data &#39;&lt;har&gt;&#39;" in page
    assert not re.search(r'(src|href)="(?!#)', page)
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    # a picture for each column, two of ranks, one for each protocol
    assert len(pictures) == 6 + 2 + 4
    for picture in pictures:
        assert ET.fromstring(picture).attrib["aria-label"]


def test_markdown_has_the_command_and_even_tables(out: Path) -> None:
    text = (out / "league.md").read_text()
    assert "    tinyhar bench --data '<har>'" in text
    every = len(expand(*league()))
    assert f"{every - 1} of {every} cells" in text and "a <bad> day" in text
    blocks = [b.splitlines() for b in text.split("\n\n") if b.startswith("|")]
    assert len(blocks) == 5
    for lines in blocks:
        assert len({line.count("|") for line in lines}) == 1


def test_pages_are_the_same_every_time(out: Path) -> None:
    before = {name: (out / name).read_bytes() for name in ("league.html", "league.md", "table.csv")}
    run.write(Store(out))
    assert before == {name: (out / name).read_bytes() for name in before}


def test_the_terminal_has_it_within_100_columns(out: Path) -> None:
    console = Console(record=True, width=180, file=(out / "drawn").open("w"))
    show(run.write(Store(out)), console)
    told = console.export_text()
    assert max(map(len, told.splitlines())) <= 100
    assert "…" not in told
    for words in ("SMLDist minus", "DeepConvLSTM (float)", "dsads-wrist", "7 people", "rank"):
        assert words in told


def test_a_narrow_terminal_gets_more_tables_not_less(out: Path) -> None:
    one = run.write(Store(out))
    console = Console(record=True, width=60, force_terminal=True, file=(out / "drawn").open("w"))
    show(one, console)
    told = console.export_text()
    assert "…" not in told
    assert "motionsense" in told and "7 people" in told
