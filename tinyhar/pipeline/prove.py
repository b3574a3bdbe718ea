"""The stage that asks the bands: unseen movement goes over a serial line, bytes are compared."""

from __future__ import annotations

from typing import Any

from tinyhar.band import emulate
from tinyhar.band.client import connect
from tinyhar.band.desk import read_desk
from tinyhar.band.validate import ValidationReport, validate
from tinyhar.errors import ToolError
from tinyhar.models import desk_latency
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import PRUNED
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.pipeline.teacher import load_teacher
from tinyhar.pipeline.trainer import load
from tinyhar.recipe import Recipe


def prove(recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress) -> dict[str, Any]:
    """Start every band that was built, send it the unseen windows, compare every byte.

    A board that was not built, or whose emulator is missing, is left out with a note. The desk is
    timed, too, where there is a teacher to compare the student with.
    """
    built = (folder.facts("build") or {})["boards"]
    return {
        "boards": {board: _ask(folder, board, built[board], progress) for board in built},
        "desk_latency_ms": _timed(recipe, folder) if recipe.distillation.needs_teacher else {},
    }


def _timed(recipe: Recipe, folder: RunFolder) -> dict[str, float]:
    """Milliseconds for a window on the desk, of both in turn: what else it does hits both."""
    student, teacher = load(folder, PRUNED), load_teacher(recipe, folder)
    return {
        "student": desk_latency(student),
        "teacher": sum(desk_latency(member) for member in teacher.models),
    }


def _ask(
    folder: RunFolder, board: str, built: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    if "missing" in built:
        return built
    try:
        with emulate.start(board, emulate.image_of(folder.root, board)) as band:
            report = _validate(folder, band.url)
    except ToolError as error:
        progress.note(f"{board} was not asked: {error}")
        return {"missing": str(error)}
    for mismatch in report.mismatches[:3]:
        progress.note(f"{board}: {mismatch}")
    return _facts(report)


def _validate(folder: RunFolder, url: str) -> ValidationReport:
    desk = read_desk(folder.root)
    with connect(url) as client:
        return validate(
            client,
            desk.counts,
            desk.logits,
            desk.labels,
            subjects=desk.subjects,
            bundle_id=desk.bundle_id,
            desk_layers=desk.layers,
        )


def _facts(report: ValidationReport) -> dict[str, Any]:
    return {
        "engine": report.engine,
        "windows": report.windows,
        "equal": report.equal,
        "predicted": report.answers.tolist(),
        "instructions_per_window": report.instructions_per_window,
        "latency_ms": report.latency_ms.p50,
        "latency_note": report.latency_ms.clock,
        "windows_per_second": report.windows_per_second,
        "first_mismatch": str(report.mismatches[0]) if report.mismatches else "",
        "note": f"{report.windows_per_second:,.0f} windows a second over the line",
    }
