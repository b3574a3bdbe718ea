"""A grid spelt out: one cell for each protocol, method, student size, fold and seed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Literal

import tinyhar
from tinyhar import recipe as recipes
from tinyhar.bench.grid import Grid, Group, Method, Protocol
from tinyhar.errors import RecipeError
from tinyhar.recipe import Distillation, Recipe, Student
from tinyhar.settings import hint

Arithmetic = Literal["int8", "float", "forest"]


@dataclass(frozen=True)
class Cell:
    """One model to make and to judge.

    Attributes:
        size: the student's budget of parameters; None: the recipe's or the network's own.
        fold: the person left out; None where the protocol has one set of test people.
        recipe: what is run; its split names the test people.
    """

    protocol: str
    method: str
    group: Group
    arithmetic: Arithmetic
    size: int | None
    fold: str | None
    seed: int
    recipe: Recipe
    quick: bool

    @cached_property
    def key(self) -> str:
        """Hash of all that its outcome depends on: recipe, arithmetic, quick, package version.

        Defaults are left out: a recipe that learns a new key leaves finished cells finished.
        """
        recipe = self.recipe.model_dump(
            mode="json", exclude={"name", "band"}, exclude_defaults=True
        )
        parts = {"recipe": recipe, "arithmetic": self.arithmetic, "quick": self.quick}
        if self.recipe.revisions:
            parts["revisions"] = self.recipe.revisions
        text = json.dumps({**parts, "version": tinyhar.__version__}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """Names its files: what it is, for people, and the head of its key."""
        size = f"-{self.size}" if self.size else ""
        fold = f".without-{re.sub(r'[^A-Za-z0-9_-]', '_', self.fold)}" if self.fold else ""
        return f"{self.protocol}{size}.{self.method}{fold}.seed{self.seed}-{self.key[:10]}"

    @property
    def title(self) -> str:
        """For people: "hapt 15k, smldist, seed 1"."""
        fold = f", without {self.fold}" if self.fold else ""
        return f"{column_title(self.protocol, self.size)}, {self.method}{fold}, seed {self.seed}"

    @property
    def needs_teacher(self) -> bool:
        """Whether a teacher must be there first."""
        return self.arithmetic != "forest" and self.recipe.distillation.needs_teacher

    @property
    def teacher(self) -> Recipe:
        """The recipe with all that the teacher does not depend on left at its defaults."""
        plain = {"student": Student(), "distillation": Distillation()}
        return self.recipe.model_copy(update=plain)


def expand(
    grid: Grid,
    origin: Path | str = "grid",
    *,
    quick: bool = False,
    seeds: Sequence[int] | None = None,
) -> list[Cell]:
    """All cells of a grid, seed by seed, so that the whole table is there early.

    Args:
        grid: what is compared.
        origin: the grid's file: recipes given by path are looked for beside it, errors name it.
        quick: `grid.quick` instead of the whole.
        seeds: instead of the grid's.

    Raises:
        RecipeError: a recipe that is not there, a change that it cannot take, an unknown person.
    """
    chosen = dict.fromkeys(seeds or (grid.quick.seeds if quick else grid.seeds))
    by_protocol = [
        list(_of_protocol(grid, protocol, origin, quick=quick)) for protocol in grid.protocols
    ]
    few = {method.name: method.seeds for method in grid.methods if method.seeds is not None}
    return [
        _seeded(cell, seed)
        for seed in chosen
        for cells in by_protocol
        for cell in cells
        if seed in few.get(cell.method, chosen)
    ]


def select(cells: Sequence[Cell], patterns: Sequence[str]) -> list[Cell]:
    """Cells of the protocols and of the methods that match (shell patterns; none: all).

    Several protocols, or several methods, add up; a protocol and a method narrow each other.

    Raises:
        RecipeError: a pattern that matches nothing.
    """
    protocols = {cell.protocol for cell in cells}
    methods = {cell.method for cell in cells}
    for pattern in patterns:
        if not _matching(protocols | methods, [pattern]):
            known = [*sorted(protocols), *sorted(methods)]
            raise RecipeError(f"--only {pattern}: no protocol or method: {hint(pattern, known)}")
    wanted_protocols = _matching(protocols, patterns) or protocols
    wanted_methods = _matching(methods, patterns) or methods
    return [c for c in cells if c.protocol in wanted_protocols and c.method in wanted_methods]


def column_title(protocol: str, size: int | None) -> str:
    """What a column of the league is called: "hapt 15k"."""
    return protocol if size is None else f"{protocol} {short(size)}"


def short(size: int) -> str:
    """A budget of parameters: "15k"."""
    return f"{size / 1000:g}k" if size >= 1000 else str(size)


def _matching(names: set[str], patterns: Sequence[str]) -> set[str]:
    return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}


def _of_protocol(
    grid: Grid, protocol: Protocol, origin: Path | str, *, quick: bool
) -> Iterator[Cell]:
    where = f"{origin}: protocol '{protocol.name}'"
    recipe = _recipe(protocol, origin, where)
    base = recipes.changed(recipe, (*grid.changes, *protocol.changes), origin=where)
    everybody = _folds(protocol, base, where)
    shared = [f for f in everybody if all(f in some for some in protocol.fewer.values())]
    few = (shared or everybody)[: grid.quick.folds]
    for method in grid.methods:
        folds = few if quick else protocol.fewer.get(method.name, everybody)
        changes = (*method.changes, *(grid.quick.changes if quick else ()))
        for size in _sizes(protocol, method):
            budget = () if size is None else (f"pruning.parameters={size}",)
            own = protocol.by_size.get(size, ()) if size else ()
            name = f"{origin}: method '{method.name}' with protocol '{protocol.name}'"
            recipe = recipes.changed(base, (*own, *changes, *budget), origin=name)
            for fold, one in _left_out(recipe, folds):
                yield Cell(
                    protocol=protocol.name,
                    method=method.name,
                    group=method.group,
                    arithmetic="forest" if method.group == "forest" else method.arithmetic,
                    size=size,
                    fold=fold,
                    seed=one.seed,
                    recipe=one,
                    quick=quick,
                )


def _sizes(protocol: Protocol, method: Method) -> tuple[int | None, ...]:
    return (protocol.sizes or (None,)) if method.group == "distillation" else (None,)


def _recipe(protocol: Protocol, origin: Path | str, where: str) -> Recipe:
    beside = Path(origin).parent / protocol.recipe
    try:
        return recipes.load(beside if beside.is_file() else protocol.recipe)
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}") from error


def _folds(protocol: Protocol, recipe: Recipe, where: str) -> tuple[str, ...]:
    """Everybody who is left out in turn; nobody where the test people are fixed."""
    everybody = recipe.split.leave_one_out
    asked = [*(protocol.folds or ()), *(f for some in protocol.fewer.values() for f in some)]
    if asked and not everybody:
        raise RecipeError(
            f"{where}: recipe '{protocol.recipe}' has fixed test subjects: "
            "take 'folds' and 'fewer' out, or give its split a 'leave_one_out'"
        )
    for fold in asked:
        if fold not in (protocol.folds or everybody) or fold not in everybody:
            known = hint(fold, everybody)
            raise RecipeError(f"{where}: nobody called '{fold}' is left out: {known}")
    return protocol.folds or everybody


def _left_out(recipe: Recipe, folds: Sequence[str]) -> Iterator[tuple[str | None, Recipe]]:
    if not recipe.split.leave_one_out:
        yield None, recipe
    for one in recipes.folds(recipe) if folds else []:
        (person, *_) = one.split.test
        if person in folds:
            yield person, one


def _seeded(cell: Cell, seed: int) -> Cell:
    return replace(cell, seed=seed, recipe=cell.recipe.model_copy(update={"seed": seed}))
