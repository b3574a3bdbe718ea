"""``tinyhar personal evaluate``: what teaching is worth, over people, budgets and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markdown import Markdown

from tinyhar import recipe as recipes
from tinyhar.cli.options import DataOption
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import INTERRUPTED
from tinyhar.errors import DataError

console = Console(stderr=True)

Part = Literal["all", "last", "head"]


def evaluate(
    protocol: Annotated[
        str, typer.Argument(help="A recipe's file or name: dsads-wrist, spsw-watch.")
    ],
    data: DataOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", show_default="personal-PROTOCOL", help="Where it goes.")
    ] = None,
    seconds: Annotated[
        list[float] | None, typer.Option(min=0.1, help="A budget a class; several times for more.")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Several times for more.")] = None,
    person: Annotated[
        list[str] | None, typer.Option(help="Only these people; several times for more.")
    ] = None,
    new_class: Annotated[
        list[str] | None,
        typer.Option(help="Leave it out of base models and teach it with 20 s; several times."),
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve/--no-curve", help="The budgets, every class recorded again.")
    ] = True,
    epochs: Annotated[
        int, typer.Option(min=1, help="Of base models, where they are trained here.")
    ] = 60,
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder of finished runs of the recipe: base models with a teacher."),
    ] = None,
    trains: Annotated[Part, typer.Option(help="Layers that learn.")] = "all",
    new_trains: Annotated[Part, typer.Option(help="The same, of a class alone.")] = "all",
) -> None:
    """General against personal model on people left out; resumed where it stopped."""
    start_tensorflow()
    from tinyhar.personal.curve import draw
    from tinyhar.personal.lesson import Lesson
    from tinyhar.personal.results import as_csv, table
    from tinyhar.pipeline.folder import RunFolder
    from tinyhar.pipeline.personal_plan import Plan
    from tinyhar.pipeline.personal_trials import Trials

    whole = recipes.load(protocol)
    plan = Plan(
        recipe=whole,
        seconds=tuple(dict.fromkeys(seconds or (5.0, 10.0, 20.0, 40.0))),
        seeds=tuple(dict.fromkeys(seed or (whole.seed,))),
        people=tuple(person or ()),
        classes=tuple(dict.fromkeys(new_class or ())),
        epochs=epochs,
        runs=runs,
        lesson=Lesson(trains=trains),
        unseen_lesson=Lesson(trains=new_trains),
    )
    if not curve and not plan.classes:
        raise DataError("--no-curve without --new-class: there is nothing to do")
    folder = out or Path(f"personal-{whole.name}")
    files = RunFolder(folder).made()
    trials = Trials(plan, folder, data, tell=lambda text: console.print(text, soft_wrap=True))
    try:
        gains = trials.gains() if curve else []
        unseen = trials.unseen()
    except KeyboardInterrupt:
        console.print("interrupted; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    text = table(whole.name, gains, unseen)
    files.write_text("table.md", text)
    if gains:
        files.write_text("gains.csv", as_csv(gains))
        with files.writing("curve.png") as draft:
            draw(gains, draft, title=f"{whole.name}: general and personal models")
    if unseen:
        files.write_text("new-classes.csv", as_csv(unseen))
    Console().print(Markdown(text))
    console.print(f"written to [bold]{folder}[/]", soft_wrap=True)
