"""Records to standings: who is how good where, over seeds, people and protocols.

A score is macro-F1 on unseen people: of the int8 model, or of the float model where no band can run
the network. With leave-one-out, a seed's score is the mean over the people left out; the spread is
the sample standard deviation over seeds. Comparisons pair scores of the same protocol, size and
seed over the same people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tinyhar.bench import statistics
from tinyhar.bench.cells import column_title
from tinyhar.bench.grid import Grid, Method
from tinyhar.bench.statistics import Comparison, Ranking
from tinyhar.evaluate.metrics import Summary, summary

STUDENTS = "distillation"
"""The group whose members share one student and can be compared as methods."""


@dataclass(frozen=True)
class Column:
    """A row of work that methods are compared on: protocol, size, and who is left out.

    `main` is false for a second look at the same work by more people, which ranks leave out.
    """

    protocol: str
    size: int | None
    folds: tuple[str | None, ...]
    note: str = ""
    main: bool = True

    @property
    def title(self) -> str:
        """ "hapt 15k"."""
        return column_title(self.protocol, self.size)


@dataclass(frozen=True)
class Standing:
    """A method in a column: over seeds, over people, and what its model costs.

    `missing` counts seeds that are asked for and not all there.
    """

    seeds: Summary
    people: Summary
    missing: int
    floating: float
    teacher: float | None
    parameters: float
    macs: float | None
    flash_bytes: float | None
    ram_bytes: float | None
    instructions: float | None
    seconds: float
    by_seed: dict[int, float] = field(default_factory=dict)


class League:
    """All finished cells of a bench, ready to be asked.

    Args:
        asked: what ``bench.json`` holds.
        records: finished cells.
    """

    def __init__(self, asked: dict[str, Any], records: Sequence[dict[str, Any]]) -> None:
        self.grid = Grid.model_validate(asked["grid"])
        self.quick: bool = asked["quick"]
        self.asked: list[dict[str, Any]] = asked["cells"]
        self.records = list(records)
        self._by_place = {_place(record): record for record in records}

    def methods(self, group: str) -> list[Method]:
        """Of a group, in the grid's order, those with at least one finished cell."""
        there = {record["method"] for record in self.records}
        return [m for m in self.grid.methods if m.group == group and m.name in there]

    @cached_property
    def columns(self) -> list[Column]:
        """Of the students: protocol and size, by the people whom all methods share, then all."""
        return self._columns([STUDENTS])

    @cached_property
    def own_columns(self) -> list[Column]:
        """Of the networks with a size of their own, and the forest."""
        return self._columns(["architecture", "forest"])

    @cached_property
    def focus(self) -> Method | None:
        """The method that is compared with each other one."""
        there = {method.name: method for method in self.methods(STUDENTS)}
        if self.grid.focus in there:
            return there[self.grid.focus]
        ranked = self.ranking(by_people=False)
        if ranked is None:
            return None
        methods, ranking = ranked
        return methods[int(np.argmin(ranking.ranks))]

    def standing(self, method: str, column: Column) -> Standing | None:
        """How a method does in a column; None where no seed is all there."""
        asked = sorted(
            {c["seed"] for c in self.asked if self._in(c, column) and c["method"] == method}
        )
        found = {seed: self._cells(method, column, seed) for seed in asked}
        whole = {seed: cells for seed, cells in found.items() if cells}
        if not whole:
            return None
        by_seed = {seed: _mean([score(c) for c in cells]) for seed, cells in whole.items()}
        cells = [cell for some in whole.values() for cell in some]
        return Standing(
            seeds=summary(list(by_seed.values())),
            people=summary(list(_by_person(cells).values())),
            missing=len(asked) - len(whole),
            floating=_mean([c["float"]["macro_f1"] for c in cells]),
            teacher=_known([c["teacher_f1"] for c in cells]),
            parameters=_mean([c["parameters"] for c in cells]),
            macs=_known([c["macs"] for c in cells]),
            **{
                figure: _known([(c["device"] or {}).get(figure) for c in cells])
                for figure in ("flash_bytes", "ram_bytes", "instructions")
            },
            seconds=_mean([c["seconds"] for c in cells]),
            by_seed=by_seed,
        )

    def senses(self, method: str, column: Column) -> dict[str, Any] | None:
        """The sensors of a column's bands; None where no cell is finished."""
        for record in self.records:
            if self._in(record, column) and record["method"] == method and "senses" in record:
                found: dict[str, Any] = record["senses"]
                return found
        return None

    def mean(self, method: str) -> float | None:
        """A method's mean over the main columns; None where one is missing."""
        standings = [self.standing(method, column) for column in self.columns if column.main]
        if not standings or None in standings:
            return None
        return _mean([standing.seeds.mean for standing in standings if standing])

    def comparisons(self, first: str) -> dict[str, tuple[Comparison, list[Summary]]]:
        """`first` against each other student: over all pairs, and the gap in each column."""
        main = [column for column in self.columns if column.main]
        found = {}
        for other in self.methods(STUDENTS):
            if other.name == first:
                continue
            gaps = [self._pairs(first, other.name, column) for column in main]
            pairs = [pair for gap in gaps for pair in gap]
            if pairs:
                ours, theirs = zip(*pairs, strict=True)
                by_column = [summary([a - b for a, b in gap]) for gap in gaps if gap]
                found[other.name] = (statistics.compare(ours, theirs), by_column)
        return found

    def ranking(self, *, by_people: bool) -> tuple[list[Method], Ranking] | None:
        """Students ranked in every main column, or for every unseen person; None with too few.

        A column's score is the mean over seeds, as Demsar has it: seeds are no data sets of their
        own. People are: each is met by models that never saw them. Methods that lack a block are
        left out.
        """
        blocks = {m.name: self._blocks(m.name, by_people) for m in self.methods(STUDENTS)}
        shared = {block for some in blocks.values() for block in some}
        ranked = [m for m in self.methods(STUDENTS) if shared and shared <= set(blocks[m.name])]
        if len(ranked) < 2:
            return None
        order = sorted(shared, key=str)
        table = [[blocks[m.name][block] for m in ranked] for block in order]
        return ranked, statistics.rank(table)

    def _blocks(self, method: str, by_people: bool) -> dict[Any, float]:
        found: dict[Any, float] = {}
        mine: dict[Any, list[float]] = {}
        for column in self.columns:
            if not column.main:
                continue
            if not by_people:
                standing = self.standing(method, column)
                if standing is not None:
                    found[column.title] = standing.seeds.mean
                continue
            cells = [c for seed in self._seeds(column) for c in self._cells(method, column, seed)]
            for person, value in _by_person(cells).items():
                mine.setdefault((column.protocol, person), []).append(value)
        # Somebody whom students of several sizes meet is one person.
        return found | {block: _mean(values) for block, values in mine.items()}

    def _pairs(self, first: str, second: str, column: Column) -> list[tuple[float, float]]:
        """Scores of both methods for every seed that both have."""
        pairs = []
        for seed in self._seeds(column):
            ours, theirs = (self._cells(name, column, seed) for name in (first, second))
            if ours and theirs:
                pairs.append((_mean(list(map(score, ours))), _mean(list(map(score, theirs)))))
        return pairs

    def _columns(self, groups: Sequence[str]) -> list[Column]:
        asked = [cell for cell in self.asked if cell["group"] in groups]
        there = {(r["protocol"], r["size"]) for r in self.records if r["group"] in groups}
        columns = []
        for protocol, size in dict.fromkeys((c["protocol"], c["size"]) for c in asked):
            if (protocol, size) not in there:
                continue
            folds: dict[str, dict[str | None, None]] = {}
            for cell in asked:
                if (cell["protocol"], cell["size"]) == (protocol, size):
                    folds.setdefault(cell["method"], {})[cell["fold"]] = None
            columns += _by_people(protocol, size, [tuple(some) for some in folds.values()])
        return columns

    def _seeds(self, column: Column) -> list[int]:
        return list(dict.fromkeys(c["seed"] for c in self.asked if self._in(c, column)))

    def _cells(self, method: str, column: Column, seed: int) -> list[dict[str, Any]]:
        """One cell a fold; none unless all are there."""
        places = [(column.protocol, method, column.size, fold, seed) for fold in column.folds]
        found = [self._by_place[place] for place in places if place in self._by_place]
        return found if len(found) == len(places) else []

    @staticmethod
    def _in(cell: dict[str, Any], column: Column) -> bool:
        return (cell["protocol"], cell["size"]) == (column.protocol, column.size) and (
            cell["fold"] in column.folds
        )


