"""The report on a teacher that sees more than the band: what it goes by, and what it costs."""

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluate.conftest import CLASSES, judged
from tests.evaluate.test_report import Page
from tinyhar.evaluate.report import comparison, render
from tinyhar.evaluate.report_views import drawn_views
from tinyhar.evaluate.run_report import Missing, RunReport, StudentReport, TeacherReport


@pytest.fixture
def wide(run: RunReport) -> RunReport:
    teacher, student = run.teacher, run.student
    assert isinstance(teacher, TeacherReport) and isinstance(student, StudentReport)
    k = len(CLASSES)
    return replace(
        run,
        teacher=replace(
            teacher,
            attention=None,
            channels=tuple(f"{place}_acc_{axis}" for place in ("torso", "wrist") for axis in "xyz"),
            views={name: judged(20 + i, 0.9, k) for i, name in enumerate(("attention", "causal"))},
            without={"torso": judged(30, 0.7, k), "right_wrist": judged(31, 0.93, k)},
            latency_ms=0.9,
        ),
        student=replace(student, latency_ms=0.3),
    )


def test_each_view_is_shown_by_class_and_in_all(wide: RunReport) -> None:
    found = drawn_views(wide)
    assert found is not None and found.views is not None and found.without is not None
    assert found.views.columns == ("attention", "causal", "together")
    assert len(found.views.rows) == len(CLASSES)
    assert all(cell.text == f"{cell.shade:.4f}" for row in found.views.rows for cell in row)
    assert found.without.columns == ("torso", "right wrist")
    shades = np.array([[cell.shade for cell in row] for row in found.without.rows])
    assert shades[:, 0].mean() > shades[:, 1].mean()
    assert found.without.total[0].startswith("−")


def test_the_page_has_them(wide: RunReport) -> None:
    text = Page(render(wide)).text
    assert "What the teacher goes by" in text
    assert "It sees 6 channels" in text
    assert "F1 on the unseen people, of each representation" in text


def test_ratios_come_with_what_they_are_ratios_of(wide: RunReport) -> None:
    told = comparison(wide)
    assert told is not None and told in Page(render(wide)).text
    assert "93.1 % fewer parameters (12,874 for 187,334)" in told
    assert "94.7 % fewer multiply-accumulates (271,232 for 5,120,448)" in told
    assert "3 times as fast on the desk" in told and "(0.3 ms for 0.9 ms)" in told


def test_an_ordinary_teacher_has_nothing_of_it(run: RunReport) -> None:
    assert drawn_views(run) is None
    assert comparison(replace(run, teacher=Missing("no teacher"))) is None
    told = comparison(run)
    assert told is not None and "fast" not in told
