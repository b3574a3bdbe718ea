"""report.html: one page, readable offline, that says what a run made and how well it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyhar.evaluate import formats, page, pictures
from tinyhar.evaluate.metrics import Evaluation, in_order
from tinyhar.evaluate.palette import class_colour, text_on
from tinyhar.evaluate.report_attention import drawn_attention
from tinyhar.evaluate.report_views import drawn_views
from tinyhar.evaluate.run_report import (
    Curve,
    DataReport,
    Example,
    Missing,
    Provenance,
    RunReport,
    StudentReport,
    evaluations,
)

FILLER = "alignment"
"""The part of an image that is there only so that the others begin where they must."""
_MOST_SENSORS = 2
"""Sensors drawn in an example; a body-worn set of ten would make it a carpet."""


@dataclass(frozen=True)
class Chip:
    """A class as shown everywhere: its number from 1, name, colours of chip and digit."""

    number: int
    name: str
    colour: str
    text: str


@dataclass(frozen=True)
class Tile:
    """One of the headline's figures."""

    label: str
    value: str
    detail: str
    wrong: bool = False


def render(report: RunReport) -> str:
    """The page as text: one HTML document with styles and pictures inside, nothing to load.

    What a run lacks is shown as a sentence saying why (see `Missing`).
    """
    return page.template("report.html.j2").render(
        report=report,
        style=page.style(),
        chips=chips(report.data.classes),
        worn=worn_at(report.data),
        tiles=tiles(report),
        judged=evaluations(report),
        confusions=_confusions(report),
        examples=_examples(report),
        axes=_axes(report.data),
        sensors=len(_sensors(report.data)),
        sensors_drawn=len(_drawn(report.data)),
        curves=[(curve, _curve_pictures(curve)) for curve in report.curves],
        attention=drawn_attention(report),
        views=drawn_views(report),
        comparison=comparison(report),
        part_colours=_part_colours(report),
        people=_people(report),
        nothing_known=Provenance(),
        people_picture=_people_picture(report),
    )


def comparison(report: RunReport) -> str | None:
    """The student beside its teacher, each ratio with what it is a ratio of."""
    teacher, student = report.teacher, report.student
    if isinstance(teacher, Missing) or isinstance(student, Missing):
        return None
    parts = [_fewer("parameters", student.parameters, teacher.parameters)]
    if teacher.macs:
        parts.append(_fewer("multiply-accumulates", student.macs, teacher.macs))
    if teacher.latency_ms and student.latency_ms:
        parts.append(
            f"{formats.number(teacher.latency_ms / student.latency_ms)} times as fast on the desk, "
            f"one window at a time in float ({formats.number(student.latency_ms)} ms for "
            f"{formats.number(teacher.latency_ms)} ms)"
        )
    return f"The student beside its teacher: {', '.join(parts)}."


def _fewer(what: str, ours: int, theirs: int) -> str:
    ratio = formats.fewer(ours, theirs)
    return f"{ratio} {what} ({formats.count(ours)} for {formats.count(theirs)})"


def chips(classes: tuple[str, ...]) -> list[Chip]:
    """Number and colours of every class, the same on the whole page."""
    colours = [class_colour(index) for index in range(len(classes))]
    return [
        Chip(index + 1, name, colour, text_on(colour))
        for index, (name, colour) in enumerate(zip(classes, colours, strict=True))
    ]


def worn_at(data: DataReport) -> str:
    """Where the sensors sit, in words: "trouser pocket", "torso, right wrist and left wrist"."""
    places = list(dict.fromkeys(formats.spoken(name.rsplit("_", 2)[0]) for name in data.channels))
    return " and ".join([", ".join(places[:-1]), places[-1]] if len(places) > 1 else places)


def tiles(report: RunReport) -> list[Tile]:
    """The figures that a reader wants first; a missing part just leaves its tile out."""
    found = []
    student, device, memory = report.student, report.device, report.memory
    if isinstance(student, StudentReport):
        found += _student_tiles(report, student)
    if not isinstance(memory, Missing):
        flash = sum(part.flash_bytes for part in memory.parts)
        ram = sum(part.ram_bytes for part in memory.parts)
        found.append(Tile("whole firmware", formats.kib(flash), f"and {formats.kib(ram)} of RAM"))
    if not isinstance(device, Missing):
        if device.instructions_per_window is not None:
            latency = f"{formats.number(device.latency_ms)} ms {device.latency_note}"
            found.append(
                Tile(
                    "instructions a window",
                    formats.count(device.instructions_per_window),
                    latency if device.latency_ms is not None else device.board,
                )
            )
        alike = device.equal == device.windows
        found.append(
            Tile(
                "agreement with the desk" if alike else "DISAGREES with the desk",
                formats.share(device.agreement),
                f"{device.equal:,} of {device.windows:,} windows, byte for byte",
                wrong=not alike,
            )
        )
    return found


