"""The curve of gains: macro-F1 over seconds of calibration, a thin line a person, and the means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyhar.evaluate.metrics import in_order
from tinyhar.personal.results import Gain, budgets

PERSON, MEAN, GENERAL, BAND = "#9bb8cc", "#0072b2", "#d55e00", "#009e73"


def draw(gains: Sequence[Gain], file: Path, *, title: str) -> None:
    """Write a PNG: each person's curve from the general model (0 s) on, and the mean of all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    rows = budgets(gains)
    ends: dict[str, float] = {}
    for who in in_order({gain.person for gain in gains}):
        mine = [gain for gain in gains if gain.person == who]
        points = {0.0: [gain.general for gain in mine]}
        for gain in mine:
            points.setdefault(gain.seconds, []).append(gain.personal)
        x = sorted(points)
        y = [sum(points[at]) / len(points[at]) for at in x]
        axes.plot(x, y, "-o", color=PERSON, lw=1, ms=2.5, zorder=1)
        ends[who] = y[-1]
    x = [0.0, *(row.seconds for row in rows)]
    y = [rows[0].general.mean, *(row.personal.mean for row in rows)]
    axes.plot(x, y, "-o", color=MEAN, lw=2.4, ms=5, label="personal, mean over people", zorder=3)
    band = [rows[0].general.mean, *(row.on_band.mean for row in rows)]
    axes.plot(x, band, "-s", color=BAND, lw=1.6, ms=4, label="taught on the band, mean", zorder=2)
    axes.axhline(y[0], color=GENERAL, ls="--", lw=1.2, label="general model", zorder=2)
    least = min([gain.general for gain in gains] + [gain.personal for gain in gains])
    axes.set_ylim(max(0.0, least - 0.2), 1.04)
    for row in rows:
        axes.text(row.seconds, 1.01, f"{row.relative:+.0%}", ha="center", fontsize=8, color=MEAN)
    for who, at in _apart(ends, least=0.022 * (1.04 - axes.get_ylim()[0])).items():
        axes.annotate(who, (x[-1], at), (6, 0), textcoords="offset points", va="center",
                      fontsize=6, color="#5b7a90")  # fmt: skip
    axes.set_xticks(x)
    axes.set_xlabel("seconds of calibration a class")
    axes.set_ylabel("int8 macro-F1 on later recordings")
    axes.set_title(title, fontsize=10, loc="left")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    figure.savefig(file)


def _apart(heights: dict[str, float], *, least: float) -> dict[str, float]:
    """The same heights, those of neighbours `least` apart, from the top down."""
    found: dict[str, float] = {}
    above = float("inf")
    for who in sorted(heights, key=lambda who: -heights[who]):
        above = found[who] = min(heights[who], above - least)
    return found
