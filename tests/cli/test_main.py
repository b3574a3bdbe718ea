"""The command line says what is wrong in one line, and leaves with the right status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyhar.cli.main import main
from tinyhar.cli.status import BAD_INPUT, INTERRUPTED


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tinyhar", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nowhere.toml"], ["nowhere.toml", "hapt"]),
        (["run", "demo", "--set", "data.windw=64"], ["did you mean 'window'?"]),
        (["run", "hapt", "--data", "nowhere"], ["nowhere"]),
        (["summary", "nowhere"], ["nowhere/metrics.json", "finish that run first"]),
        (
            ["export", "nowhere", "--out", "x"],
            ["nowhere/int8/model.tflite", "is nowhere a run's folder"],
        ),
        (["band", "start", "--run", "nowhere"], ["nowhere"]),
        (["data", "info", "haptt"], ["haptt", "hapt"]),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    arguments: list[str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    assert status_of(monkeypatch, *arguments) == BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def test_summary_gives_mean_and_spread(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, f1 in (("a", 0.90), ("b", 0.94), ("c-quick", 0.10)):
        (tmp_path / name).mkdir()
        metrics = {
            "quick": f1 == 0.10,
            "student": {"int8": {"macro_f1": f1}},
            "device": {"agreement": None},
        }
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
    folders = [str(tmp_path / name) for name in ("a", "b", "c-quick", "unfinished")]
    assert status_of(monkeypatch, "summary", *folders) == 0
    told = capsys.readouterr()
    assert "0.9200 ± 0.0283" in told.out
    assert "agreement" not in told.out
    assert "unfinished/metrics.json" in told.err
    assert "c-quick is a quick run" in " ".join(told.err.split())
    assert status_of(monkeypatch, "summary", folders[0]) == 0
    assert "±" not in capsys.readouterr().out


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("tinyhar 0.")


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from tinyhar.cli.main import main; main()"]
    arguments = ["run", "demo", "--quick", "--out", str(tmp_path)]
    done = tmp_path / "demo-1-quick" / "stages" / "prepare.json"
    process = subprocess.Popen(
        [*command, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        # Whoever runs the tests in a script's background has it ignored, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    end = time.monotonic() + 240
    while not done.exists() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=240)
    assert process.returncode == INTERRUPTED
    assert "the same command goes on from here" in told
    assert done.exists()
