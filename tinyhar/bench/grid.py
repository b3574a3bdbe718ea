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

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from tinyhar.errors import RecipeError
from tinyhar.recipe import Table

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
    folds: tuple[str, ...] | None = None
    """Of a leave-one-out recipe: who is left out in turn; none: everybody whom the recipe names."""
    fewer: dict[str, tuple[str, ...]] = Field(default={})
    """Method name to its folds, where a method is tested on fewer people."""

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
    focus: str | None = None
    """The method that is compared with each of the others; none: the one that ranks best."""
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
                raise ValueError(f"no method is called '{name}': {hint(name, methods)}")
        return self


def load(path: Path | str) -> Grid:
    """Read a grid from a file, or a built-in one by its name.

    Raises:
        RecipeError: no such file, not TOML, a key or value that cannot be.
    """
    file = find(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: not a TOML file: {error}") from error
    except OSError as error:
        raise RecipeError(f"{file}: cannot be read ({error.strerror})") from error
    return parse(table, origin=str(file))


def find(path: Path | str) -> Path:
    """The file of a grid given by path or by the name of a built-in one."""
    file = Path(path)
    if file.is_file():
        return file
    built_in = BUILT_IN / f"{file.name.removesuffix('.toml')}.toml"
    if built_in.is_file() and file.parent == Path():
        return built_in
    names = ", ".join(sorted(p.stem for p in BUILT_IN.glob("*.toml")))
    raise RecipeError(f"{path}: no such grid; give a TOML file, or one of: {names}")


def parse(table: dict[str, Any], origin: str = "grid") -> Grid:
    """Check a table as read from TOML; RecipeError names the first key at fault."""
    try:
        return Grid.model_validate(table)
    except ValidationError as error:
        raise RecipeError(f"{origin}: {_explain(error)}") from error


def hint(word: str, known: Iterable[str]) -> str:
    """What a misspelt word may have meant."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"one of {', '.join(names)}"


def _unique(what: str, values: Sequence[Any]) -> Any:
    for value in values:
        if list(values).count(value) > 1:
            raise ValueError(f"{what} {value!r} stands there twice: each once")
    return values


def _explain(error: ValidationError) -> str:
    # A misspelt key first: that the right one is missing follows from it.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = first["loc"]
    key = ".".join(str(part) for part in place)
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}': {hint(str(place[-1]), _keys_at(place[:-1]))}"
    if first["type"] == "missing":
        return f"'{key}' is missing: add it"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    given = first["input"]
    shown = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
    return f"'{key}': {message}{shown}" if key else message


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Grid
    for part in place:
        if isinstance(part, str):
            model = _table_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, by itself or as an array."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for part in get_args(annotation) if (table := _table_in(part))), None)
