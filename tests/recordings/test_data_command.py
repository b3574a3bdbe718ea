"""`tinyhar data` as people see it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tinyhar.cli.data import app, time_scale
from tinyhar.errors import DataError
from tinyhar.recordings import DATASETS, sketch, synthetic
from tinyhar.recordings.catalogue import BRIEF

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
    lines = {
        line.split()[0]: line for line in run("list", "--data", str(tmp_path)).splitlines() if line
    }
    assert lines["spsw"].rstrip().endswith("damaged")
    assert lines["hapt"].rstrip().endswith("no")
    assert lines["synthetic"].rstrip().endswith("always")


@pytest.mark.parametrize("here", [False, True])
def test_the_list_has_one_line_a_set_on_a_terminal_of_80_columns(here, tmp_path):
    lines = run("list", *(["--data", str(tmp_path)] if here else []), columns=80).splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    whole = [info.name for info in DATASETS.values() if not info.part_of]
    assert [line.split(" ")[0] for line in lines[1 : 1 + len(whole)]] == whole
    assert lines[1 + len(whole)] == ""
    assert "?" not in "".join(lines)
    assert max(len(info.brief) for info in DATASETS.values()) <= BRIEF


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


def fails(*arguments: str) -> tuple[str, str]:
    """What is printed, and the error that ends the command."""
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, DataError)
    assert "\n" not in str(result.exception)
    return result.output, str(result.exception)


def test_info_of_what_is_not_here_is_an_error_that_says_where_to_get_it(tmp_path, monkeypatch):
    told, error = fails("info", "pamap2", "--data", str(tmp_path))
    assert "CC BY 4.0" in told
    assert f"`tinyhar data fetch pamap2 --data {tmp_path}`" in error
    assert str(tmp_path / "pamap2" / "PAMAP2_Dataset.zip") in error
    _, error = fails("info", "hapt")
    assert "--data DIR" in error and "TINYHAR_DATA" in error and "data fetch hapt" in error
    monkeypatch.setenv("TINYHAR_DATA", str(tmp_path))
    _, error = fails("info", "pamap2")
    assert "`tinyhar data fetch pamap2`," in error


def test_a_folder_with_a_space_is_quoted_in_the_advice(tmp_path):
    (tmp_path / "my data").mkdir()
    _, error = fails("info", "pamap2", "--data", str(tmp_path / "my data"))
    assert f"--data '{tmp_path}/my data'`" in error


def test_the_csv_format_is_shown_without_files_too(tmp_path):
    assert "time_s,acc_x" in run("info", "csv")
    told, error = fails("info", "csv", "--data", str(tmp_path))
    assert "time_s,acc_x" in told
    assert f"put your recordings into {tmp_path / 'csv'}" in error


@pytest.mark.parametrize(
    "name, message",
    [
        ("none/look.png", "No such file"),
        ("folder.png", "directory"),
        ("look.gif", r"ends in \.png"),
    ],
)
def test_a_picture_that_cannot_be_written_is_told_before_the_work(name, message, tmp_path):
    (tmp_path / "folder.png").mkdir()
    told, error = fails("info", "synthetic", "--png", str(tmp_path / name))
    assert told == "" and re.search(message, error) and name in error
    assert not (tmp_path / name).is_file()


def test_the_check_leaves_no_empty_picture_behind(tmp_path):
    fails("info", "pamap2", "--data", str(tmp_path), "--png", str(tmp_path / "look.png"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "seconds, shown", [(40, (1, "seconds")), (600, (60, "minutes")), (9e3, (3600, "hours"))]
)
def test_times_are_shown_in_a_unit_that_reads_easily(seconds, shown):
    assert time_scale(seconds) == shown


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
