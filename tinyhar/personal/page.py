"""report.html of a personal run, in the look of all our pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tinyhar
from tinyhar.evaluate import formats, page, pictures


@dataclass(frozen=True)
class Row:
    """A class: seconds learned from, and its F1 before and after; None where nothing was judged."""

    name: str
    standing: str
    seconds: float | None
    own_before: float | None
    own_after: float | None
    old_before: float | None
    old_after: float | None
    caught: float | None


def render(metrics: dict[str, Any], *, rows: Sequence[Row], confusions: Sequence[str]) -> str:
    """The page as text, nothing to load; `metrics` as metrics.json has them."""
    return page.template("personal.html.j2").render(
        style=page.style(),
        version=tinyhar.__version__,
        metrics=metrics,
        rows=rows,
        confusions=confusions,
        picture=_picture(rows),
        either=either,
        percent=percent,
    )


def _picture(rows: Sequence[Row]) -> str:
    """Each judged class's F1 from before (ring) to after (mark); empty where there is none."""
    found = [
        pictures.Fall(row.name, 0, row.own_before, row.own_after)
        for row in rows
        if row.own_before is not None and row.own_after is not None
    ]
    if not found:
        return ""
    said = "; ".join(f"{f.row}: {f.before:.2f} to {f.after:.2f}" for f in found)
    return pictures.falls(found, xlabel="F1", alt=f"F1 before and after. {said}")


def either(value: float | None) -> str:
    """A score, or a dash where nothing was judged."""
    return "–" if value is None else formats.score(value)


def percent(value: float | None) -> str:
    """A share as a percentage, or a dash."""
    return "–" if value is None else f"{value:.0%}"
