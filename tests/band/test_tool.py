"""``tools/band.py`` as a user runs it: what it prints, and the status that it leaves with."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.band.on_a_line import on_a_pty
from tests.band.simulated import SimulatedBand
from tinyhar.band import emulate
from tinyhar.band.emulate import Emulated
from tinyhar.cli.serial import main

ROOT = Path(__file__).resolve().parents[2]
TOOL = [sys.executable, str(ROOT / "tools" / "band.py")]


def tool(*arguments: object) -> tuple[int, str, str]:
    """Status, stdout, stderr; in this process, which saves a start each time."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["band.py", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main()
    finally:
        sys.argv = before
    return int(left.value.code or 0), out.getvalue(), err.getvalue()


def plain(*arguments: object) -> tuple[int, Any]:
    """Status and the JSON document."""
    status, out, _ = tool(*arguments, "--json")
    return status, json.loads(out)


@pytest.fixture(scope="module")
def band(run: Path) -> Iterator[Emulated]:
    with emulate.start("host", emulate.image_of(run, "host")) as band:
        yield band


@pytest.fixture(autouse=True)
def no_other_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is plugged into the machine that runs the tests."""
    monkeypatch.setattr("serial.tools.list_ports.comports", list)


def test_the_only_band_needs_no_port(band: Emulated, run: Path) -> None:
    status, out, err = tool("validate", "--run", run)
    assert (status, err) == (0, "")
    assert "100.00% (600 of 600)" in out
    assert "equal" in out


def test_validate_for_machines(band: Emulated, run: Path) -> None:
    status, report = plain("validate", "--run", run, "--port", band.url, "--limit", 50)
    assert status == 0
    assert (report["verdict"], report["windows"], report["agreement"]) == ("equal", 50, 1.0)
    assert report["mismatches"] == []


def test_a_mismatch_is_a_bad_verdict(band: Emulated, run: Path, tmp_path: Path) -> None:
    shutil.copy(run / "bundle.thb", tmp_path)
    with np.load(run / "validation.npz") as file:
        arrays = dict(file)
    arrays["logits"] = arrays["logits"].copy()
    arrays["logits"][3, 1] ^= 1
    np.savez(tmp_path / "validation.npz", **arrays)
    status, out, _ = tool("validate", "--run", tmp_path)
    assert status == 1
    assert "window 3 of subject s0: logit 1" in " ".join(out.split())
    status, report = plain("validate", "--run", tmp_path)
    assert (status, report["verdict"]) == (1, "different")
    assert f"{tmp_path}/int8/model.tflite: cannot be read" in report["mismatches"][0]["layer"]


def test_info(band: Emulated) -> None:
    status, facts = plain("info", "--port", band.url)
    assert status == 0
    assert (facts["board"], facts["window"], facts["rate_hz"]) == ("host", 128, 50.0)
    assert facts["classes"][0] == "walking"
    assert facts["channels"][5] == "waist_gyro_z"
    status, out, _ = tool("info", "--port", band.url)
    assert status == 0
    assert "walking, upstairs" in out


def test_selftest(band: Emulated) -> None:
    assert "4 golden windows" in tool("selftest")[1]
    status, result = plain("selftest")
    assert (status, result["run"], result["failed"], result["good"]) == (0, 4, 0, True)


def test_a_failed_selftest_is_a_bad_verdict() -> None:
    simulated = SimulatedBand()
    simulated.goldens_failed = 1
    with on_a_pty(simulated) as url:
        status, out, _ = tool("selftest", "--port", url)
    assert status == 1
    assert "window 1 gives [1, -1, 0], expected [0, 0, 0]" in " ".join(out.split())


def test_stream_of_a_run(band: Emulated, run: Path) -> None:
    status, heard = plain("stream", "--run", run, "--speed", "full", "--seconds", 12)
    assert status == 0
    assert heard["samples"] == 600
    assert [p["window"] for p in heard["heard"]] == list(range(8))
    with np.load(run / "validation.npz") as file:
        labels = file["labels"]
    names = plain("info", "--port", band.url)[1]["classes"]
    for prediction in heard[
        "heard"
    ]:  # 50 Hz, windows of 128 every 64: each other one is a stored one
        index, between = divmod(prediction["window"], 2)
        really = [names[label] for label in labels[index : index + 1 + between]]
        assert prediction["really"] == list(dict.fromkeys(really))
        one = len(prediction["really"]) == 1
        assert prediction["right"] == ((prediction["smoothed"] == really[0]) if one else None)
    rights = [p["right"] for p in heard["heard"] if p["right"] is not None]
    assert (heard["score"]["windows"], heard["score"]["shown"]) == (len(rights), sum(rights))
    assert heard["score"]["latency_ms"]["clock"] == "by this machine's clock"
    status, out, _ = tool("stream", "--run", run, "--speed", "full", "--seconds", 12)
    assert status == 0
    assert "8 predictions" in out
    assert f"right: {sum(rights)} of {len(rights)} windows" in out
    assert "by this machine's clock" in " ".join(out.split())


def test_stream_at_real_time_takes_its_time(band: Emulated, run: Path) -> None:
    _, heard = plain("stream", "--run", run, "--seconds", 1)
    assert 0.7 < heard["seconds"] < 2


def test_stream_of_a_recording_of_ones_own(band: Emulated, tmp_path: Path) -> None:
    lines = [f"{i / 50:.2f},0.1,{i % 9},9.8,0.0,0.1,0.2" for i in range(300)]
    head = "# position: waist\ntime_s,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z"
    own = tmp_path / "me.csv"
    own.write_text("\n".join([head, *lines]) + "\n")
    status, heard = plain("stream", "--csv", own, "--speed", "full")
    assert status == 0
    assert (heard["samples"], heard["predictions"]) == (300, 3)
    assert [(p["really"], p["right"]) for p in heard["heard"]] == [([], None)] * 3
    own.write_text("\n".join([head.replace("waist", "ankle"), *lines]) + "\n")
    status, _, err = tool("stream", "--csv", own)
    assert status == 2
    assert "the band wants waist_acc_x" in err


def played_with(own: Path, *options: object) -> tuple[str, list[list[int]]]:
    """The scale that the tool told, and the logits that came of it."""
    status, heard = plain("stream", "--csv", own, "--speed", "full", *options)
    assert status == 0
    return heard["scale"], [prediction["logits"] for prediction in heard["heard"]]


def test_the_scale_of_a_recording_is_told_and_can_be_set(
    band: Emulated, run: Path, tmp_path: Path
) -> None:
    own = tmp_path / "me.csv"
    rows = [f"{i / 50:.2f},0.1,{i % 9},9.8,0.0,{i % 5},0.2,Sitting" for i in range(300)]
    head = "# position: waist\ntime_s,acc_x,acc_y,acc_z,gyro_x,gyro_y,gyro_z,label"
    own.write_text("\n".join([head, *rows]) + "\n")
    assumed, usual = played_with(own)
    assert "acc ±8 g (assumed), gyro ±2000 deg/s (assumed)" in assumed
    assert "--run" in assumed
    assert played_with(own, "--acc-range", 8, "--gyro-range", 2000) == (
        "full scale: acc ±8 g, gyro ±2000 deg/s",
        usual,
    )
    told, other = played_with(own, "--acc-range", 2)
    assert "acc ±2 g, gyro ±2000 deg/s (assumed)" in told
    assert other != usual
    told, of_bundle = played_with(own, "--run", run)  # its lsb: 8.02 g, 2009 deg/s
    assert told == "a count is worth what the run's bundle says"
    assert of_bundle != other
    assert plain("stream", "--csv", own, "--speed", "full")[1]["heard"][0]["right"] in (True, False)
    status, _, err = tool("stream", "--csv", own, "--run", run, "--acc-range", 2)
    assert (status, "--acc-range: for a --csv without --run" in err) == (2, True)


def test_what_is_no_csv_file_is_bad_input(band: Emulated, tmp_path: Path) -> None:
    (tmp_path / "me").write_text("time_s\n")
    for name in ("me", "me/too.csv", ""):
        status, _, err = tool("stream", "--csv", tmp_path / name)
        assert (status, err.count("\n")) == (2, 1)
        assert f"{tmp_path / name}: there is no such .csv file" in err


def test_bench(band: Emulated, run: Path) -> None:
    status, result = plain("bench", "--seconds", 0.3)
    assert status == 0
    assert result["windows_per_second"] > 100
    assert result["latency_ms"]["clock"] == "by this machine's clock"
    assert "ms" in tool("bench", "--seconds", 0.1)[1]
    assert tool("bench", "--seconds", 0.2, "--run", run)[0] == 0


def test_discover_names_the_band(band: Emulated) -> None:
    status, found = plain("discover")
    assert status == 0
    assert found["candidates"][0]["url"] == band.url
    assert found["candidates"][0]["board"] == "host"
    assert "emulated host" in tool("discover")[1]


def test_doctor(band: Emulated, run: Path) -> None:
    status, diagnosis = plain("doctor", "--run", run)
    assert (status, diagnosis["good"]) == (0, True)
    assert "all is well" in tool("doctor")[1]


def test_doctor_without_any_band_shows_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyhar.band.discover.running", list)
    status, diagnosis = plain("doctor")
    assert (status, diagnosis["good"]) == (1, False)
    assert [step["name"] for step in diagnosis["steps"]] == ["search"]
    status, out, err = tool("doctor")
    assert (status, err) == (1, "")
    assert "tinyhar band start" in " ".join(out.split())


def test_doctor_finds_what_is_wrong() -> None:
    status, out, _ = tool("doctor", "--port", "/dev/no-such-port")
    assert status == 1
    assert "plug the band in" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info", "--port", "/dev/no-such-port"], "does not exist"),
        (["info", "--port", "socket://127.0.0.1:1"], "nothing listens"),
        (["validate", "--run", "/nowhere", "--port", "x"], "/nowhere/bundle.thb"),
        (["stream"], "--run RUN"),
        (["stream", "--run", "x", "--speed", "warp"], "real or full"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], said: str) -> None:
    status, out, err = tool(*arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert "Traceback" not in err
    status, document = plain(*arguments)
    assert status == 2
    assert said in document["error"]["message"]


def test_a_misspelt_option_is_bad_input() -> None:
    assert tool("info", "--prot", "x")[0] == 2
    assert tool("inform")[0] == 2


def test_another_model_is_bad_input(run: Path) -> None:
    with on_a_pty(SimulatedBand()) as url:
        status, _, err = tool("validate", "--run", run, "--port", url)
    assert status == 2
    assert "another model" in err


def test_it_runs_on_its_own_from_anywhere(band: Emulated, tmp_path: Path) -> None:
    done = subprocess.run(
        [*TOOL, "selftest", "--json"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["good"]


def test_an_interrupt_leaves_with_130(band: Emulated, run: Path) -> None:
    process = subprocess.Popen(
        [*TOOL, "stream", "--run", str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_the_tool_starts_without_tensorflow() -> None:
    code = "import sys, tinyhar.cli.serial as _; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert "serial" in modules
    assert not {"tensorflow", "tf_keras", "matplotlib", "sklearn", "pandas", "scipy"} & {*modules}


def test_start_prints_the_url_and_stops_on_an_interrupt(run: Path) -> None:
    code = "from tinyhar.cli.band import app; app()"
    command = [sys.executable, "-c", code, "start", "--run", str(run), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout
    document = json.loads(process.stdout.readline())
    assert document["board"] == "host"
    status, facts = plain("info", "--port", document["url"])
    assert (status, facts["board"]) == (0, "host")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(document["pid"], 0)


def test_start_tells_how_its_band_ended(run: Path) -> None:
    code = "from tinyhar.cli.main import main; main()"
    command = [sys.executable, "-c", code, "band", "start", "--run", str(run), "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout
    os.kill(json.loads(process.stdout.readline())["pid"], signal.SIGKILL)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert err == "error: the band ended by itself: SIGKILL, without a word; start it again\n"
