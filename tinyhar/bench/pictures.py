"""The league's pictures: inline SVG in the look of a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tinyhar.bench.economics import Point
from tinyhar.bench.statistics import Ranking
from tinyhar.evaluate.palette import role_colour
from tinyhar.evaluate.pictures import SETTINGS, WIDTH, inline_svg, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOCUS: Final = "second"
OTHER: Final = "first"
"""Roles of the method that is compared with the others, and of those."""

_RULER: Final = 2.8
"""Inches of the scale of ranks."""


@dataclass(frozen=True)
class Mark:
    """A method on a picture: its scores, one a seed, and what it costs.

    `role` colours it; a `hollow` one is no int8 model.
    """

    name: str
    scores: tuple[float, ...]
    parameters: float = 0.0
    role: str = OTHER
    hollow: bool = False

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean(self.scores))

    @property
    def spread(self) -> float:
        """Sample standard deviation over seeds; 0 of a single one."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else 0.0


def scores(marks: Sequence[Mark], *, baseline: float | None, alt: str) -> str:
    """A row a method: mean with its spread, each seed as a dot, the baseline as a dashed line."""
    import matplotlib

    with matplotlib.rc_context({**SETTINGS, "axes.grid.axis": "x"}):
        figure, (axes,) = new_figure(1.1 * WIDTH, 0.6 + 0.26 * len(marks), rows=1)
        if baseline is not None:
            axes.axvline(baseline, color=role_colour("kept"), lw=1.0, ls=(0, (3, 3)), zorder=0)
        for row, mark in enumerate(marks):
            colour = role_colour(mark.role)
            if len(mark.scores) > 1:
                axes.plot(mark.scores, [row] * len(mark.scores), "o", ms=3, color=colour, alpha=0.4)
            ends = [mark.mean - mark.spread, mark.mean + mark.spread]
            axes.plot(ends, [row, row], color=colour, lw=1.6, solid_capstyle="butt")
            fill = "none" if mark.hollow else colour
            axes.plot(mark.mean, row, "o", ms=6, mfc=fill, mec=colour, mew=1.5)
        axes.set_yticks(range(len(marks)), [mark.name for mark in marks])
        axes.set_ylim(len(marks) - 0.5, -0.5)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("macro-F1")
        axes.spines["left"].set_visible(False)
        return inline_svg(figure, alt)


def sizes(marks: Sequence[Mark], *, alt: str) -> str:
    """Macro-F1 against parameters (logarithmic), every mark by its name."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        figure, (axes,) = new_figure(1.25 * WIDTH, 3.0, rows=1)
        axes.set_xscale("log")
        for mark in marks:
            colour = role_colour(mark.role)
            fill = "none" if mark.hollow else colour
            axes.errorbar(mark.parameters, mark.mean, mark.spread or None, color=colour, lw=1.0)
            axes.plot(mark.parameters, mark.mean, "o", ms=6, mfc=fill, mec=colour, mew=1.5)
        _room(axes, marks)
        _name(axes, marks)
        axes.xaxis.set_major_formatter(lambda value, _position: _thousands(value))
        axes.minorticks_off()
        axes.set_xlabel("parameters")
        axes.set_ylabel("macro-F1")
        return inline_svg(figure, alt)


def economics(found: Sequence[Point], *, alt: str) -> str:
    """Macro-F1 against the current of core and sensors, every band by its name."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        figure, (axes,) = new_figure(1.25 * WIDTH, 3.0, rows=1)
        marks = [Mark(one.name, (one.score.mean,), 1e6 * one.total_a) for one in found]
        for one, mark in zip(found, marks, strict=True):
            colour = role_colour(FOCUS if "gyro" in one.sensors else OTHER)
            spread = one.score.std if one.score.n > 1 else None
            axes.errorbar(mark.parameters, mark.mean, spread, color=colour, lw=1.0)
            axes.plot(mark.parameters, mark.mean, "o", ms=6, color=colour)
        axes.set_xscale("log")
        _room(axes, marks)
        _name(axes, marks)
        axes.xaxis.set_major_formatter(lambda value, _position: f"{value:,.0f}")
        axes.minorticks_off()
        axes.set_xlabel("core and sensors, uA (estimate)")
        axes.set_ylabel("macro-F1")
        return inline_svg(figure, alt)


