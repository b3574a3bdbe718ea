"""league.html and league.md: what a bench found, with the command that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyhar.bench import economics, pictures, tables
from tinyhar.bench.grid import Method
from tinyhar.bench.league import STUDENTS, Column, League
from tinyhar.bench.pictures import FOCUS, OTHER, Mark
from tinyhar.evaluate import formats
from tinyhar.evaluate.page import style, template

_HERE = Path(__file__).parent

BASELINE = "none"
"""The method whose mean the others' pictures show as a line."""


@dataclass(frozen=True)
class Picture:
    """A drawing with its heading."""

    title: str
    svg: str


def markdown(league: League, asked: Mapping[str, Any], failures: Mapping[str, str]) -> str:
    """The league as Markdown."""
    lines = [f"# {_title(league)}", "", f"    {asked['command']}", "", _standing(league), ""]
    if league.quick:
        lines += ["**Quick: a sliver of the data, a few epochs. Do not quote these figures.**", ""]
    for table in _tables(league):
        lines += tables.markdown(table)
    if failures:
        lines += ["## Failed cells", ""]
        lines += [f"- `{name}`: {error}" for name, error in failures.items()]
    return "\n".join(lines).rstrip() + "\n"


def html(league: League, asked: Mapping[str, Any], failures: Mapping[str, str]) -> str:
    """The league as one page with pictures, nothing to load."""
    return template("league.html.j2", _HERE).render(
        title=_title(league),
        style=style(),
        quick=league.quick,
        standing=_standing(league),
        command=asked["command"],
        version=asked["version"],
        tables=_tables(league),
        scores=_scores(league),
        ranks=_ranks(league),
        sizes=_sizes(league),
        economics=_economics(league),
        focus=league.focus.shown if league.focus else "",
        failures=failures,
    )


def _title(league: League) -> str:
    name = league.grid.name
    return "League table" if name == "league" else f"League table: {formats.spoken(name)}"


def _standing(league: League) -> str:
    """One sentence: how much of it is there."""
    there, asked = len(league.records), len(league.asked)
    seeds = sorted({cell["seed"] for cell in league.asked})
    told = f"{there} of {asked} cells" if there < asked else f"All {asked} cells"
    return (
        f"{told} are finished, seed{'s' if len(seeds) > 1 else ''} "
        f"{', '.join(map(str, seeds))}; each is one model, judged on people whom training, "
        "normalisation and calibration never saw."
    )


def _tables(league: League) -> list[tables.Table]:
    sensors = economics.table(economics.points(league))
    return [*tables.tables(league), *([sensors] if sensors else [])]


def _economics(league: League) -> list[Picture]:
    """One picture, where the grid compares sensors."""
    found = economics.points(league)
    if not found:
        return []
    alt = "macro-F1 against current: " + "; ".join(
        f"{one.name} {one.score.mean:.3f} at {1e6 * one.total_a:.0f} uA" for one in found
    )
    return [Picture("What the sensors buy, and what they draw", pictures.economics(found, alt=alt))]


def _scores(league: League) -> list[Picture]:
    """A picture for each column; of a single method there is nothing to compare."""
    found: list[Picture] = []
    if len(league.methods(STUDENTS)) == 1:
        return found
    for column in league.columns:
        marks = _marks(league, league.methods(STUDENTS), column)
        if marks:
            none = league.standing(BASELINE, column)
            baseline = none.seeds.mean if none and len(marks) > 1 else None
            alt = f"{column.title}, macro-F1: {pictures.described(marks)}"
            svg = pictures.scores(marks, baseline=baseline, alt=alt)
            title = f"{column.title}, {column.note}" if column.note else column.title
            found.append(Picture(title, svg))
    return found


def _sizes(league: League) -> list[Picture]:
    """A picture for each protocol: the best student of each size, the focus, other networks."""
    found = []
    for protocol in dict.fromkeys(c.protocol for c in [*league.columns, *league.own_columns]):
        marks = _students(league, protocol)
        for column in league.own_columns:
            if column.main and column.protocol == protocol:
                marks += _marks(league, league.methods("architecture"), column)
        if len(marks) > 1:
            alt = f"{protocol}, macro-F1 against parameters: {pictures.described(marks)}"
            found.append(Picture(protocol, pictures.sizes(marks, alt=alt)))
    return found


def _students(league: League, protocol: str) -> list[Mark]:
    """Students of one size are as large as each other: the focus and the baseline stand for all."""
    chosen = [league.focus.name if league.focus else "", BASELINE]
    methods = [m for m in league.methods(STUDENTS) if m.name in chosen]
    return [
        mark
        for column in league.columns
        if column.main and column.protocol == protocol
        for mark in _marks(league, methods, column)
    ]


def _ranks(league: League) -> list[Picture]:
    found = []
    for by_people in (False, True):
        ranked = league.ranking(by_people=by_people)
        if ranked is None or ranked[1].blocks < 2:
            continue
        methods, ranking = ranked
        names = [method.shown for method in methods]
        blocks = "unseen people" if by_people else "columns (protocol and size)"
        alt = "average ranks: " + "; ".join(
            f"{name} {value:.2f}" for name, value in zip(names, ranking.ranks, strict=True)
        )
        focus = league.focus.shown if league.focus else None
        svg = pictures.critical_difference(ranking, names, focus=focus, alt=alt)
        found.append(Picture(f"Over {ranking.blocks} {blocks}", svg))
    return found


def _marks(league: League, methods: list[Method], column: Column) -> list[Mark]:
    focus = league.focus.name if league.focus else ""
    marks = []
    for method in methods:
        standing = league.standing(method.name, column)
        if standing:
            role = FOCUS if method.name == focus else OTHER
            marks.append(
                Mark(
                    method.shown,
                    tuple(standing.by_seed.values()),
                    standing.parameters,
                    role if method.group == STUDENTS else "third",
                    hollow=method.arithmetic == "float",
                )
            )
    return marks
