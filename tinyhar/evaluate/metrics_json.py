"""The figures of a run as metrics.json holds them: from the same parts as the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from tinyhar.evaluate.metrics import Evaluation
from tinyhar.evaluate.run_report import (
    DeviceReport,
    Missing,
    RunReport,
    StudentReport,
    TeacherReport,
)

PROMISED: Final = (
    "teacher.macro_f1",
    "student.float.macro_f1",
    "student.int8.macro_f1",
    "student.parameters",
    "student.macs",
    "student.flash_bytes",
    "device.agreement",
    "device.windows",
    "device.instructions_per_window",
)
"""Figures that every metrics.json has, by their path in it; null where a run lacks one."""


def figure(metrics: Mapping[str, Any], path: str) -> Any:
    """The figure at a path such as those of PROMISED; None where there is none."""
    value: Any = metrics
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def metrics_json(report: RunReport) -> dict[str, Any]:
    """The same figures as plain nested dicts for metrics.json; what is missing is null.

    Always there: PROMISED.
    """
    metrics = {
        "data": {"name": report.data.name, "synthetic": report.data.synthetic},
        "quick": report.quick,
        "classes": list(report.data.classes),
        "teacher": _teacher_json(report.teacher),
        "student": _student_json(report.student),
        "device": _device_json(report.device),
        "memory": None if isinstance(report.memory, Missing) else asdict(report.memory),
        "agreement": [asdict(row) for row in report.agreement],
        "seconds": dict(report.provenance.seconds),
    }
    result = _plain(metrics)
    assert isinstance(result, dict)
    return result


def _teacher_json(teacher: TeacherReport | Missing) -> dict[str, Any]:
    if isinstance(teacher, Missing):
        return {"macro_f1": None, "parameters": None, "macs": None, "missing": teacher.why}
    return {
        "name": teacher.name,
        **_evaluation_json(teacher.evaluation),
        "parameters": teacher.parameters,
        "macs": teacher.macs,
        "latency_ms": teacher.latency_ms,
    }


_STUDENT_FIGURES = (
    "parameters",
    "macs",
    "latency_ms",
    "flash_bytes",
    "tflite_bytes",
    "transfer_bytes",
)


def _student_json(student: StudentReport | Missing) -> dict[str, Any]:
    if isinstance(student, Missing):
        nothing = _evaluation_json(student)
        return {
            "float": nothing,
            "int8": nothing,
            **dict.fromkeys(_STUDENT_FIGURES),
            "steps": [],
            "heads": [],
            "missing": student.why,
        }
    return {
        "name": student.name,
        "float": _evaluation_json(student.floating),
        "int8": _evaluation_json(student.int8),
        **{name: getattr(student, name) for name in _STUDENT_FIGURES},
        "steps": [asdict(step) for step in student.steps],
        "heads": [asdict(head) for head in student.heads],
    }


_DEVICE_FIGURES = (
    "board",
    "engine",
    "agreement",
    "windows",
    "equal",
    "instructions_per_window",
    "latency_ms",
    "latency_note",
    "windows_per_second",
    "first_mismatch",
)


def _device_json(device: DeviceReport | Missing) -> dict[str, Any]:
    if isinstance(device, Missing):
        return {**dict.fromkeys(_DEVICE_FIGURES), "macro_f1": None, "missing": device.why}
    figures = {name: getattr(device, name) for name in _DEVICE_FIGURES}
    return {**figures, **_evaluation_json(device.evaluation)}


def _evaluation_json(evaluation: Evaluation | Missing) -> dict[str, Any]:
    if isinstance(evaluation, Missing):
        return {"macro_f1": None, "missing": evaluation.why}
    return {
        "macro_f1": evaluation.macro_f1,
        "accuracy": evaluation.accuracy,
        "class_f1": evaluation.class_f1,
        "subject_f1": dict(evaluation.subject_f1),
        "subject_windows": dict(evaluation.subject_windows),
        "confusion": evaluation.confusion,
    }


def _plain(value: Any) -> Any:
    """Only what JSON has: numpy scalars and arrays become numbers and lists, NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
