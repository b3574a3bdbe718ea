"""Costs on the emulated Cortex-M4: counted, compared with golden vectors, set beside TFLM's."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.convert.tiny_models import random_model
from tinyhar.band import cortex_m4, workload
from tinyhar.band.cortex_m4 import Device, DeviceCost, Layer
from tinyhar.bench import device_table
from tinyhar.cli.main import app
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.errors import DataError, ModelError, ToolError

LIMITS = {
    "tiny_dscnn": (95_800, 3_428),
    "ds_cnn": (514_600, 8_068),
    "band_cnn": (539_600, 5_908),
    "inverted_residual": (1_326_700, 18_388),
}
"""Half of TFLM's instructions with CMSIS-NN, and its arena."""

COST = DeviceCost(
    "ds_cnn", 20, 352_800, 7_996, 15_616, 3_248, 292, 0, "TFLM", 0,
    (Layer("a", "CONV_2D", 300), Layer("b", "ADD", 100), Layer("c", "CONV_2D", 100)),
)  # fmt: skip


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Device:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")
    return Device(tmp_path_factory.mktemp("device"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.tflite"
    for seed in range(50):
        try:
            file.write_bytes(random_model(seed))
            compile_model(file.read_bytes())
        except ModelError:
            continue
        return file
    raise AssertionError("no random model compiles")


@pytest.mark.parametrize("name", LIMITS)
def test_the_reference_models_meet_their_goals(
    target: Device, reference_models: Path, name: str
) -> None:
    (work,) = workload.find([reference_models / f"{name}.tflite"])
    cost = target.measure(work)
    instructions, arena = LIMITS[name]
    weights, outputs = sizes(work.tflite)
    assert work.golden == "TFLM"
    assert (cost.windows, cost.mismatched_bytes) == (20, 0)
    assert cost.instructions_per_window <= instructions
    assert cost.engine_code_bytes <= 8 * 1024
    assert cost.model_bytes <= weights + 10 * outputs + 512
    assert cost.ram_bytes <= 0.60 * arena
    assert cost.stack_bytes <= 804
    theirs = device_table.tflm_cost(work.tflite)
    assert theirs is not None and theirs.model == name
    assert cost.instructions_per_window <= theirs.instructions / 2


def sizes(tflite: bytes) -> tuple[int, int]:
    """int8 weights and output channels of all layers that have weights."""
    tensors = read_graph(tflite).tensors
    constants = [t for t in tensors if t.data is not None and t.data.dtype == np.int8]
    biases = [
        t for t in tensors if t.data is not None and t.data.dtype == np.int32 and t.scales.size
    ]
    return sum(t.data.size for t in constants), sum(t.data.size for t in biases)


def test_layers_add_up(target: Device, model: Path) -> None:
    (work,) = workload.find([model])
    cost = target.measure(work)
    assert cost.golden.startswith("desk")
    assert cost.mismatched_bytes == 0
    assert sum(layer.instructions for layer in cost.layers) == pytest.approx(
        cost.instructions_per_window, rel=0.1
    )


def test_a_wrong_answer_is_counted(target: Device, model: Path) -> None:
    (work,) = workload.find([model])
    wrong = work.y.copy()
    wrong.reshape(-1)[[0, -1]] ^= 1
    assert target.measure(replace(work, y=wrong)).mismatched_bytes == 2


def test_the_command_prints_what_machines_read(model: Path) -> None:
    if cortex_m4.missing_tools():
        pytest.skip("no cross compiler or no QEMU")
    (work,) = workload.find([model])
    np.savez(model.with_name("model_golden.npz"), x=work.x[:3], y=work.y[:3])
    done = CliRunner().invoke(app, ["bench", "device", "--models", str(model.parent), "--json"])
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.output)["models"]
    assert told["model"] == "model" and told["windows"] == 3 and told["mismatched_bytes"] == 0
    for key in ("instructions_per_window", "engine_code_bytes", "model_bytes", "ram_bytes"):
        assert told[key] > 0
    np.savez(model.with_name("model_golden.npz"), x=work.x[:3], y=work.y[:3] ^ 1)
    done = CliRunner().invoke(app, ["bench", "device", "--models", str(model)])
    assert done.exit_code == 1


def test_a_table_has_tflm_beneath_where_it_is_known() -> None:
    theirs = device_table.TflmCost("ds_cnn", 1_029_202, 44_693, 29_960, 8_068, 804)
    ours, tflm, share = device_table.rows([(COST, theirs)])
    assert ours == ("ds_cnn", "352,800", "7,996", "15,616", "3,248", "292", "0")
    assert tflm[1] == "1,029,202" and share[1] == "0.34"
    assert len(device_table.rows([(COST, None)])) == 1
    assert device_table.layer_rows(COST)[3] == ("all CONV_2D", "", "400", "80.0 %")


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (np.zeros((2, 1, 3, 2), np.int8), np.zeros((2, 3), np.int8), "expected int8 windows"),
        (np.zeros((2, 1, 3, 2), np.float32), np.zeros((2, 3), np.int8), "float32"),
        (None, np.zeros((2, 3), np.int8), "no golden vectors"),
    ],
)
def test_golden_vectors_that_do_not_fit_are_told(
    model: Path, x: np.ndarray | None, y: np.ndarray, told: str
) -> None:
    arrays = {"y": y} if x is None else {"x": x, "y": y}
    np.savez(model.with_name("model_golden.npz"), **arrays)
    with pytest.raises(DataError, match=told):
        workload.find([model])


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.tflite file"):
        workload.find([tmp_path])
    (tmp_path / "noise.tflite").write_bytes(b"noise" * 40)
    with pytest.raises(ModelError, match=r"noise\.tflite"):
        workload.find([tmp_path])


def test_missing_programs_are_told_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ToolError, match="gcc-arm-none-eabi"), cortex_m4.device():
        pass
