"""Runs every fuzz target under libFuzzer: `python -m tests.firmware.fuzz.campaign [EXECUTIONS]`.

New inputs gather in firmware/build/fuzz/corpus, what crashed in firmware/build/fuzz/findings. Needs
clang, and what `cmake --preset fuzz && cmake --build --preset fuzz` builds.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SEEDS = Path(__file__).parent
BUILD = SEEDS.parents[2] / "firmware" / "build" / "fuzz"

SHARES = {
    "messages": (0.27, 256),
    "frame": (0.30, 600),
    "bundle": (0.06, 2800),
    "store": (0.06, 12291),
    "line": (0.27, 600),
    "requests": (0.04, 1500),
}
"""Of each target: its share of the executions, and the longest input in bytes."""


@dataclass(frozen=True)
class Outcome:
    """What one target did."""

    target: str
    executions: int
    seconds: float
    findings: tuple[Path, ...]


def fuzz(target: str, executions: int, longest: int) -> Outcome:
    """Until so many executions are done, or one fails."""
    corpus, findings = BUILD / "corpus" / target, BUILD / "findings" / target
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    done = subprocess.run(
        [
            str(BUILD / "tests" / f"fuzz_{target}"), f"-runs={executions}", "-timeout=10",
            f"-max_len={longest}", "-print_final_stats=1", f"-artifact_prefix={findings}/",
            str(corpus), str(SEEDS / target),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    found = tuple(sorted(findings.iterdir()))
    if done.returncode != 0 and not found:
        raise RuntimeError(done.stderr[-2000:])
    return Outcome(target, int(counted[1]) if counted else 0, seconds, found)


def campaign(executions: int) -> list[Outcome]:
    """Every target by its share, one after the other; a line each."""
    outcomes = []
    for target, (share, longest) in SHARES.items():
        outcome = fuzz(target, round(share * executions), longest)
        outcomes.append(outcome)
        rate = outcome.executions / outcome.seconds
        print(
            f"{target:9}{outcome.executions:11,} executions{outcome.seconds:8.0f} s"
            f"{rate:9,.0f}/s  {len(outcome.findings)} findings",
            flush=True,
        )
    return outcomes


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    sys.exit(any(outcome.findings for outcome in campaign(asked)))
