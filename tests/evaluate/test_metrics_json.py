from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.evaluate.metrics_json import PROMISED, figure, metrics_json
from tinyhar.evaluate.run_report import Missing, RunReport


def at(metrics: dict, path: str) -> object:
    *tables, last = path.split(".")
    inner = figure(metrics, ".".join(tables))
    assert last in inner
    return inner[last]


def test_the_promised_figures_are_the_runs(run: RunReport) -> None:
    metrics = metrics_json(run)
    teacher, student = run.teacher, run.student
    assert [at(metrics, path) for path in PROMISED] == [
        teacher.evaluation.macro_f1,
        student.floating.macro_f1,
        student.int8.macro_f1,
        12_874,
        271_232,
        17_412,
        1.0,
        2_996,
        812_440,
    ]
    assert metrics["student"]["steps"][1]["bytes"] == 51_496
    assert [head["kind"] for head in metrics["student"]["heads"]] == ["attention", "mlp", "linear"]


def test_it_is_json_without_nan_and_reads_back(run: RunReport) -> None:
    broken = replace(run.teacher.evaluation, accuracy=float("nan"))
    metrics = metrics_json(replace(run, teacher=replace(run.teacher, evaluation=broken)))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["teacher"]["accuracy"] is None


def test_missing_parts_are_null_with_the_reason(run: RunReport) -> None:
    bare = metrics_json(RunReport("bare", run.data, device=Missing("no QEMU")))
    assert [at(bare, path) for path in PROMISED] == [None] * len(PROMISED)
    assert bare["device"]["missing"] == "no QEMU"
    half = replace(run, student=replace(run.student, int8=Missing("stopped before int8")))
    assert at(metrics_json(half), "student.int8.macro_f1") is None
    assert at(metrics_json(half), "student.parameters") == 12_874


def test_parts_that_do_not_fit_together_are_refused(run: RunReport) -> None:
    with pytest.raises(DataError, match="6 windows of a side of the split, but the run has 5"):
        replace(run, data=replace(run.data, classes=run.data.classes[:5]))
    narrow = replace(run.examples[0], signal=np.zeros((128, 3), np.float32))
    with pytest.raises(DataError, match="3 columns of WALKING, but the run has 6 channels"):
        replace(run, examples=(narrow,))