def _student_tiles(report: RunReport, student: StudentReport) -> list[Tile]:
    judged = evaluations(report)
    beside = [
        f"{name} {formats.score(judged[name].macro_f1)}"
        for name in ("float", "teacher")
        if name in judged
    ]
    found = []
    if "int8" in judged:
        score = formats.score(judged["int8"].macro_f1)
        found.append(Tile("macro-F1, int8, unseen people", score, " · ".join(beside)))
    parameters = formats.count(student.parameters)
    found.append(Tile("parameters", parameters, f"{formats.count(student.macs)} MACs a window"))
    sent = student.transfer_bytes
    detail = f"{formats.kib(sent)} over the air" if sent is not None else "of the band's flash"
    found.append(Tile("model in flash", formats.kib(student.flash_bytes), detail))
    return found


def _confusions(report: RunReport) -> list[tuple[str, Evaluation | Missing]]:
    student, device = report.student, report.device
    on_desk: list[tuple[str, Evaluation | Missing]] = [
        ("student, float", student if isinstance(student, Missing) else student.floating),
        ("student, int8", student if isinstance(student, Missing) else student.int8),
    ]
    if isinstance(device, Missing):
        return [*on_desk, ("device", device)]
    return [*on_desk, (f"device, {device.board}", device.evaluation)]


def _sensors(data: DataReport) -> dict[str, list[int]]:
    """Columns of each sensor by its label on a picture."""
    found: dict[str, list[int]] = {}
    positions = {name.rsplit("_", 2)[0] for name in data.channels}
    for column, (name, unit) in enumerate(zip(data.channels, data.units, strict=True)):
        sensor = name.rsplit("_", 1)[0]
        label = formats.spoken(sensor) if len(positions) > 1 else sensor.rsplit("_", 1)[-1]
        found.setdefault(f"{label}, {formats.unit(unit)}", []).append(column)
    return found


def _part_colours(report: RunReport) -> list[str]:
    """A colour for each part of the memory; what is only filled up stays pale."""
    if isinstance(report.memory, Missing):
        return []
    names = [part.name for part in report.memory.parts]
    return [
        "var(--line)" if name == FILLER else class_colour(index) for index, name in enumerate(names)
    ]


def _drawn(data: DataReport) -> dict[str, list[int]]:
    return dict(list(_sensors(data).items())[:_MOST_SENSORS])


def _axes(data: DataReport) -> list[str]:
    """Names of the axes in the order of the pictures' colours: x, y, z."""
    columns = next(iter(_sensors(data).values()), [])
    return [data.channels[column].rsplit("_", 1)[-1] for column in columns]


def _examples(report: RunReport) -> list[tuple[Example, str]]:
    """Examples with their pictures, all on the same scale so that they can be compared."""
    sensors = _drawn(report.data)
    limits = {}
    for label, columns in sensors.items():
        values = [example.signal[:, columns] for example in report.examples]
        finite = [part[np.isfinite(part)] for part in values]
        low = min((float(part.min()) for part in finite if part.size), default=0.0)
        high = max((float(part.max()) for part in finite if part.size), default=1.0)
        margin = 0.05 * (high - low) or 1.0
        limits[label] = (low - margin, high + margin)
    return [
        (
            example,
            pictures.signal(
                example.signal,
                sensors,
                rate=report.data.rate,
                limits=limits,
                alt=f"{example.activity}, one window of subject {example.subject}: "
                + "; ".join(sensors),
            ),
        )
        for example in report.examples
    ]


def _curve_pictures(curve: Curve) -> list[str]:
    best = curve.best_epoch
    found = []
    if curve.loss:
        alt = f"{curve.name}: loss of training over {len(curve.loss)} epochs"
        drawn = {"first": curve.loss}
        found.append(pictures.curve(drawn, ylabel="loss", best_epoch=best, alt=alt))
    if curve.validation_f1:
        alt = f"{curve.name}: validation macro-F1 over {len(curve.validation_f1)} epochs"
        found.append(
            pictures.curve(
                {"second": curve.validation_f1},
                ylabel="validation macro-F1",
                best_epoch=best,
                alt=alt,
            )
        )
    return found


def _people(report: RunReport) -> list[dict[str, Any]]:
    """A row for each unseen person: windows, F1 of float, int8 and device where known."""
    judged = {name: e for name, e in evaluations(report).items() if name != "teacher"}
    names = in_order({name for evaluation in judged.values() for name in evaluation.subject_f1})
    windows = {name: n for e in judged.values() for name, n in e.subject_windows.items()}
    return [
        {
            "name": name,
            "windows": windows.get(name),
            "f1": {kind: e.subject_f1.get(name) for kind, e in judged.items()},
        }
        for name in names
    ]


def _people_picture(report: RunReport) -> str:
    judged = evaluations(report)
    sides: list[Mapping[str, float]] = [
        judged[kind].subject_f1 if kind in judged else {} for kind in ("float", "int8")
    ]
    names = in_order({name for side in sides for name in side})
    if not names:
        return ""
    floating, int8 = ({name: side[name] for name in names if name in side} for side in sides)
    return pictures.people(floating, int8, alt="macro-F1 of each unseen person, float and int8")
