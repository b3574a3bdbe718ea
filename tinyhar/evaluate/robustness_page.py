"""robustness.html: curves and figures of disturbed models, in the look of a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tinyhar
from tinyhar.evaluate import formats, page, pictures
from tinyhar.evaluate.metrics import Summary
from tinyhar.evaluate.palette import SERIES
from tinyhar.evaluate.robustness_results import Cell, Group, Row, rows

AXES = {
    "rotation": ("the band sits turned", "degrees"),
    "clock drift": ("the band's clock is wrong", "per cent too fast"),
    "lost samples": ("one by one", "per cent lost"),
    "lost in bursts": ("several in a row", "per cent lost"),
    "noise": ("in the accelerometer, a tenth of it in the gyroscope", "m/s², standard deviation"),
}
"""What a family is, and the name of its level."""


@dataclass(frozen=True)
class Figure:
    """A picture of one family."""

    title: str
    what: str
    svg: str


def render(groups: Sequence[Group], *, quick: bool = False) -> str:
    """The page as text, nothing to load."""
    table = rows(groups)
    families = dict.fromkeys(row.family for row in table)
    reasons = [reason for group in groups for run in group.runs for reason in run.left_out]
    return page.template("robustness.html.j2").render(
        style=page.style(),
        version=tinyhar.__version__,
        quick=quick,
        groups=groups,
        labels=[group.label for group in groups],
        key=[(group.label, SERIES[i % len(SERIES)]) for i, group in enumerate(groups)],
        figures=[
            draw(family, groups, [row for row in table if row.family == family])
            for family in families
            for draw in (_figure if family in AXES else _falls,)
        ],
        families=[(family, [row for row in table if row.family == family]) for family in families],
        left_out=list(dict.fromkeys(reasons)),
        spread=spread,
        spread_change=spread_change,
    )


def spread(value: Summary) -> str:
    """Mean and spread over runs; of a single run there is no spread."""
    text = formats.score(value.mean)
    return text if value.n == 1 else f"{text} ± {value.std:.4f}"


def spread_change(value: Summary) -> str:
    """The same of a difference, with its sign."""
    text = formats.change(value.mean)
    return text if value.n == 1 else f"{text} ± {value.std:.4f}"


def _figure(family: str, groups: Sequence[Group], members: Sequence[Row]) -> Figure:
    what, unit = AXES[family]
    curves = [
        curve
        for place, group in enumerate(groups)
        if (curve := _curve(group, place, [(row.level, row.cells[place]) for row in members]))
    ]
    said = "; ".join(
        f"{c.name}: "
        + ", ".join(f"{m:.2f} at {x:g}" for x, m in zip(c.levels, c.means, strict=True))
        for c in curves
    )
    alt = f"macro-F1 by {family}, {unit}. {said}"
    ticks = range(0, 181, 45) if unit == "degrees" else None
    svg = pictures.sweep(curves, xlabel=unit, ylabel="macro-F1", alt=alt, ticks=ticks)
    return Figure(family, what, svg)


def _falls(family: str, groups: Sequence[Group], members: Sequence[Row]) -> Figure:
    """For disturbances that have no more and less: from undisturbed (ring) to disturbed."""
    found = [
        pictures.Fall(row.name, place, cell.macro_f1.mean + cell.loss.mean, cell.macro_f1.mean)
        for row in members
        for place, cell in enumerate(row.cells)
        if cell is not None
    ]
    said = "; ".join(
        f"{groups[f.place].label}, {f.row}: {f.before:.2f} to {f.after:.2f}" for f in found
    )
    svg = pictures.falls(found, xlabel="macro-F1", alt=f"macro-F1 by {family}. {said}")
    return Figure(family, "from undisturbed (ring) to disturbed", svg)


def _curve(
    group: Group, place: int, cells: Sequence[tuple[float | None, Cell | None]]
) -> pictures.Sweep | None:
    """A group's points by level, the undisturbed one at level 0 among them."""
    clean = [run.clean for run in group.runs]
    points = {0.0: (group.clean.mean, min(clean), max(clean))}
    for level, cell in cells:
        if level is not None and cell is not None:
            points[level] = (cell.macro_f1.mean, cell.low, cell.high)
    if len(points) == 1:
        return None
    levels = sorted(points)
    means, lows, highs = zip(*(points[level] for level in levels), strict=True)
    return pictures.Sweep(group.label, place, levels, means, lows, highs)
