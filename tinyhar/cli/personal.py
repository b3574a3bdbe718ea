"""``tinyhar personal fit | evaluate``: a user's own classes, and what teaching them is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from tinyhar.cli.personal_evaluate import evaluate
from tinyhar.cli.quiet import start_tensorflow
from tinyhar.cli.status import INTERRUPTED
from tinyhar.errors import DataError

if TYPE_CHECKING:
    from tinyhar.pipeline.personal_calibration import Wish

app = typer.Typer(no_args_is_help=True, help="A user's own classes on a finished run's model.")
app.command()(evaluate)
console = Console(stderr=True)


@app.command()
def fit(
    base_run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    recordings: Annotated[
        Path, typer.Argument(help="A folder of labelled .csv recordings, or of a calibration.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Where the personal run goes.", show_default="BASE_RUN-personal"
        ),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Learn from at most so much of each class.")
    ] = None,
    held_out: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of each class, the latest, to judge by.")
    ] = 0.3,
    trains: Annotated[
        Literal["all", "last", "head"], typer.Option(help="Which layers learn.")
    ] = "all",
    redefine: Annotated[
        Literal["keep", "replace"],
        typer.Option(help="A class recorded again: keep other people's windows of it, or not."),
    ] = "keep",
    only_recorded: Annotated[
        bool, typer.Option("--only-recorded", help="Leave the base run's other classes out.")
    ] = False,
    resample: Annotated[
        bool, typer.Option("--resample", help="Accept recordings at another rate.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, max=500, help="Of fine-tuning.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    board: Annotated[
        list[str] | None, typer.Option(help="Build firmware for it; several times for more.")
    ] = None,
) -> None:
    """Teach a finished run's model your own movement, in less than a minute."""
    start_tensorflow()
    from tinyhar.cli.watcher import Watcher
    from tinyhar.personal.lesson import Lesson
    from tinyhar.pipeline.personal import fit as personalise
    from tinyhar.pipeline.personal_calibration import Wish

    wish = Wish(
        seconds=seconds,
        held_out=held_out,
        redefine=redefine,
        only_recorded=only_recorded,
        resampled=resample,
        boards=_boards(board),
        lesson=Lesson(trains=trains, epochs=epochs, seed=seed),
    )
    folder = out or base_run.with_name(f"{base_run.resolve().name}-personal")
    try:
        with Watcher(console) as watcher:
            metrics = personalise(base_run, recordings, folder, wish=wish, progress=watcher)
    except KeyboardInterrupt:
        console.print("interrupted; nothing was changed that the same command does not do again")
        raise typer.Exit(INTERRUPTED) from None
    _tell(metrics, folder, wish)


def _boards(wanted: list[str] | None) -> tuple[str, ...]:
    from tinyhar.band.emulate import BOARDS

    for name in wanted or ():
        if name not in BOARDS:
            raise DataError(f"--board {name}: there is {', '.join(BOARDS)}")
    return tuple(dict.fromkeys(wanted)) if wanted else ("host",)


def _tell(metrics: dict[str, Any], folder: Path, wish: Wish) -> None:
    """The figures on the terminal."""
    table = Table(title=f"int8, before and after {metrics['seconds']:.0f} s")
    for column in ("judged on", "windows", "macro-F1 before", "after", "change"):
        table.add_column(column, justify="left" if column == "judged on" else "right")
    for title, part in (
        ("your later recordings", metrics["held_out"]),
        ("other people, old classes", metrics["old_classes"]),
    ):
        if part is None:
            table.add_row(title, "0", "–", "–", "–")
            continue
        before, after = part["before"]["macro_f1"], part["after"]["macro_f1"]
        row = (f"{part['windows']:,}", f"{before:.3f}", f"{after:.3f}", f"{part['gain']:+.3f}")
        table.add_row(title, *row)
    Console().print(table)
    for name in metrics["new"]:
        f1 = metrics["held_out"]["after"]["class_f1"][name] if metrics["held_out"] else None
        if f1 is not None:
            console.print(f"new class [bold]{name}[/]: F1 {f1:.3f} on your later recordings")
    refusal = metrics["rejection"]
    if refusal["false_rejects"] is not None and refusal["catch_rate"] is not None:
        console.print(
            f"none of these: {refusal['false_rejects']:.0%} of known movement refused, "
            f"{refusal['catch_rate']:.0%} of a class taken out"
        )
    console.print(f"report: [bold]{folder / 'report.html'}[/]", soft_wrap=True)
    if wish.boards:
        console.print(f"start it: tinyhar band start --run {folder} --board {wish.boards[0]}")
