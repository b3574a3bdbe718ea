"""`tinyhar data` leaves with the right status, and with one line when something is missing."""

from __future__ import annotations

import sys

import pytest

from tinyhar.cli.main import main
from tinyhar.cli.status import BAD_INPUT


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "pamap2", "--data", "."],
        ["info", "csv", "--data", "."],
        ["info", "hapt"],
        ["info", "synthetic", "--png", "nowhere/look.png"],
        ["list", "--data", "nowhere"],
    ],
)
def test_missing_data_is_one_line_and_status_two(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["tinyhar", "data", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == BAD_INPUT
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and told[0].startswith("error: ")
