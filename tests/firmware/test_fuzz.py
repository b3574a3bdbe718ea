"""The fuzz targets: their kept inputs always, new ones where there is clang and time."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.firmware.fuzz import campaign
from tests.firmware.fuzz.make_corpus import STUB

MOST_CORPUS = 300_000
FIRMWARE = campaign.SEEDS.parents[2] / "firmware"


def corpus(target: str) -> list[Path]:
    return sorted((campaign.SEEDS / target).iterdir())


@pytest.mark.parametrize("target", campaign.SHARES)
def test_kept_inputs_pass_under_sanitizers(sanitized: Path, target: str) -> None:
    program, inputs = sanitized / "tests" / f"fuzz_{target}", corpus(target)
    done = subprocess.run(
        [str(program), *map(str, inputs)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{len(inputs)} inputs\n"
    assert len(inputs) >= 10


def test_kept_inputs_are_few_and_the_image_is_the_scripts() -> None:
    files = [file for file in campaign.SEEDS.rglob("*") if file.suffix not in (".py", ".pyc")]
    assert sum(file.stat().st_size for file in files if file.is_file()) < MOST_CORPUS
    assert (campaign.SEEDS / "stub.thb").read_bytes() == STUB


@pytest.mark.slow
def test_targets_survive_libfuzzer() -> None:
    """TINYHAR_FUZZ executions in all; 10,000,000 take about half an hour of one core."""
    if shutil.which("clang") is None:
        pytest.skip("no clang: sudo apt install clang")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    for command in (
        ["cmake", "--preset", "fuzz", *generator],
        ["cmake", "--build", "--preset", "fuzz"],
    ):
        subprocess.run(command, cwd=FIRMWARE, check=True, capture_output=True)
    outcomes = campaign.campaign(int(os.environ.get("TINYHAR_FUZZ", "200000")))
    assert [outcome.findings for outcome in outcomes] == [()] * len(campaign.SHARES)
