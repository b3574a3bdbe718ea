"""``tinyhar robustness`` writes page and JSON, shows a table, and refuses what is not whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.evaluate.test_robustness_results import tried
from tinyhar.cli import robustness as command
from tinyhar.cli.main import main
from tinyhar.cli.status import BAD_INPUT


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(command, "start_tensorflow", lambda: None)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["tinyhar", "robustness", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return run


def test_models_stand_side_by_side(
    call: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from tinyhar.pipeline import finished, robust

    known = {
        "a": tried("a"),
        "b": tried("b", clean=0.8),
        "twin": tried("twin", clean=0.7, distillation__method="none"),
    }
    asked: list[tuple[str, Any]] = []
    monkeypatch.setattr(finished, "opened", lambda folder: known[str(folder)])

    def fake(run: Any, data: Path | None, *, plan: robust.Plan, tell: Any) -> Any:
        asked.append((run.folder, plan))
        return run

    monkeypatch.setattr(robust, "robust", fake)
    monkeypatch.setattr(robust, "key", lambda run, plan: f"{run.folder:-<16}")
    assert call("a", "b", "twin", "a", "--out", str(tmp_path / "new" / "out"), "--quick") == 0
    assert asked == [("a", robust.QUICK), ("b", robust.QUICK), ("twin", robust.QUICK)]
    assert call("twin", "a", "--out", str(tmp_path / "new" / "out"), "--quick") == 0
    assert len(asked) == 3, "what was tried is not tried again"
    assert call("a", "b", "twin", "--out", str(tmp_path / "new" / "out"), "--quick") == 0
    found = json.loads((tmp_path / "new" / "out" / "robustness.json").read_text())
    assert found["quick"] is True
    assert [group["label"] for group in found["groups"]] == ["hapt, hinton", "hapt, none"]
    assert "hapt, none" in (tmp_path / "new" / "out" / "robustness.html").read_text()
    told = capsys.readouterr().out
    assert "hapt, hinton (2 runs)" in told and "0.850 ± 0.071" in told
    turned = next(line for line in told.splitlines() if "turned 15°" in line)
    assert turned.count("+0.200") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], ["nowhere", "no run folder", "recipe.toml"]),
        (["started"], ["started", "stage 'prepare' is not done", "finish this run first"]),
    ],
)
def test_what_is_no_finished_run_is_one_line(
    arguments: list[str],
    words: list[str],
    call: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    from tinyhar import recipe, settings

    monkeypatch.chdir(tmp_path)
    (tmp_path / "started").mkdir()
    (tmp_path / "started" / "recipe.toml").write_text(settings.to_toml(recipe.load("demo")))
    assert call(*arguments) == BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words)
    assert not (tmp_path / "robustness").exists()
