"""Ray's workers: what they give back, what their death costs, and how quiet they are."""

from __future__ import annotations

import os
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tinyhar.bench.workers import Alone, Ending, OnRay, has_ray, perform
from tinyhar.errors import DataError, ToolError

needs_ray = pytest.mark.skipif(not has_ray(), reason="Ray is not installed")


def answer(value: int) -> dict[str, Any]:
    return {"value": value, "threads": os.environ["TF_NUM_INTRAOP_THREADS"], "pid": os.getpid()}


def die() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def refuse() -> dict[str, Any]:
    raise DataError("windows.npz: missing")


def stumble() -> dict[str, Any]:
    raise KeyError("a\nb")


def test_whatever_a_job_raises_becomes_one_line() -> None:
    assert perform("a", lambda: {"b": 1}) == Ending("a", record={"b": 1})
    told = perform("a", refuse)
    assert (told.record, told.error, told.lost) == (None, "windows.npz: missing", False)
    assert "Traceback" in told.trace
    assert "\n" not in perform("a", stumble).error


def test_alone_does_jobs_in_order() -> None:
    with Alone() as one:
        one.submit("a", partial(dict, n=1))
        assert one.wait() == Ending("a", record={"n": 1})


@needs_ray
def test_ray_brings_answers_errors_and_deaths(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    endings: dict[str, Ending] = {}
    with OnRay(1, None, tmp_path) as workers:
        assert workers.slots == 1
        for job, work in {
            "good": partial(answer, 7),
            "dead": die,
            "bad": refuse,
            "after": partial(answer, 8),
        }.items():
            workers.submit(job, work)
            ending = workers.wait()
            endings[ending.job] = ending
        time.sleep(1.0)  # long enough for Ray to tell the terminal, if it did
    assert endings["good"].record is not None and endings["after"].record is not None
    assert endings["good"].record["value"] == 7
    assert endings["good"].record["threads"] == "1"
    assert endings["good"].record["pid"] != os.getpid()
    assert endings["dead"].lost and "its worker died" in endings["dead"].error
    assert not endings["bad"].lost and endings["bad"].error == "windows.npz: missing"
    assert endings["after"].record["value"] == 8
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err == ""


@needs_ray
@pytest.mark.parametrize("address", ["nonsense", "host:port", ":6379", "127.0.0.1:99999"])
def test_an_address_must_be_one(address: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"--address.*host:port"), OnRay(None, address, tmp_path):
        pass


@needs_ray
def test_an_address_where_nobody_answers_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ToolError, match=f"{address}: no cluster answers.*ray start"),
            OnRay(None, address, tmp_path),
        ):
            pass


def test_without_ray_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tinyhar.bench.workers.has_ray", lambda: False)
    with pytest.raises(ToolError, match="--workers 0"):
        OnRay(1, None, tmp_path)
