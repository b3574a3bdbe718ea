"""Options and arguments that several commands have, each told in the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# ---- the main job ----

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the data sets; else the variable TINYHAR_DATA.", metavar="DIR"
    ),
]
SeedsOption = Annotated[
    list[int] | None,
    typer.Option(
        "--seed", min=0, help="Instead of the recipe's; several times for a mean over seeds."
    ),
]
RecipeArgument = Annotated[
    str, typer.Argument(help="A TOML file, or the name of a built-in recipe.")
]
ChangeOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a key: --set student.training.epochs=20"),
]
OutOption = Annotated[Path, typer.Option("--out", help="Where run folders go.")]

# ---- the serial tool ----

Port = Annotated[
    str | None,
    typer.Option(help="Port or URL: /dev/ttyACM0, socket://HOST:PORT; else the only candidate."),
]
Baud = Annotated[int, typer.Option(help="Speed of a real serial port; others have none.", min=300)]
Json = Annotated[bool, typer.Option("--json", help="One JSON document, for machines.")]
JsonLines = Annotated[bool, typer.Option("--json", help="A JSON document a line, for machines.")]
