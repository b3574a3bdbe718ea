"""What a teacher of many sensors goes by, made ready for the report: two tables by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyhar.evaluate import formats
from tinyhar.evaluate.metrics import Evaluation
from tinyhar.evaluate.report_attention import Cell
from tinyhar.evaluate.run_report import Missing, RunReport

DEEPEST = 0.5
"""A loss of so much F1 has the full shade."""


@dataclass(frozen=True)
class Heat:
    """Cells by class and column, and a last row over all classes."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[str, ...]


@dataclass(frozen=True)
class DrawnViews:
    """What the template needs; a table that the teacher does not have is None."""

    views: Heat | None
    without: Heat | None


def drawn_views(report: RunReport) -> DrawnViews | None:
    """The teacher's representations and places, if it has several of either."""
    teacher = report.teacher
    if isinstance(teacher, Missing) or not (teacher.views or teacher.without):
        return None
    together = {**teacher.views, "together": teacher.evaluation}
    return DrawnViews(
        views=_scores(together) if teacher.views else None,
        without=_losses(teacher.without, teacher.evaluation) if teacher.without else None,
    )


def _scores(views: Mapping[str, Evaluation]) -> Heat:
    columns = list(views.values())
    return Heat(
        columns=tuple(views),
        rows=tuple(
            tuple(Cell(formats.score(f1), float(f1)) for f1 in row)
            for row in zip(*(one.class_f1 for one in columns), strict=True)
        ),
        total=tuple(formats.score(one.macro_f1) for one in columns),
    )


def _losses(without: Mapping[str, Evaluation], whole: Evaluation) -> Heat:
    columns = list(without.values())
    return Heat(
        columns=tuple(formats.spoken(place) for place in without),
        rows=tuple(
            tuple(
                Cell(formats.change(f1 - before), min(1.0, max(0.0, (before - f1) / DEEPEST)))
                for f1 in row
            )
            for before, row in zip(
                whole.class_f1, zip(*(one.class_f1 for one in columns), strict=True), strict=True
            )
        ),
        total=tuple(formats.change(one.macro_f1 - whole.macro_f1) for one in columns),
    )
