"""The compiled engine on an emulated Cortex-M4 gives the desk's bytes (costs: tests/bench)."""

from __future__ import annotations

import pytest

from tests.convert.tiny_models import random_model, random_windows
from tinyhar.band import cortex_m4
from tinyhar.band.cortex_m4 import Device
from tinyhar.band.workload import Workload
from tinyhar.convert import integer
from tinyhar.convert.graph import read_graph
from tinyhar.errors import ModelError


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Device:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")
    return Device(tmp_path_factory.mktemp("cortex-m4"))


@pytest.mark.parametrize("start", range(0, 24, 3))
def test_any_model_gives_the_desks_bytes(target: Device, start: int) -> None:
    for seed in range(start, start + 3):
        try:
            tflite = random_model(seed)
            graph = read_graph(tflite)
            x = random_windows(seed, graph.tensors[graph.input].shape[1:])
            work = Workload(f"seed {seed}", tflite, x, integer.run(graph, x), "desk")
            cost = target.measure(work)
        except ModelError:
            continue
        assert cost.mismatched_bytes == 0, seed
