"""What a bench compares: a TOML file, checked in full before any work starts.

A grid names protocols (a recipe each, perhaps changed), methods and seeds::

    name = "mine"
    seeds = [1, 2, 3]
    focus = "smldist"

    [[protocols]]
    name = "hapt"
    recipe = "hapt"
    sizes = [15000, 1500]

    [[methods]]
    name = "fitnet"
    group = "distillation"
    changes = ["distillation.method=fitnet"]

Changes are written as ``tinyhar run --set`` takes them. A misspelt key, a value that cannot be, or
a name that something else has already raises :class:`~tinyhar.errors.RecipeError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from tinyhar import settings
from tinyhar.settings import Table

BUILT_IN = Path(__file__).parent / "grids"
"""The grids that come with the package."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Group = Literal["distillation", "architecture", "forest"]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Protocol(Table):
    """Whose recordings, who is unseen, how large the student may be."""

    name: Name
    recipe: str
    """A built-in recipe's name, or a TOML file (as named from the grid's folder)."""
    changes: tuple[str, ...] = ()
    sizes: tuple[Annotated[int, Field(ge=100)], ...] = ()
    """Budgets of parameters, one student each; none: as the recipe says."""
    by_size: dict[int, tuple[str, ...]] = Field(default={})
    """Size to further changes of the recipe: a student that starts small, and trains longer,
    instead of being pruned from ten times as much."""
    folds: tuple[str, ...] | None = None
    """Of a leave-one-out recipe: who is left out in turn; none: everybody whom the recipe names."""
    fewer: dict[str, tuple[str, ...]] = Field(default={})
    """Method name to its folds, where a method is tested on fewer people."""

    @model_validator(mode="after")
    def _changes_of_its_own_sizes(self) -> Protocol:
        for size in self.by_size:
            if size not in self.sizes:
                raise ValueError(f"by_size: {size} is none of the sizes {list(self.sizes)}")
        return self

    @field_validator("sizes")
    @classmethod
    def _each_once(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        return _unique("size", sizes)


class Method(Table):
    """One way to make a model, the same for every protocol."""

    name: Name
    title: str = ""
    """For tables and pictures; none: the name."""
    group: Group = "distillation"
    """distillation: the same student with another help, at every size; architecture: a network of
    its own size, once; forest: a random forest on simple features, once."""
    arithmetic: Literal["int8", "float"] = "int8"
    """float: a network that no band can run in int8; it is scored as it was trained."""
    seeds: tuple[Seed, ...] | None = None
    """Some of the grid's, for a network that takes long; none: all."""
    changes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _students_are_int8(self) -> Method:
        if self.group == "distillation" and self.arithmetic == "float":
            raise ValueError("a student is scored in int8: arithmetic 'float' is for architectures")
        return self

    @property
    def shown(self) -> str:
        """Its name in tables and pictures."""
        return self.title or self.name


class Quick(Table):
    """What ``--quick`` leaves of the grid, beside the sliver of the data and the few epochs."""

    seeds: tuple[Seed, ...] = (1,)
    folds: Annotated[int, Field(ge=1)] = 1
    """How many people are left out in turn."""
    changes: tuple[str, ...] = ()


class Grid(Table):
    """Every protocol with every method and seed."""

    name: Name
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    changes: tuple[str, ...] = ()
    """Of every protocol's recipe."""
    focus: str | None = None
    """The method that is compared with each of the others; none: the one that ranks best."""
    sensors: bool = False
    """Its protocols differ in sensors and rate: show what these buy and draw."""
    protocols: Annotated[tuple[Protocol, ...], Field(min_length=1)]
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    quick: Quick = Quick()

    @model_validator(mode="after")
    def _names_mean_one_thing(self) -> Grid:
        _unique("seed", self.seeds)
        _unique("protocol", [protocol.name for protocol in self.protocols])
        methods = _unique("method", [method.name for method in self.methods])
        for method in self.methods:
            for seed in method.seeds or ():
                if seed not in self.seeds:
                    raise ValueError(f"method '{method.name}': seed {seed} is none of the grid's")
        asked = [self.focus] if self.focus else []
        for name in [*asked, *(name for protocol in self.protocols for name in protocol.fewer)]:
            if name not in methods:
                raise ValueError(f"no method is called '{name}': {settings.hint(name, methods)}")
        return self


def load(path: Path | str) -> Grid:
    """Read a grid from a file, or a built-in one by its name.

    Raises:
        RecipeError: no such file, not TOML, a key or value that cannot be.
    """
    file = find(path)
    return parse(settings.read(file), origin=str(file))


def find(path: Path | str) -> Path:
    """The file of a grid given by path or by the name of a built-in one."""
    return settings.find(path, BUILT_IN, "grid")


def parse(table: dict[str, Any], origin: str = "grid") -> Grid:
    """Check a table as read from TOML; RecipeError names the first key at fault."""
    return settings.check(Grid, table, origin)


def _unique(what: str, values: Sequence[Any]) -> Any:
    for value in values:
        if list(values).count(value) > 1:
            raise ValueError(f"{what} {value!r} stands there twice: each once")
    return values