def score(record: dict[str, Any]) -> float:
    """Macro-F1 of what a band would run; of the float model where none can."""
    return float((record["int8"] or record["float"])["macro_f1"])


def _place(record: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(record[name] for name in ("protocol", "method", "size", "fold", "seed"))


def _by_people(
    protocol: str, size: int | None, by_method: list[tuple[str | None, ...]]
) -> list[Column]:
    """One column by the folds that all methods share, and one more where some methods have more."""
    everybody = max(by_method, key=len)
    shared = tuple(fold for fold in everybody if all(fold in some for some in by_method))
    if shared == everybody or not shared:
        return [Column(protocol, size, everybody, _who(everybody))]
    return [
        Column(protocol, size, shared, _who(shared)),
        Column(protocol, size, everybody, _who(everybody), main=False),
    ]


def _who(folds: tuple[str | None, ...]) -> str:
    """Who is left out, for a heading: "people 5 6 7", "7 people"."""
    names = " ".join(str(fold) for fold in folds if fold is not None)
    if len(folds) == 1:
        return f"person {names}" if names else ""
    return f"people {names}" if len(names) <= 6 else f"{len(folds)} people"


def _by_person(cells: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Each unseen person's macro-F1, mean over seeds."""
    found: dict[str, list[float]] = {}
    for cell in cells:
        for person, value in (cell["int8"] or cell["float"])["subject_f1"].items():
            found.setdefault(person, []).append(value)
    return {person: _mean(values) for person, values in found.items()}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _mean(known) if known else None
