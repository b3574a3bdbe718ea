"""The house keeps its order: a room imports only from the rooms before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tinyhar"
ROOMS = (
    *(
        "errors",
        "terminal",
        "npz",
        "recordings",
        "windows",
        "splits",
        "counts",
        "models",
        "distill",
    ),
    *("compress", "convert", "evaluate", "personal", "band", "settings", "recipe", "pipeline"),
    *("bench", "search", "cli"),
    "__main__",
)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms that a file imports, at module level or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "tinyhar":
            names |= {f"tinyhar.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.split(".")[1] for name in names if name.startswith("tinyhar.")}


FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_from_earlier_rooms(path: Path) -> None:
    room = room_of(path)
    assert room in ROOMS, f"{room} is a new room: give it a place in the order"
    later = {r for r in imported_rooms(path) if r in ROOMS and ROOMS.index(r) > ROOMS.index(room)}
    assert not later, f"{path.name} reaches forward into {sorted(later)}"


def test_no_file_is_crowded() -> None:
    crowded = {p.name: n for p in FILES if (n := len(p.read_text().splitlines())) > 400}
    assert not crowded
