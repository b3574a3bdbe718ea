"""The live view as lines of text: what is where for a terminal of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tinyhar.band.history import SIGNAL_SECONDS, History
from tinyhar.cli.serial_live_lines import Line, beside, filled, spread, wide
from tinyhar.cli.serial_live_minute import minute, minute_axis
from tinyhar.cli.serial_live_plot import bar, curve, round_up

SMALLEST: Final = (60, 18)
"""Columns and rows from which on there is room for plots."""

GUTTER: Final = 10
"""Columns before a plot: axis and latest value."""

BELOW: Final = 7
"""Rows under the plots: history, figures, a message, keys."""

UNITS: Final = {
    "acc": ("acceleration", "m/s²"),
    "gyro": ("turning", "rad/s"),
    "mag": ("field", "µT"),
}

LEAST: Final = {"acc": 5.0, "gyro": 1.0}
"""What a plot's height stands for at least, in SI units: a still sensor's noise is no movement."""

KEYS: Final = (
    *(("q", "quit"), ("space", "pause"), ("r", "record"), ("c", "clear")),
    *(("1-9", "label"), ("0", "no label"), ("?", "help")),
)

HELP: Final = (
    "q       quit; Ctrl-C does, too",
    "space   hold the picture; a recording goes on meanwhile",
    "r       start or end a recording, a .csv file in {folder}",
    "c       forget the last minute's answers",
    "1-9     what you are doing now, written beside each recorded sample:",
)


@dataclass
class Screen:
    """What the view shows besides the band's history."""

    title: str = ""
    words: str = ""
    folder: str = "recordings"
    message: str = ""
    paused: bool = False
    help: bool = False
    label: int | None = None
    recorded: float | None = None
    away: float = 0.0


