"""The compiled engine in C against the desk's integers, byte for byte, and against bad models."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.convert.tiny_models import clustered_layer, random_model, random_windows
from tests.firmware import engine_build
from tinyhar.convert import integer
from tinyhar.convert.compiled import CompiledModel, compile_model
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.convert.step import CONV_CLUSTERED
from tinyhar.errors import ModelError

NAMES = ("tiny_dscnn", "ds_cnn", "band_cnn", "inverted_residual")


def compiled(seed: int) -> tuple[Graph, CompiledModel] | None:
    """None where the dice made a model that is refused (an addition whose output is too fine)."""
    tflite = random_model(seed)
    try:
        graph = read_graph(tflite)
        integer.run(graph, np.zeros((1, *graph.tensors[graph.input].shape[1:]), np.int8))
        return graph, compile_model(tflite)
    except ModelError:
        return None


def check_layers(graph: Graph, model: CompiledModel, x: np.ndarray, *flags: str) -> None:
    expected = integer.layers(graph, x)
    outputs, trace = engine_build.run(model.payload, x, *flags)
    at = 0
    for layer in model.layers:
        size = graph.tensors[layer.output_tensor].size
        desk = expected[layer.output_tensor].reshape(len(x), -1)
        assert np.array_equal(trace[:, at : at + size], desk), layer
        at += size
    assert at == trace.shape[1]
    assert np.array_equal(outputs, expected[graph.output].reshape(len(x), -1))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_model_gives_the_desks_bytes_in_every_layer(seed: int) -> None:
    made = compiled(seed)
    if made is not None:
        graph, model = made
        check_layers(graph, model, random_windows(seed, graph.tensors[graph.input].shape[1:]))


@pytest.mark.parametrize("name", NAMES)
def test_reference_models_give_the_golden_bytes(reference_models: Path, name: str) -> None:
    model = compile_model((reference_models / f"{name}.tflite").read_bytes())
    golden = np.load(reference_models / f"{name}_golden.npz")
    outputs, _ = engine_build.run(model.payload, golden["x"])
    assert np.array_equal(outputs, golden["y"])


@pytest.mark.parametrize("name", NAMES)
def test_reference_models_agree_layer_by_layer_on_extremes(
    reference_models: Path, name: str
) -> None:
    tflite = (reference_models / f"{name}.tflite").read_bytes()
    graph = read_graph(tflite)
    x = random_windows(zlib.crc32(name.encode()), graph.tensors[graph.input].shape[1:], 12)
    check_layers(graph, compile_model(tflite), x)


def accepted_when_damaged(payload: bytes, tmp_path: Path, rounds: int, seed: int) -> int:
    """How many of so many damaged models the engine still takes, and runs within their memory."""
    mutate = engine_build.build("engine_mutate.c", "-O1", *engine_build.SANITIZERS)
    path = tmp_path / "model"
    path.write_bytes(payload)
    command = [str(mutate), str(path), str(rounds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0])


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_model_is_refused_or_runs_within_its_memory(tmp_path: Path, seed: int) -> None:
    made = compiled(seed)
    if made is None:
        pytest.skip("the dice made a model that is refused")
    assert 0 < accepted_when_damaged(made[1].payload, tmp_path, 400, seed) < 400


@pytest.mark.parametrize("hop", [0, 2])
def test_a_damaged_clustered_layer_is_refused_or_runs_within_its_memory(
    tmp_path: Path, hop: int
) -> None:
    model = compile_model(clustered_layer(), hop=hop, extra_ram=1000)
    assert model.kernels == 1 << CONV_CLUSTERED
    assert model.kept == (hop > 0)
    assert 0 < accepted_when_damaged(model.payload, tmp_path, 4000, 1) < 4000


@pytest.mark.parametrize("channel", [0, 1])
def test_a_table_of_values_outside_the_model_is_refused(tmp_path: Path, channel: int) -> None:
    payload = compile_model(clustered_layer()).payload
    assert init_status(payload, tmp_path) == ""
    (data,) = struct.unpack_from("<I", payload, 32 + 48)
    at = data + 16 + 2 * channel
    past = len(payload) - data - 15
    assert init_status(payload[:at] + struct.pack("<H", past) + payload[at + 2 :], tmp_path) == (
        "init: 1"
    )


def init_status(payload: bytes, tmp_path: Path, arena: int | None = None) -> str:
    engine = engine_build.build("engine_run.c", "-O1", *engine_build.SANITIZERS)
    if arena is not None:
        payload = payload[:12] + struct.pack("<I", arena) + payload[16:]
    (tmp_path / "model").write_bytes(payload)
    (tmp_path / "x").write_bytes(b"")
    files = [str(tmp_path / part) for part in ("model", "x", "y")]
    done = subprocess.run([str(engine), *files], capture_output=True, text=True, check=False)
    return done.stderr.partition("\n")[0]


def test_what_is_wrong_with_a_model_is_told_apart(tmp_path: Path) -> None:
    made = compiled(3)
    assert made is not None
    good = made[1].payload
    assert init_status(good, tmp_path) == ""
    assert init_status(b"X" + good[1:], tmp_path) == "init: 1"  # another file
    assert init_status(good[:4] + b"\x63" + good[5:], tmp_path) == "init: 2"  # another version
    assert init_status(good[:-16], tmp_path) == "init: 1"  # cut short
    assert init_status(good[:32] + b"\x63" + good[33:], tmp_path) == "init: 4"  # unknown operator
    assert init_status(good, tmp_path, arena=16) == "init: 1"  # tensors beyond the arena it states
