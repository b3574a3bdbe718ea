"""What a search found: a table, a picture, and a recipe for every student of the front."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tinyhar import settings
from tinyhar.band.budget import UNITS
from tinyhar.evaluate import page
from tinyhar.evaluate.palette import role_colour
from tinyhar.evaluate.pictures import SETTINGS, WIDTH, inline_svg, new_figure
from tinyhar.pipeline.folder import RunFolder
from tinyhar.search.front import front
from tinyhar.search.run import Found, Plan
from tinyhar.search.space import Candidate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER = ("", "student", "macro-F1", "flash", "RAM", "instructions", "parameters")
_HERE = Path(__file__).parent


def write(plan: Plan, found: Found) -> list[Candidate]:
    """Leave ``search.csv``, ``search.html`` and ``front/NAME.toml``; returns the front."""
    best = front(found.scores, found.costs)
    files = RunFolder(plan.out)
    files.write_text("search.csv", _csv(found))
    files.write_text("search.html", html(plan, found, best))
    for older in (plan.out / "front").glob("*.toml"):
        older.unlink()
    for candidate in best:
        name = f"{plan.recipe.name}-{candidate.name.replace('.', '_')}"
        recipe = plan.recipe_of(candidate).model_copy(update={"name": name})
        files.write_text(f"front/{candidate.name}.toml", settings.to_toml(recipe))
    return best


def recipe_file(plan: Plan, candidate: Candidate) -> Path:
    """Where a student of the front has its recipe."""
    return plan.out / "front" / f"{candidate.name}.toml"


def rows(found: Found, best: list[Candidate]) -> list[tuple[str, ...]]:
    """The front as a table, numbered as in the picture."""
    return [_row(number, candidate, found) for number, candidate in enumerate(best, start=1)]


def _row(number: int, candidate: Candidate, found: Found) -> tuple[str, ...]:
    cost = found.costs[candidate]
    return (
        str(number),
        candidate.name,
        f"{found.scores[candidate]:.3f}",
        f"{cost.flash_bytes:,}",
        f"{cost.ram_bytes:,}",
        f"{cost.instructions:,}",
        f"{cost.parameters:,}",
    )


def html(plan: Plan, found: Found, best: list[Candidate]) -> str:
    """The front as one page, nothing to load."""
    limits = [
        f"{value:,} {UNITS[name]}" for name, value in vars(plan.budget).items() if value is not None
    ]
    return page.template("search.html.j2", _HERE).render(
        title=f"Students for {plan.recipe.name}",
        style=page.style(),
        lead=f"{len(found.within)} of {len(found.costs)} students fit "
        f"{' and '.join(limits) or 'an unlimited budget'}; {len(found.scores)} were trained for "
        f"{plan.epochs} epochs.",
        picture=picture(found, best),
        header=HEADER,
        rows=[
            (row, recipe_file(plan, candidate).relative_to(plan.out).as_posix())
            for row, candidate in zip(rows(found, best), best, strict=True)
        ],
    )


def _csv(found: Found) -> str:
    text = io.StringIO()
    records = [
        {"name": c.name, "macro_f1": found.scores.get(c), **asdict(cost)}
        for c, cost in found.costs.items()
    ]
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def picture(found: Found, best: list[Candidate]) -> str:
    """Macro-F1 against instructions: the front as a line, other trained students as dots."""
    import matplotlib

    alt = "macro-F1 against instructions a window: " + "; ".join(
        f"{c.name} {found.scores[c]:.3f} at {found.costs[c].instructions:,}" for c in best
    )
    with matplotlib.rc_context(SETTINGS):
        figure, (axes,) = new_figure(1.6 * WIDTH, 3.4, rows=1)
        _dots(axes, found, [c for c in found.scores if c not in best], role_colour("first"))
        line = [c for c in best if not _slower_and_worse(c, best, found)]
        axes.plot(*_places(found, line), "-", color=role_colour("second"), lw=1.2)
        _dots(axes, found, best, role_colour("second"))
        for number, candidate in enumerate(best, start=1):
            place = found.costs[candidate].instructions, found.scores[candidate]
            axes.annotate(str(number), place, (0, 6), textcoords="offset points", ha="center")
        axes.margins(y=0.12)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _position: f"{value:,.0f}")
        axes.minorticks_off()
        axes.set_xlabel("instructions a window")
        axes.set_ylabel("macro-F1, people held out")
        return inline_svg(figure, alt)


def _slower_and_worse(one: Candidate, best: list[Candidate], found: Found) -> bool:
    """On the front for its flash or RAM: the line of instructions leaves it out."""
    return any(
        found.scores[other] >= found.scores[one]
        and found.costs[other].instructions < found.costs[one].instructions
        for other in best
    )


def _places(found: Found, chosen: list[Candidate]) -> tuple[list[int], list[float]]:
    return [found.costs[c].instructions for c in chosen], [found.scores[c] for c in chosen]


def _dots(axes: Axes, found: Found, chosen: list[Candidate], colour: str) -> None:
    axes.plot(*_places(found, chosen), "o", ms=5, color=colour)
