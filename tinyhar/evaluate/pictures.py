"""The report's pictures: matplotlib figures as inline SVG that follows the page's theme.

Figures are made without pyplot, so that none stays open behind anybody's back, and settings hold
only while a picture is drawn. Each function takes arrays and returns SVG text.
"""

from __future__ import annotations

import html
import io
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.evaluate.palette import ROLES, SERIES, role_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 4.2
"""Inches of a picture that stands beside others; the page scales it."""

MARKS: Final = ("o", "s", "^", "D", "v", "P")
_AXIS_ROLES: Final = ("first", "second", "third")
SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text: the page's font, selectable, read aloud
    "svg.hashsalt": "tinyhar",  # the same run gives the same bytes
    "text.parse_math": False,  # a class may be called $x$
    "font.size": 8.5,
    "axes.titlesize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": role_colour("soft"),
    "axes.labelcolor": role_colour("soft"),
    "xtick.color": role_colour("soft"),
    "ytick.color": role_colour("soft"),
    "text.color": role_colour("ink"),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": role_colour("line"),
    "grid.linewidth": 0.6,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "lines.linewidth": 1.4,
}
"""Of matplotlib, for every picture on our pages."""


def curve(
    lines: Mapping[str, Sequence[float]], *, ylabel: str, best_epoch: int | None, alt: str
) -> str:
    """One value an epoch for each of `lines` {role: values}; the kept epoch is marked.

    Positive values over more than a decade get a logarithmic axis.
    """
    import matplotlib
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    with matplotlib.rc_context(SETTINGS):
        figure, (axes,) = new_figure(1.1 * WIDTH, 2.4, rows=1)
        for role, values in lines.items():
            epochs = np.arange(1, len(values) + 1)
            marker = "o" if len(values) == 1 else None
            axes.plot(epochs, values, color=role_colour(role), marker=marker)
            if best_epoch is not None and 1 <= best_epoch <= len(values):
                axes.plot(best_epoch, values[best_epoch - 1], "o", ms=5, color=role_colour(role))
        if best_epoch is not None:
            axes.axvline(best_epoch, color=role_colour("kept"), lw=0.8, ls=(0, (3, 3)), zorder=0)
        axes.locator_params(axis="x", integer=True)
        drawn = [value for values in lines.values() for value in values]
        if drawn and 0 < 10 * min(drawn) < max(drawn):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("epoch")
        axes.set_ylabel(ylabel)
        return inline_svg(figure, alt)


def signal(
    values: NDArray[np.float32],
    groups: Mapping[str, Sequence[int]],
    *,
    rate: float,
    limits: Mapping[str, tuple[float, float]],
    alt: str,
) -> str:
    """A window float[time, channel], one panel for each of `groups` {title: its columns}."""
    import matplotlib

    seconds = np.arange(len(values)) / rate
    with matplotlib.rc_context(SETTINGS):
        figure, panels = new_figure(WIDTH, 0.5 + 1.15 * len(groups), rows=len(groups))
        for axes, (label, columns) in zip(panels, groups.items(), strict=True):
            for place, column in enumerate(columns):
                role = _AXIS_ROLES[place % len(_AXIS_ROLES)]
                axes.plot(seconds, values[:, column], color=role_colour(role), lw=1.2)
            axes.set_ylim(*limits[label])
            axes.set_xlim(0, seconds[-1] if len(seconds) > 1 else 1)
            axes.set_title(label, loc="left", color=role_colour("soft"), pad=3)
            axes.locator_params(axis="y", nbins=4)
            axes.tick_params(labelbottom=axes is panels[-1])
        panels[-1].set_xlabel("seconds")
        return inline_svg(figure, alt)


def people(floating: Mapping[str, float], int8: Mapping[str, float], *, alt: str) -> str:
    """Each person's macro-F1, float (ring) and int8 (dot) joined by a line, first one on top."""
    import matplotlib

    names = list(dict.fromkeys([*floating, *int8]))
    with matplotlib.rc_context({**SETTINGS, "axes.grid.axis": "x"}):
        figure, (axes,) = new_figure(1.1 * WIDTH, 0.8 + 0.26 * len(names), rows=1)
        for row, name in enumerate(names):
            pair = [side[name] for side in (floating, int8) if name in side]
            axes.plot(pair, [row] * len(pair), color=role_colour("soft"), lw=1.6, zorder=1)
            if name in floating:
                axes.plot(
                    floating[name], row, "o", ms=8, mfc="none", mew=1.5, mec=role_colour("first")
                )
            if name in int8:
                axes.plot(int8[name], row, "o", ms=4.5, color=role_colour("second"))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        lowest = min([*floating.values(), *int8.values(), 0.9])
        axes.set_xlim(max(0.0, np.floor(lowest * 20 - 0.2) / 20), 1.005)
        axes.set_xlabel("macro-F1")
        axes.spines["left"].set_visible(False)
        return inline_svg(figure, alt)


