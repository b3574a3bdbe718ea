"""The last minute of a band's answers as one line."""

from __future__ import annotations

from tinyhar.band.history import ANSWER_SECONDS, History, runs
from tinyhar.cli.serial_live_lines import Line, wide


def minute(history: History, width: int) -> Line:
    """A block for each stretch of one answer, its name in it where it fits."""
    line, at = Line(), 0
    stretches = runs(history.answers)
    if stretches:  # what was said last holds until now
        stretches[-1] = (*stretches[-1][:2], history.seconds)
    for shown, start, end in stretches:
        a, b = (_column(t - history.seconds, width) for t in (start, end))
        a = max(a, at)
        b = max(b, a + 1)
        line.add(" " * (a - at))
        name = wide(f"▏{history.sensing.classes[shown]}", b - a) if b - a > 3 else "▏".ljust(b - a)
        line.add(name, f"block {shown}")
        at = b
    return line


def _column(seconds: float, width: int) -> int:
    """Where ``seconds`` (0 is now, before that negative) is on a line."""
    return min(width, max(0, round((1 + seconds / ANSWER_SECONDS) * width)))


def minute_axis(width: int) -> Line:
    """How long ago each of its columns is."""
    text = ""
    for seconds in (60, 45, 30, 15):
        text = text.ljust(_column(-seconds, width)) + f"-{seconds} s"
    return Line.of(text.ljust(width - 3) + "now", "dim")
