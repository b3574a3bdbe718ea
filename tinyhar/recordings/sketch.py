"""A look at a recording: a braille line drawing for terminals and a picture for files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.recordings.recording import UNLABELLED, Recording

DOTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Unicode braille: bit of the dot at [row, column] of a cell of 4 x 2 dots."""


def braille(values: NDArray[np.floating], width: int, height: int) -> list[str]:
    """A line drawing of ``values`` [t] as ``height`` lines of ``width`` braille characters.

    Each dot column spans from the smallest to the largest value of its stretch of time, so that a
    swing faster than a dot still shows its size.
    """
    columns, rows = 2 * width, 4 * height
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    edges = np.linspace(0, len(values), columns + 1).astype(int)
    dots = np.zeros((rows, columns), bool)
    for column, (begin, end) in enumerate(pairwise(edges)):
        begin = min(begin, len(values) - 1)
        piece = values[begin : max(end, begin + 1)]
        top = round((high - float(piece.max())) / span * (rows - 1))
        bottom = round((high - float(piece.min())) / span * (rows - 1))
        dots[top : bottom + 1, column] = True
    cells = dots.reshape(height, 4, width, 2)
    codes = 0x2800 + np.einsum("hrwc,rc->hw", cells.astype(int), DOTS)
    return ["".join(map(chr, line)) for line in codes]


def example(recordings: list[Recording], seconds: float = 60.0) -> Recording:
    """A stretch worth looking at: the one with most changes of activity in the first recordings."""
    best, most = None, -1
    for recording in recordings[:40]:
        size = min(int(seconds * recording.rate), len(recording))
        changes = np.flatnonzero(np.diff(recording.labels))
        for start in range(0, len(recording) - size + 1, max(size // 2, 1)):
            inside = changes[(changes >= start) & (changes < start + size)]
            named = np.unique(recording.labels[start : start + size])
            score = 10 * int((named != UNLABELLED).sum()) + min(len(inside), 9)
            if score > most:
                best, most = (recording, start, size), score
    assert best is not None
    recording, start, size = best
    return Recording(
        subject=recording.subject,
        rate=recording.rate,
        channels=recording.channels,
        signal=recording.signal[start : start + size],
        labels=recording.labels[start : start + size],
        activities=recording.activities,
        source=recording.source,
    )


def runs(recording: Recording) -> list[tuple[int, int, str]]:
    """Begin, end and name ("" where unlabelled) of each stretch of one label."""
    edges = [0, *(np.flatnonzero(np.diff(recording.labels)) + 1).tolist(), len(recording)]
    names = (*recording.activities, "")
    return [(b, e, names[recording.labels[b]]) for b, e in pairwise(edges)]


def ruler(recording: Recording, width: int) -> str:
    """One line that names the activities below a drawing of that width, "·" where none is named."""
    line = ["·"] * width
    for begin, end, name in runs(recording):
        left, right = (int(i / len(recording) * width) for i in (begin, end))
        room = right - left
        if name and room > 0:
            text = name if len(name) <= room - 2 else name[: max(room - 3, 0)] + "…" * (room > 2)
            line[left:right] = list(("▏" + text).ljust(room, "─")[:room])
    return "".join(line)


def picture(recording: Recording, path: Path, title: str) -> None:
    """The same stretch as a .png (or what the suffix says): one panel a sensor, a band a label."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    groups: dict[tuple[str, str], list[int]] = {}
    for index, channel in enumerate(recording.channels):
        groups.setdefault((channel.position, channel.kind), []).append(index)
    figure, axes = pyplot.subplots(
        len(groups), 1, figsize=(11, 1.2 + 1.9 * len(groups)), sharex=True, squeeze=False
    )
    time = np.arange(len(recording)) / recording.rate
    for axis, ((position, kind), columns) in zip(axes[:, 0], groups.items(), strict=True):
        for column in columns:
            axis.plot(
                time,
                recording.signal[:, column],
                linewidth=0.8,
                label=recording.channels[column].axis,
            )
        axis.set_ylabel(f"{position}\n{kind} [{recording.channels[columns[0]].unit}]")
        axis.legend(loc="upper right", ncols=3, fontsize=7)
        _bands(axis, recording)
    _names(axes[0, 0], recording)
    axes[-1, 0].set_xlabel("time [s]")
    axes[-1, 0].set_xlim(0, recording.duration)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _bands(axis: Any, recording: Recording) -> None:
    for begin, end, name in runs(recording):
        if name:
            shade = f"C{recording.activities.index(name) % 10}"
            axis.axvspan(
                begin / recording.rate, end / recording.rate, color=shade, alpha=0.12, linewidth=0
            )


def _names(axis: Any, recording: Recording) -> None:
    """Activity names above the top panel, slanted so that short stretches do not collide."""
    for begin, end, name in runs(recording):
        if name and (end - begin) / len(recording) > 0.02:
            axis.annotate(
                name.replace("_", " ").lower(),
                ((begin + end) / 2 / recording.rate, 1.02),
                xycoords=("data", "axes fraction"),
                rotation=20,
                fontsize=8,
                ha="left",
            )
