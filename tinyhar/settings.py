"""Settings as TOML files: found, read, checked in full, explained in a line, and written again.

Recipes and grids are :class:`Table` classes; whatever is wrong with one raises
:class:`~tinyhar.errors.RecipeError` with the file, the first key at fault and the remedy.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from tinyhar.errors import RecipeError


class Table(BaseModel):
    """A table of settings: knows its keys, refuses all others, never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Table)


def find(path: Path | str, built_in: Path, what: str) -> Path:
    """The file of a `what` given by path, or by the name of one in the folder `built_in`.

    Raises:
        RecipeError: neither; names those that are built in.
    """
    file = Path(path)
    if file.is_file():
        return file
    ours = built_in / f"{file.name.removesuffix('.toml')}.toml"
    if ours.is_file() and (file.parent == Path() or file.parent.name == built_in.name):
        return ours
    names = ", ".join(sorted(p.stem for p in built_in.glob("*.toml")))
    raise RecipeError(f"{path}: no such {what}; give a TOML file, or one of: {names}")


def read(file: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        RecipeError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: not a TOML file: {error}") from error
    except OSError as error:
        raise RecipeError(f"{file}: cannot be read ({error.strerror})") from error


def check(kind: type[T], table: dict[str, Any], origin: str) -> T:
    """The settings in `table`, as read from `origin`.

    Raises:
        RecipeError: names the first key at fault, what was expected and what to do.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise RecipeError(f"{origin}: {_explain(error, kind)}") from error


def hint(word: str, known: Iterable[str]) -> str:
    """What a misspelt word may have meant."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"one of {', '.join(names)}"


def to_toml(settings: Table) -> str:
    """The settings as TOML with every default written out; :func:`check` reads them back equal."""
    return "\n".join(_lines(settings.model_dump(mode="json", exclude_none=True))) + "\n"


def _lines(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{key} = {_written(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield f"\n[{prefix}{key}]"
            yield from _lines(value, f"{prefix}{key}.")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _explain(error: ValidationError, kind: type[Table]) -> str:
    first = _worst(error.errors())
    key = _key_of(first)
    if first["type"] == "extra_forbidden":
        *place, wrong = first["loc"]
        return f"unknown key '{key}': {hint(str(wrong), _keys_at(kind, place))}"
    if first["type"] == "missing":
        return f"'{key}' is missing: add it"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] in ("model_type", "dict_type"):
        message = f"expected a table: [{key}] and its keys below"
    message = message[0].lower() + message[1:].replace("tuple", "list")
    given = first["input"]
    shown = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
    return f"'{key}': {message}{shown}" if key else message


def _worst(errors: list[ErrorDetails]) -> ErrorDetails:
    # A misspelt key first: that the right one is missing follows from it.
    first = min(errors, key=lambda one: one["type"] != "extra_forbidden")
    # Of a value that may be of several types, the one that it has tells what is wrong with it.
    for other in errors:
        if _key_of(other) == _key_of(first) and not other["type"].endswith("_type"):
            first = other
    return first


def _key_of(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"] if not _is_union_branch(part))


def _is_union_branch(part: object) -> bool:
    return isinstance(part, str) and (part.startswith("constrained-") or "[" in part)


def _keys_at(kind: type[Table], place: Iterable[int | str]) -> list[str]:
    model: type[BaseModel] = kind
    for part in place:
        if isinstance(part, str):
            model = _table_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, by itself or as an array."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for part in get_args(annotation) if (table := _table_in(part))), None)
