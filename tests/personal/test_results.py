"""Figures over people and seeds: people are averaged, losses are shown, a CSV holds every trial."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from tinyhar.personal.curve import draw
from tinyhar.personal.results import Gain, Unseen, as_csv, budgets, table

ONE = Gain("dsads-wrist", "1", 20.0, 1, 0.5, 0.8, 0.7, 400, 20.0, 9.0)
GAINS = [
    ONE,
    replace(ONE, seed=2, personal=0.7),
    replace(ONE, person="10", general=0.7, personal=0.65, on_band=0.6),
    replace(ONE, seconds=5.0, personal=0.6),
]
NEW = Unseen(
    "dsads-wrist", "1", "rowing", 20.0, 1, 0.9, 0.6, 0.59, 0.85, 0.56, 0.8, 0.1, 0.9, 0.7, 0.95
)


def test_people_are_averaged_over_seeds_before_they_are_averaged() -> None:
    short, long = budgets(GAINS)
    assert short.seconds == 5 and long.seconds == 20
    assert long.general.mean == pytest.approx(0.6) and long.personal.mean == pytest.approx(0.7)
    assert long.relative == pytest.approx(0.1 / 0.6)
    assert long.worse == ("10",) and short.worse == ()
    assert long.points.n == 2 and long.points.mean == pytest.approx(0.1)


def test_the_table_shows_who_lost_and_what_a_new_class_cost() -> None:
    text = table("dsads-wrist", GAINS, [NEW, replace(NEW, name="jumping", old_after=0.55)])
    row = "| 20 | 20.0 | 0.600 ± 0.141 | 0.700 ± 0.071 | +10.0 ± 21.2 | +16.7% | 10 | "
    assert row + "0.650 ± 0.071 | 50% |" in text
    assert "| 10 | 400 | 0.700 | – | 0.650 |" in text
    assert "| rowing | 1 | 0.900 | +1.0 ± 0.0 | 0.850 | +4.0 | 80% | 10% |" in text
    assert "| **all** | 2 | 0.900 ± 0.000 | +3.0 ± 2.8 | 0.850 ± 0.000 | +4.0 |" in text
    assert "largest 0.900, margin 0.700, energy 0.950" in text


def test_the_csv_holds_every_trial() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(GAINS))))
    assert len(rows) == 4 and rows[0]["personal"] == "0.8"
    assert as_csv([]) == ""


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "curve.png"
    draw(GAINS, file, title="dsads-wrist")
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