def critical_difference(
    ranking: Ranking, names: Sequence[str], *, focus: str | None, alt: str
) -> str:
    """Demsar's picture: methods at their average ranks, bars join those not told apart."""
    import matplotlib

    order = [int(i) for i in np.argsort(ranking.ranks, kind="stable")]
    left = order[: -(-len(order) // 2)]
    lanes, bars = max(len(left), len(order) - len(left)), len(ranking.cliques)
    with matplotlib.rc_context({**SETTINGS, "axes.grid": False}):
        methods = len(order)
        beside = 0.35 + 0.075 * (max(map(len, names)) + 4)  # inches for names
        width = _RULER + 2 * beside
        figure, (axes,) = new_figure(width, 0.75 + 0.16 * bars + 0.26 * lanes, rows=1)
        margin = beside * (methods - 1) / _RULER
        axes.set_xlim(1 - margin, methods + margin)
        depth = 0.55 * bars + lanes + 0.4
        axes.set_ylim(-depth, 2.3)
        axes.set_axis_off()
        _scale(axes, ranking, methods)
        for row, clique in enumerate(ranking.cliques):
            ends = [ranking.ranks[clique[0]] - 0.06, ranking.ranks[clique[-1]] + 0.06]
            height = -0.45 - 0.55 * row
            axes.plot(ends, [height] * 2, color=role_colour("third"), lw=4, solid_capstyle="round")
        for index in order:
            on_left = index in left
            lane = order.index(index) if on_left else methods - 1 - order.index(index)
            _hang(axes, ranking.ranks[index], names[index], -(0.55 * bars + lane + 0.75),
                  1.0 if on_left else float(methods), focus)  # fmt: skip
        return inline_svg(figure, alt)


def _scale(axes: Axes, ranking: Ranking, methods: int) -> None:
    """The ruler of ranks, and over it the length that a difference must have."""
    soft, ink = role_colour("soft"), role_colour("ink")
    axes.plot([1, methods], [0, 0], color=soft, lw=1)
    for place in range(1, methods + 1):
        axes.plot([place, place], [0, 0.18], color=soft, lw=1)
        axes.text(place, 0.3, str(place), ha="center", va="bottom", color=soft)
    reach = min(ranking.critical, methods - 1)
    over = "" if reach == ranking.critical else ", longer than the scale"
    axes.plot([1, 1 + reach], [1.35, 1.35], color=ink, lw=1.6)
    for end in (1, 1 + reach):
        axes.plot([end, end], [1.2, 1.5], color=ink, lw=1)
    axes.text(
        1 + reach / 2,
        1.6,
        f"critical difference {ranking.critical:.2f}{over}",
        ha="center",
        va="bottom",
        color=ink,
    )


def _hang(
    axes: Axes, rank: float, name: str, height: float, side: float, focus: str | None
) -> None:
    """A method's line from its rank down and out to its name."""
    colour = role_colour(FOCUS if name == focus else "soft")
    on_left = side == 1.0
    end = side - 0.2 if on_left else side + 0.2
    axes.plot([rank, rank, end], [0, height, height], color=colour, lw=1.1)
    axes.text(
        end - 0.08 if on_left else end + 0.08,
        height,
        f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}",
        ha="right" if on_left else "left",
        va="center",
        color=role_colour(FOCUS if name == focus else "ink"),
    )


def _room(axes: Axes, marks: Sequence[Mark]) -> None:
    """Limits that leave room for names."""
    low, high = min(m.parameters for m in marks), max(m.parameters for m in marks)
    axes.set_xlim(low / 2.2, high * 2.2)
    ends = [end for m in marks for end in (m.mean - m.spread, m.mean + m.spread)]
    margin = max(0.01, 0.12 * (max(ends) - min(ends)))
    axes.set_ylim(min(ends) - margin, max(ends) + margin)


def _name(axes: Axes, marks: Sequence[Mark]) -> None:
    """Each mark's name beside it, on the side where no other mark's name stands (ours, greedy)."""
    x_low, x_high = np.log10(axes.get_xlim())
    y_low, y_high = axes.get_ylim()
    taken: list[tuple[float, float, float, float]] = []
    spots = [
        ((np.log10(m.parameters) - x_low) / (x_high - x_low), (m.mean - y_low) / (y_high - y_low))
        for m in marks
    ]
    taken += [(x - 0.015, x + 0.015, y - 0.03, y + 0.03) for x, y in spots]
    for mark, (x, y) in sorted(zip(marks, spots, strict=True), key=lambda pair: -pair[1][1]):
        width = 0.0155 * len(mark.name)
        choices = [
            (x + side * 0.025, y + step, "left" if side > 0 else "right")
            for step in (0, 0.06, -0.06, 0.12, -0.12)
            for side in (1, -1)
        ]
        boxes = [
            (a, a + width, b - 0.03, b + 0.03)
            if side == "left"
            else (a - width, a, b - 0.03, b + 0.03)
            for a, b, side in choices
        ]
        place = min(range(len(boxes)), key=lambda i: _trouble(boxes[i], taken))
        taken.append(boxes[place])
        a, b, side = choices[place]
        axes.text(
            a, b, mark.name, transform=axes.transAxes, ha=side, va="center",
            color=role_colour(mark.role),
        )  # fmt: skip


def _trouble(box: tuple[float, ...], taken: Sequence[tuple[float, ...]]) -> float:
    """How bad a place is: out of the picture, or on something that stands there."""
    outside = max(0.0, -box[0]) + max(0.0, box[1] - 1.0)
    return 10.0 * outside + sum(_meet(box, other) for other in taken)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _thousands(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def described(marks: Sequence[Mark]) -> str:
    """Marks in words, for who cannot see the picture."""
    return "; ".join(f"{mark.name} {mark.mean:.3f}" for mark in marks)
