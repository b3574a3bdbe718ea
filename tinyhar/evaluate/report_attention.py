"""Attention maps made ready for the report: cells with their shades, rows with their strips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyhar.evaluate import formats
from tinyhar.evaluate.attention import Map, shades, steps
from tinyhar.evaluate.run_report import DataReport, Missing, RunReport


@dataclass(frozen=True)
class Cell:
    """A share of attention in per cent; `shade` 0..1 is None where a class has no windows."""

    text: str
    shade: float | None
    apart: bool = False


@dataclass(frozen=True)
class SensorTable:
    """Rows of cells in class order: the channels, then whole sensors where there are several."""

    channels: tuple[str, ...]
    groups: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Strip:
    """One class over time: shades 0..1 (None without windows), and where the most is, seconds."""

    shades: tuple[float, ...] | None
    peak: str


@dataclass(frozen=True)
class TimeTable:
    """Strips in class order; `low` and `high` are the ends of the shades, in even shares."""

    rows: tuple[Strip, ...]
    low: str
    high: str
    seconds: str


@dataclass(frozen=True)
class DrawnAttention:
    """What the template needs; a map that the model does not have is None."""

    people: str
    sensor: SensorTable | None
    temporal: TimeTable | None


def drawn_attention(report: RunReport) -> DrawnAttention | None:
    """The teacher's attention, if it has any to show."""
    if isinstance(report.teacher, Missing) or report.teacher.attention is None:
        return None
    found, data = report.teacher.attention, report.data
    channels = report.teacher.channels or data.channels
    return DrawnAttention(
        found.people,
        None if found.sensor is None else _sensor_table(found.sensor, channels),
        None if found.temporal is None else _time_table(found.temporal, data),
    )


def _sensor_table(sensor: Map, channels: tuple[str, ...]) -> SensorTable:
    groups = _groups(channels)
    several = len(groups) > 1
    parts = [_cells(sensor, apart=False)]
    if several:
        whole = np.stack([sensor[:, columns].sum(axis=1) for columns in groups.values()], axis=1)
        parts.append(_cells(whole, apart=True))
    return SensorTable(
        channels=tuple(_short(name, channels) for name in channels),
        groups=tuple(_short(name, channels) for name in groups) if several else (),
        rows=tuple(tuple(cell for part in parts for cell in part[k]) for k in range(len(sensor))),
    )


def _groups(channels: tuple[str, ...]) -> dict[str, list[int]]:
    """Columns of each sensor: "right_wrist_acc" -> its axes."""
    found: dict[str, list[int]] = {}
    for column, name in enumerate(channels):
        found.setdefault(name.rsplit("_", 1)[0], []).append(column)
    return found


def _short(name: str, channels: tuple[str, ...]) -> str:
    """A channel or sensor without the position where all are worn at the same one."""
    places = {channel.rsplit("_", 2)[0] for channel in channels}
    place = next(iter(places))
    return formats.spoken(name.removeprefix(f"{place}_") if len(places) == 1 else name)


def _cells(values: Map, *, apart: bool) -> list[list[Cell]]:
    shade = shades(values)
    return [
        [
            Cell(formats.UNKNOWN, None, apart)
            if np.isnan(value)
            else Cell(f"{100 * value:.0f}", float(tone), apart)
            for value, tone in zip(row, tones, strict=True)
        ]
        for row, tones in zip(values, shade, strict=True)
    ]


def _time_table(temporal: Map, data: DataReport) -> TimeTable:
    drawn = steps(temporal)
    seconds = data.window / data.rate
    known = drawn[~np.isnan(drawn)]
    low, high = (float(known.min()), float(known.max())) if known.size else (1.0, 1.0)
    return TimeTable(
        rows=tuple(
            _strip(row, tones, seconds) for row, tones in zip(drawn, shades(drawn), strict=True)
        ),
        low=f"{low:.2f}",
        high=f"{high:.2f}",
        seconds=formats.number(seconds),
    )


def _strip(row: Map, tones: Map, seconds: float) -> Strip:
    if np.isnan(row).any():
        return Strip(None, formats.UNKNOWN)
    middle = (int(row.argmax()) + 0.5) / len(row) * seconds
    return Strip(tuple(tones.tolist()), f"{middle:.2f}")