@dataclass(frozen=True)
class Sweep:
    """A curve over levels: means, and the worst and best of each.

    `place` 0, 1, ... gives its colour (SERIES in turn) and mark.
    """

    name: str
    place: int
    levels: Sequence[float]
    means: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]


def sweep(
    curves: Sequence[Sweep],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    ticks: Sequence[float] | None = None,
) -> str:
    """Curves on one picture, told apart by colour and mark, each with its range as a pale band.

    The value axis is 0 to 1; `ticks` are levels to name, where the picture should not choose.
    """
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        figure, (axes,) = new_figure(1.1 * WIDTH, 2.6, rows=1)
        for curve in curves:
            place = curve.place
            colour, mark = _look(place)
            dashes = "-" if place < len(SERIES) else "--"
            axes.fill_between(curve.levels, curve.lows, curve.highs, color=colour, alpha=0.14, lw=0)
            axes.plot(curve.levels, curve.means, dashes, marker=mark, ms=4, color=colour)
        if ticks is not None:
            axes.set_xticks(ticks)
        axes.set_ylim(0, 1)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        return inline_svg(figure, alt)


@dataclass(frozen=True)
class Fall:
    """How far a value fell, in the row of a picture called `row`; `place` as for a Sweep."""

    row: str
    place: int
    before: float
    after: float


def falls(found: Sequence[Fall], *, xlabel: str, alt: str) -> str:
    """Each fall as a line from its ring (before) to its mark (after), 0 to 1, rows from the top."""
    import matplotlib

    rows = list(dict.fromkeys(fall.row for fall in found))
    places = sorted({fall.place for fall in found})
    with matplotlib.rc_context({**SETTINGS, "axes.grid.axis": "x"}):
        figure, (axes,) = new_figure(1.1 * WIDTH, max(2.6, 0.5 + 0.17 * len(rows)), rows=1)
        for fall in found:
            colour, mark = _look(fall.place)
            aside = (places.index(fall.place) + 0.5) / len(places) - 0.5
            y = rows.index(fall.row) + 0.6 * aside
            axes.plot([fall.before, fall.after], [y, y], color=colour, lw=1.2, zorder=1)
            axes.plot(fall.before, y, "o", ms=4, mfc="none", mec=colour)
            axes.plot(fall.after, y, mark, ms=4.5, color=colour)
        axes.set_yticks(range(len(rows)), rows)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xlabel(xlabel)
        axes.spines["left"].set_visible(False)
        return inline_svg(figure, alt)


def _look(place: int) -> tuple[str, str]:
    """Colour and mark of the lines in a place."""
    return role_colour(SERIES[place % len(SERIES)]), MARKS[place % len(MARKS)]


def new_figure(width: float, height: float, *, rows: int) -> tuple[Figure, Sequence[Axes]]:
    """A figure of so many inches with `rows` panels that share their x axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    return figure, list(panels)


def inline_svg(figure: Figure, alt: str) -> str:
    """The figure as an SVG element whose colours and font are the page's."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # A class name in a script that matplotlib's font lacks: the page's font draws it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True)
    return _inline(buffer.getvalue(), alt)


def _inline(svg: str, alt: str) -> str:
    """Matplotlib's SVG document as an element of a page: themed, described, no foreign names."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    head_end = body.index(">")
    view = re.search(r'viewBox="[^"]*"', body[:head_end])
    assert view is not None, "matplotlib's SVG has a viewBox"
    body = re.sub(r'style="[^"]*"', lambda style: _themed(style.group()), body[head_end + 1 :])
    body = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), body)
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    # What is left are shapes used by name; another picture on the page may use the same names.
    own = f"{zlib.crc32((alt + body).encode()):08x}"
    body = re.sub(r'(id="|href="#|url\(#)(\w+)', rf"\1\2-{own}", body)
    head = f'<svg class="picture" role="img" aria-label="{html.escape(alt)}" {view.group()}>'
    return head + re.sub(r">\s+<", "><", body.strip())


def _themed(style: str) -> str:
    for role in ROLES:
        style = style.replace(role_colour(role), f"var(--{role})")
    # The size is matplotlib's choice, the family the page's.
    return re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", style)
