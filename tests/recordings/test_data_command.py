"""`tinyhar data` as people see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tinyhar.cli.data import app
from tinyhar.errors import DataError
from tinyhar.recordings import sketch, synthetic

EXAMPLES = Path(__file__).parent / "data"


def run(*arguments: str, columns: int = 120) -> str:
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(
        app, list(arguments), catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.output


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("TINYHAR_DATA", raising=False)


def test_list_names_every_set_and_says_what_is_here(tmp_path):
    text = run("list")
    for name in ("hapt", "dsads", "motionsense", "spsw", "ucihar", "wisdm", "pamap2", "synthetic"):
        assert name in text
    assert "TINYHAR_DATA" in text
    (tmp_path / "DATA.zip").write_bytes(b"PK")
    lines = {line.split()[0]: line for line in run("list", "--data", str(tmp_path)).splitlines()}
    assert lines["spsw"].rstrip().endswith("damaged")
    assert lines["hapt"].rstrip().endswith("no")
    assert lines["synthetic"].rstrip().endswith("always")


def test_info_describes_and_draws(tmp_path):
    picture = tmp_path / "look.png"
    text = run("info", "synthetic", "--png", str(picture))
    assert "12 recordings of 12 subjects" in text and "50 Hz" in text
    assert "wrist_acc_x/y/z [m/s^2]" in text and "wrist_gyro_x/y/z [rad/s]" in text
    for activity in synthetic.ACTIVITIES:
        assert activity in text
    assert "worn by nobody" in text
    drawn = [line for line in text.splitlines() if any("⠁" <= c <= "⣿" for c in line)]
    assert len(drawn) == 12
    assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size > 20_000


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_drawings_fit_the_terminal(columns):
    lines = run("info", "synthetic", columns=columns).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("example"))
    assert all(len(line.rstrip()) <= max(columns, 31) for line in lines[start:])


def test_info_of_own_recordings_shows_the_format_and_them():
    text = run("info", "csv", "--data", str(EXAMPLES))
    assert "time_s,acc_x" in text and "unit gyro" in text
    assert "3 recordings of 3 subjects" in text and "drinking" in text


def test_info_of_what_is_not_here_says_where_to_get_it(tmp_path):
    text = run("info", "pamap2", "--data", str(tmp_path))
    assert "Not here" in text and "tinyhar data fetch pamap2" in text
    assert str(tmp_path / "pamap2" / "PAMAP2_Dataset.zip") in text
    assert "Not here" in run("info", "hapt")


def test_unknown_names_and_places_are_data_errors(tmp_path):
    for arguments in (["info", "hapd"], ["fetch", "hapd", "--data", str(tmp_path)],
                      ["info", "synthetic", "--position", "nose"], ["fetch", "hapt"]):  # fmt: skip
        with pytest.raises(DataError):
            CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_braille_draws_what_it_is_given():
    lines = sketch.braille(np.array([0.0, 0.0, 1.0, 1.0]), 2, 1)
    assert lines == ["⣀⠉"]
    assert sketch.braille(np.zeros(5), 3, 2) == ["⠉⠉⠉", "⠀⠀⠀"]
    wave = sketch.braille(np.sin(np.arange(4000.0)), 4, 2)
    assert wave == ["⣿⣿⣿⣿"] * 2  # faster than a dot: shown by its size


def test_the_example_is_the_busiest_stretch_and_its_ruler_fits():
    stretch = sketch.example(synthetic.generate(2), seconds=40)
    assert stretch.duration == pytest.approx(40)
    assert len({name for _, _, name in sketch.runs(stretch)} - {""}) >= 2
    assert len(sketch.ruler(stretch, 57)) == 57