def lay_out(history: History, screen: Screen, width: int, height: int) -> list[Line]:
    """The view as ``height`` lines of ``width`` cells."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        lines = _small(history, screen, width, height)
    elif screen.help:
        keys = _keys(width)
        lines = [_head(history, screen, width), *filled(_help(history, screen), height - 2), keys]
    else:
        lines = _whole(history, screen, width, height)
    return [line.fit(width) for line in filled(lines, height)]


def _whole(history: History, screen: Screen, width: int, height: int) -> list[Line]:
    side = min(44, max(28, width * 3 // 8))
    room = height - BELOW - 1
    left = _plots(history, width - side - 2, room)
    right = filled(_answers(history, side, room), room)
    return [
        _head(history, screen, width),
        *beside(left, right, width - side - 2, 2),
        Line.of("the last minute", "dim"),
        minute(history, width),
        minute_axis(width),
        *_figures(history),
        Line.of(history.lost or screen.message, "bad" if history.lost else ""),
        _keys(width),
    ]


def _small(history: History, screen: Screen, width: int, height: int) -> list[Line]:
    """No room for plots: the answer, bars, and the keys."""
    top = [_head(history, screen, width)]
    if history.lost:
        top.append(Line.of(history.lost, "bad"))
    return [*filled([*top, *_answers(history, width, height - 2)], height - 1), _keys(width)]


def _head(history: History, screen: Screen, width: int) -> Line:
    state = Line()
    if screen.recorded is not None:
        label = "no label" if screen.label is None else history.sensing.classes[screen.label]
        state.add(f"● REC {screen.recorded:.0f} s, {label}  ", "bad")
    if screen.paused:
        state.add("PAUSED  ", "bold")
    if history.lost:
        state.add(f"○ lost, looking for it, {screen.away:.0f} s", "bad")
    else:
        state.add("● live", "good")
    name = Line.of("tinyhar live", "bold").add(f"  {screen.title}  ").add(screen.words, "dim")
    return spread(name, state, width)


# -- left: signals ---------------------------------------------------------------------------


def _plots(history: History, width: int, height: int) -> list[Line]:
    sensing = history.sensing
    kinds = list(dict.fromkeys(sensing.kinds))
    axes = len(sensing.channels)
    rows = max(1, (height - len(kinds)) // axes)
    lines: list[Line] = []
    for kind in kinds:
        chosen = [i for i, each in enumerate(sensing.kinds) if each == kind]
        lines += _plots_of(history, kind, chosen, width, rows)
    return filled(lines, height)


def _plots_of(
    history: History, kind: str, channels: list[int], width: int, rows: int
) -> list[Line]:
    signal, rate = history.signal, history.sensing.rate
    columns = width - GUTTER
    per_dot = SIGNAL_SECONDS * rate / (2 * columns)
    end = round(history.seconds * rate)
    shown = signal[:, channels]
    most = float(np.quantile(abs(shown), 0.99, axis=0).max()) if len(shown) else 0.0
    full = round_up(max(most, LEAST.get(kind, 0.0)))
    name, unit = UNITS.get(kind, (kind, ""))
    lines = [Line.of(f"{name} ±{full:g} {unit}, {SIGNAL_SECONDS:g} s", "dim")]
    for number, channel in enumerate(channels):
        axis = history.sensing.channels[channel].rsplit("_", 1)[-1]
        now = f"{signal[-1, channel]:7.2f}" if len(signal) else ""
        drawn = curve(signal[:, channel], end, per_dot, columns, rows, full)
        for row, letters in enumerate(drawn):
            side = Line.of(f"{axis} ", "bold").add(now, "dim") if row == 0 else Line()
            lines.append(side.fit(GUTTER).add(letters, f"axis {number}"))
    return lines


# -- right: answers --------------------------------------------------------------------------


def _answers(history: History, width: int, height: int) -> list[Line]:
    answer, classes = history.latest, history.sensing.classes
    if answer is None:
        return [Line.of("the band says", "dim"), Line.of("nothing yet: a window fills", "dim")]
    shown = spread(
        Line.of(classes[answer.shown], f"class {answer.shown}"),
        Line.of(f" {answer.confidence:.0%}", "bold"),
        width,
    )
    lines = [Line.of("the band says", "dim"), shown]
    lines.append(Line.of(f"by this window {classes[answer.alone]}", "dim"))
    really = Line()
    if history.really:
        right = history.really.casefold() == classes[answer.shown].casefold()
        mark = Line.of("✓ " if right else "✗ ", "good" if right else "bad")
        really.join(mark).add(f"really {history.really}", "dim")
    lines += [really, Line()]
    about = ", about" if history.sensing.assumed else ""
    return [*lines, *_bars(history, width, height - len(lines) - 1, about)]


def _bars(history: History, width: int, room: int, about: str) -> list[Line]:
    """A bar a class, in their order; the most likely ones where there is no room for all."""
    answer, classes = history.latest, history.sensing.classes
    assert answer is not None
    order = list(range(len(classes)))
    rest = 0.0
    if len(classes) > room:
        likely = sorted(order, key=lambda i: -answer.shares[i])
        order, others = sorted(likely[: max(1, room - 1)]), likely[max(1, room - 1) :]
        rest = float(answer.shares[others].sum())
    names = min(max(map(len, classes)), max(8, width // 2 - 2))
    lines = [Line.of(f"share of each class{about}", "dim")]
    for i in order:
        key = f"{i + 1} " if i < 9 else "  "
        share = float(answer.shares[i])
        line = Line.of(key, "dim").add(wide(classes[i], names) + " ")
        line.add(bar(share, width - names - 8), f"axis {i}").add(f"{share:5.0%}")
        lines.append(line)
    if len(order) < len(classes):
        more = f"  {len(classes) - len(order)} more"
        lines.append(spread(Line.of(more, "dim"), Line.of(f"{rest:.0%}", "dim"), width))
    return lines


# -- below: figures, keys ----------------------------------------------------------------------


def _figures(history: History) -> list[Line]:
    health, answer, clock = history.health, history.latest, history.clock
    time = f"{answer.ms:.2f} ms a window {clock.name}" if answer else "no window yet"
    speed = history.windows_per_second
    first = Line.of("latency ", "dim").add(time).add("  round trip ", "dim")
    first.add(f"{health.round_trip_ms:.1f} ms")
    second = Line.of("speed ", "dim").add(f"{speed:.2f} windows/s" if speed else "-")
    for name, count in (
        ("line errors", health.troubles),
        ("lost answers", health.missed),
        ("lost lines", health.losses),
    ):
        second.add(f"  {name} ", "dim").add(str(count), "bad" if count else "")
    return [first, second]


def _keys(width: int) -> Line:
    line = Line()
    for key, what in KEYS:
        if line.width + len(key) + len(what) + 3 <= width:
            line.add(key, "bold").add(f" {what}  ", "dim")
    return line


def _help(history: History, screen: Screen) -> list[Line]:
    lines = [Line(), *(Line.of(f"  {text.format(folder=screen.folder)}") for text in HELP)]
    for i, name in enumerate(history.sensing.classes[:9]):
        lines.append(Line.of(f"          {i + 1} ", "bold").add(name, f"class {i}"))
    lines.append(Line.of("  0       nothing that has a name"))
    lines += [Line(), Line.of("  ? again goes back", "dim")]
    return lines
