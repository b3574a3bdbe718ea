"""TFLM as the desk's truth, and its arena as measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.convert.tiny_models import random_model
from tinyhar.convert import reference
from tinyhar.convert.arena import measure_arena, measure_engine_arena
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import LITERT, TFLM, TflmReference
from tinyhar.errors import ModelError

pytest.importorskip("tflite_micro")


def test_golden_windows(reference_models: Path) -> None:
    model = TflmReference((reference_models / "ds_cnn.tflite").read_bytes())
    golden = np.load(reference_models / "ds_cnn_golden.npz")
    assert model.backend == TFLM
    assert np.array_equal(model.run(golden["x"][:40]), golden["y"][:40])


def test_without_tflm_litert_stands_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tflite_micro.python.tflite_micro", None)
    tflite = random_model(3)
    model = TflmReference(tflite)
    assert model.backend == LITERT
    shape = read_graph(tflite).tensors[read_graph(tflite).input].shape[1:]
    assert model.run(np.zeros((2, *shape), np.int8)).dtype == np.int8


def test_windows_of_another_shape_are_refused() -> None:
    with pytest.raises(ModelError, match="the model takes int8"):
        TflmReference(random_model(3)).run(np.zeros((1, 1, 999, 1), np.int8))


# What the same models use on a Cortex-M4 with CMSIS-NN.
ON_A_CORTEX_M4 = {"tiny_dscnn": 3428, "ds_cnn": 8068, "band_cnn": 5908, "inverted_residual": 18388}


@pytest.mark.parametrize("name", ON_A_CORTEX_M4)
def test_measured_arena_suffices_on_a_microcontroller(reference_models: Path, name: str) -> None:
    measured = measure_arena((reference_models / f"{name}.tflite").read_bytes())
    assert measured % 16 == 0
    assert measured < measure_engine_arena((reference_models / f"{name}.tflite").read_bytes())
    assert ON_A_CORTEX_M4[name] <= measured <= 1.3 * ON_A_CORTEX_M4[name]


def test_a_model_runs_in_the_arena_that_was_measured_for_it() -> None:
    from tflite_micro.python.tflite_micro import runtime

    tflite = random_model(11)
    measured = measure_arena(tflite)
    graph = read_graph(tflite)
    x = np.zeros(graph.tensors[graph.input].shape, np.int8)
    interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=measured + 4096)
    interpreter.set_input(x, 0)
    interpreter.invoke()
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(tflite, arena_size=measured // 2)


def test_module_needs_no_heavy_imports_until_used() -> None:
    assert not hasattr(reference, "runtime")
