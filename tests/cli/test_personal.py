"""``tinyhar personal`` teaches a quick run two movements, leaves a run folder, and says no."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.personal.written import movement, write_take
from tinyhar import pipeline, recipe
from tinyhar.cli import personal as command
from tinyhar.cli import personal_evaluate
from tinyhar.cli.main import main
from tinyhar.cli.status import BAD_INPUT

RATE = 50.0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on synthetic movement as far as its int8 model, with hardly any training."""
    folder = tmp_path_factory.mktemp("base") / "demo-1"
    changes = (
        "distillation.method=none",
        "student.training.epochs=2",
        "pruning.method=none",
        "quantisation.method=ptq",
    )
    wanted = recipe.changed(recipe.load("demo"), list(changes))
    pipeline.advance(wanted, folder, until="quantise", quick=True)
    return folder


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "160")
    for module in (command, personal_evaluate):
        monkeypatch.setattr(module, "start_tensorflow", lambda: None)

    def run(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["tinyhar", "personal", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return run


def old_class(base: Path) -> str:
    return str(np.load(base / "data" / "windows.npz")["classes"][0])


def record(folder: Path, base: Path, seconds: float = 24) -> None:
    write_take(folder / "waving.csv", movement(seconds, beat=2.5, seed=1), "waving")
    write_take(folder / "old.csv", movement(seconds, beat=0.3, seed=2), old_class(base))


@pytest.mark.skipif(shutil.which("cmake") is None, reason="no cmake: no firmware can be built")
def test_a_run_is_taught_and_a_band_runs_it(
    base: Path, call: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tinyhar.band import emulate
    from tinyhar.band.client import connect
    from tinyhar.band.desk import read_desk
    from tinyhar.band.validate import validate
    from tinyhar.cli.run import export

    record(tmp_path / "mine", base)
    out = tmp_path / "out"
    assert call("fit", base, tmp_path / "mine", "--out", out, "--epochs", "8") == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["new"] == ["waving"] and metrics["recorded_again"] == [old_class(base)]
    assert metrics["classes"][-1] == "waving"
    assert metrics["held_out"]["before"]["class_f1"]["waving"] == 0
    assert metrics["held_out"]["after"]["class_f1"]["waving"] > 0.8
    assert metrics["old_classes"]["windows"] > 0 and metrics["seconds"] < 60
    page = (out / "report.html").read_text()
    assert "waving" in page and "Held out is the latest part" in page and "<svg" in page
    assert "band start --run" in capsys.readouterr().err

    desk = read_desk(out).sample(20)
    assert desk.bundle.classes == tuple(metrics["classes"]) and len(desk.bundle.golden_counts) == 3
    with emulate.start("host", emulate.image_of(out, "host")) as band, connect(band.url) as client:
        assert client.selftest().failed == 0
        report = validate(client, desk.counts, desk.logits, desk.labels)
    assert report.equal == report.windows == 20

    export(out, tmp_path / "c")
    assert (tmp_path / "c" / "README.txt").is_file()


@pytest.mark.slow
def test_what_was_taught_can_be_taught_again(base: Path, call: Any, tmp_path: Path) -> None:
    record(tmp_path / "mine", base, 12)
    write_take(tmp_path / "more" / "a.csv", movement(12, beat=4.0, seed=5), "shaking")
    once, again = tmp_path / "once", tmp_path / "again"
    assert call("fit", base, tmp_path / "mine", "--out", once, "--epochs", "1") == 0
    assert call("fit", once, tmp_path / "more", "--out", again, "--epochs", "1") == 0
    assert json.loads((again / "metrics.json").read_text())["classes"][-2:] == ["waving", "shaking"]
    assert call("fit", once, tmp_path / "more", "--out", again, "--epochs", "1") == 0, "made anew"


@pytest.mark.slow
def test_recordings_that_a_base_was_taught_from_judge_nothing(
    base: Path, call: Any, tmp_path: Path
) -> None:
    """Cut anew, what it learned from could come to lie behind the border between the two."""
    mine, once, again = tmp_path / "mine", tmp_path / "once", tmp_path / "again"
    record(mine, base, 12)
    assert call("fit", base, mine, "--out", once, "--epochs", "1") == 0
    assert call("fit", once, mine, "--out", again, "--epochs", "1") == 2
    assert not again.exists()
    write_take(mine / "more.csv", movement(12, beat=4.0, seed=5), "shaking")
    assert call("fit", once, mine, "--out", again, "--epochs", "1") == 0
    metrics = json.loads((again / "metrics.json").read_text())
    assert metrics["new"] == ["shaking"] and not metrics["recorded_again"]
    assert any("left out" in doubt for doubt in metrics["doubts"])


@pytest.mark.parametrize(
    ("takes", "options", "words"),
    [
        ({"a": ("waving", 1.0, 50.0)}, [], ["class 'waving': too short", "2.56 s", "record more"]),
        ({"a": ("waving", 12, 50.0)}, ["--only-recorded"], ["only one class, 'waving'"]),
        (
            {"a": ("waving", 12, 50.0), "b": ("Waving", 12, 50.0)},
            [],
            ["'Waving'", "'waving'", "write both alike"],
        ),
        ({"a": ("waving", 12, 40.0)}, [], ["40 Hz", "50 Hz", "--resample"]),
        ({"a": ("waving", 12, 50.0)}, ["--board", "toaster"], ["toaster", "host"]),
        ({}, [], ["no such folder"]),
    ],
)
def test_bad_recordings_are_one_line_and_leave_nothing(
    takes: dict[str, tuple[str, float, float]],
    options: list[str],
    words: list[str],
    base: Path,
    call: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seed, (name, (label, seconds, rate)) in enumerate(takes.items()):
        signal = movement(seconds, rate, seed=seed)
        write_take(tmp_path / "mine" / f"{name}.csv", signal, label, rate=rate)
    out = tmp_path / "out"
    assert call("fit", base, tmp_path / "mine", "--out", out, *options) == BAD_INPUT
    lines = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(lines) == 1 and all(word in lines[0] for word in words), lines
    assert not out.exists()


def test_a_folder_that_is_no_finished_run_is_refused(
    base: Path, call: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "mine", base, 12)
    assert call("fit", tmp_path, tmp_path / "mine") == BAD_INPUT
    assert "no run folder" in capsys.readouterr().err
    assert call("fit", base, tmp_path / "mine", "--out", base) == BAD_INPUT
    assert "holds another run" in capsys.readouterr().err
    damaged = tmp_path / "damaged"
    shutil.copytree(base, damaged)
    (damaged / "pruned" / "model.keras").write_bytes(b"no model")
    assert call("fit", damaged, tmp_path / "mine") == BAD_INPUT
    assert "missing or damaged" in capsys.readouterr().err


@pytest.mark.slow
def test_trials_are_kept_and_not_done_again(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tinyhar import settings
    from tinyhar.pipeline import personal_trials

    changes = ["name=tiny", "split.test=['synthetic-10']", "pruning.method=none"]
    tiny = recipe.changed(recipe.load("demo"), changes)
    file = tmp_path / "tiny.toml"
    file.write_text(settings.to_toml(tiny))
    out = tmp_path / "out"
    known = recipe.load(file).data.activities or synthetic_classes()
    wanted = ["evaluate", file, "--out", out, "--seconds", "5", "--epochs", "1"]
    wanted += ["--new-class", known[0]]
    assert call(*wanted) == 0
    text = (out / "table.md").read_text()
    assert "1 people (synthetic-10)" in text and known[0] in text
    assert (out / "curve.png").stat().st_size > 5000
    assert len((out / "gains.csv").read_text().splitlines()) == 2
    assert len((out / "new-classes.csv").read_text().splitlines()) == 2
    monkeypatch.setattr(personal_trials, "open_base", None)
    assert call(*wanted) == 0
    assert (out / "table.md").read_text() == text
    capsys.readouterr()
    assert call("evaluate", file, "--out", out, "--person", "nobody") == BAD_INPUT
    assert "nobody called 'nobody'" in capsys.readouterr().err
    assert call("evaluate", file, "--out", out, "--no-curve") == BAD_INPUT


def synthetic_classes() -> tuple[str, ...]:
    from tinyhar.recordings import load

    return load("synthetic")[0].activities
