"""One quick run of the whole main job, shared by all tests that look at its outcome."""

from __future__ import annotations

import shutil

import pytest

from tests.pipeline.watching import Finished, shortest
from tinyhar import pipeline


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake: the firmware cannot be built")
    folder = tmp_path_factory.mktemp("run")
    wanted = shortest()
    metrics = pipeline.run(wanted, folder, quick=True)
    return Finished(folder, wanted, metrics)
