"""Windows that overlap: what is kept from the one before changes no byte."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.convert.tiny_models import random_model, random_windows
from tests.firmware import engine_build
from tinyhar.convert import integer
from tinyhar.convert.compiled import CompiledModel, compile_model
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.convert.kept import saved_macs
from tinyhar.convert.steps import steps_of
from tinyhar.errors import ModelError

NAMES = ("tiny_dscnn", "ds_cnn", "band_cnn", "inverted_residual")
PLENTY = 1 << 20


def streamed(
    model: CompiledModel, signal: np.ndarray, hop: int, *flags: str
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of a signal's windows, each run whole, and each run after the one before."""
    engine = engine_build.build("engine_stream.c", "-O1", *engine_build.SANITIZERS, *flags)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model").write_bytes(model.payload)
        (folder / "signal").write_bytes(signal.tobytes())
        sizes = [str(hop), str(signal.shape[1])]
        done = subprocess.run(
            [str(engine), str(folder / "model"), str(folder / "signal"), *sizes,
             str(folder / "whole"), str(folder / "next")],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return np.fromfile(folder / "whole", np.int8), np.fromfile(folder / "next", np.int8)


def check_stream(tflite: bytes, hop: int, seed: int, *flags: str) -> CompiledModel:
    graph = read_graph(tflite)
    model = compile_model(tflite, hop=hop, extra_ram=PLENTY)
    *_, time, channels = graph.tensors[graph.input].shape
    shape = (1, time + 6 * hop, channels)
    signal = random_windows(seed, shape).reshape(-1, *shape)[0, 0]
    whole, following = streamed(model, signal, hop, *flags)
    windows = np.stack([signal[i * hop : i * hop + time] for i in range(7)])[:, np.newaxis]
    np.testing.assert_array_equal(whole, integer.run(graph, windows).reshape(-1))
    np.testing.assert_array_equal(following, whole)
    return model


def has_one_row(graph: Graph) -> bool:
    shape = graph.tensors[graph.input].shape
    return len(shape) == 4 and shape[1] == 1 and shape[2] > 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_model_gives_the_same_bytes_window_after_window(seed: int, hop: int) -> None:
    try:
        tflite = random_model(seed)
        graph = read_graph(tflite)
        compile_model(tflite)
    except ModelError:
        return
    if has_one_row(graph):
        check_stream(tflite, hop, seed)


@pytest.mark.parametrize("hop", [2, 8, 16, 64, 100])
@pytest.mark.parametrize("name", NAMES)
def test_reference_models_keep_what_their_windows_share(
    reference_models: Path, name: str, hop: int
) -> None:
    model = check_stream((reference_models / f"{name}.tflite").read_bytes(), hop, 1)
    assert (model.kept > 0) == (hop != 100 or model.kept > 0)


def test_a_hop_that_the_strides_do_not_divide_runs_whole(reference_models: Path) -> None:
    tflite = (reference_models / "ds_cnn.tflite").read_bytes()
    model = compile_model(tflite, hop=8, extra_ram=PLENTY)
    assert model.kept > 1
    signal = random_windows(1, (1, 300, 6)).reshape(-1, 1, 300, 6)[0, 0]
    for hop in (1, 3, 127, 128, 150):
        whole, following = streamed(model, signal, hop)
        np.testing.assert_array_equal(following, whole)


def test_memory_is_the_price_and_has_a_limit(reference_models: Path) -> None:
    tflite = (reference_models / "ds_cnn.tflite").read_bytes()
    plain = compile_model(tflite)
    assert plain.kept == 0
    before = (0, 0)
    for extra in (0, 500, 2000, 4000, 8000, PLENTY):
        model = compile_model(tflite, hop=16, extra_ram=extra)
        assert model.arena_bytes - plain.arena_bytes <= extra
        steps = steps_of(read_graph(tflite))
        now = (model.kept, sum(saved_macs(steps, 16)[: model.kept]))
        assert now >= before
        before = now
    assert before[0] > 3 and before[1] > 0


def test_damaged_plans_are_refused(reference_models: Path) -> None:
    from tests.firmware.test_engine import compiled

    made = compiled(3)
    assert made is not None
    payload = bytearray(made[1].payload)
    payload[5] = 255
    x = random_windows(3, made[0].tensors[made[0].input].shape[1:])
    with pytest.raises(AssertionError, match="init: 1"):
        engine_build.run(bytes(payload), x)
