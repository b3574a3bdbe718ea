"""A run's folder as `tinyhar run` leaves it, made of a reference model and noise."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.band.deploy_cases import other_network
from tinyhar.band.build import build_firmware
from tinyhar.band.deploy_file import BundleFile
from tinyhar.band.emulate import IMAGES, QEMU, Emulated, start
from tinyhar.convert import integer
from tinyhar.convert.bundle import Bundle, pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph
from tinyhar.convert.teaching import embedding_of, embeddings, fit_teaching
from tinyhar.counts import CountMap
from tinyhar.errors import ToolError

WINDOW, CHANNELS, CLASSES = 128, 6, 6
NAMES = ("walking", "upstairs", "downstairs", "sitting", "standing", "lying")
CHANNEL_NAMES = tuple(f"waist_{kind}_{axis}" for kind in ("acc", "gyro") for axis in "xyz")


@pytest.fixture(scope="session")
def bare_run(reference_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle, model and validation windows; no firmware."""
    run = tmp_path_factory.mktemp("run")
    tflite = (reference_models / "ds_cnn.tflite").read_bytes()
    count_map = CountMap(
        np.full(CHANNELS, 16000, np.int16),
        np.full(CHANNELS, 21, np.uint8),
        np.arange(CHANNELS, dtype=np.int32) << 18,
    )
    random = np.random.default_rng(3)
    steps = random.normal(0, 900, (600, WINDOW, CHANNELS)).cumsum(axis=1)
    counts = np.clip(steps, -(2**15), 2**15 - 1).astype(np.int16)
    labels = random.integers(0, CLASSES, len(counts))
    graph = read_graph(tflite)
    inputs = count_map.apply(counts)[:, np.newaxis]
    logits = integer.run(graph, inputs)
    tensor = embedding_of(graph)
    assert tensor is not None
    compiled = compile_model(tflite)
    bundle = Bundle(
        classes=NAMES,
        channels=CHANNEL_NAMES,
        units=("m/s^2",) * 3 + ("rad/s",) * 3,
        window=WINDOW,
        stride=64,
        rate=50.0,
        lsb=np.array([0.0024] * 3 + [0.00107] * 3),
        count_map=count_map,
        engine="compiled",
        model=compiled.payload,
        arena_bytes=compiled.arena_bytes,
        output_scale=0.1,
        output_zero_point=0,
        golden_counts=counts[:4],
        golden_logits=logits[:4],
        teaching=fit_teaching(
            embeddings(graph, inputs, tensor),
            labels,
            CLASSES,
            zero_point=graph.tensors[tensor].zero_point,
            output_scale=0.1,
        ),
    )
    (run / "int8").mkdir()
    (run / "int8" / "model.tflite").write_bytes(tflite)
    (run / "bundle.thb").write_bytes(pack(bundle))
    np.savez(
        run / "validation.npz",
        counts=counts,
        logits=logits,
        labels=labels,
        subject=np.array([f"s{i // 200}" for i in range(len(counts))]),
    )
    return run


@pytest.fixture(scope="session")
def run(bare_run: Path) -> Path:
    """The same with the host's firmware."""
    return _with_firmware(bare_run, "host")


@pytest.fixture(scope="session")
def qemu_run(bare_run: Path) -> Path:
    """The same with the emulated Cortex-M4's."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"no {QEMU}: sudo apt install {QEMU}")
    return _with_firmware(bare_run, "mps2_an386")


def _with_firmware(run: Path, board: str) -> Path:
    out = run / "firmware" / board
    try:
        image = build_firmware(run / "bundle.thb", board, out).image
    except ToolError as error:
        pytest.skip(str(error))
    assert image == out / IMAGES[board]
    return run


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Bands of these tests are noted apart from the user's."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture
def deploy_band(run: Path, tmp_path: Path) -> Iterator[Emulated]:
    """The host's band, with a flash file of its own."""
    image = run / "firmware" / "host" / IMAGES["host"]
    with start("host", image, tcp=True, flash=tmp_path / "flash") as band:
        yield band


@pytest.fixture(scope="session")
def other(bare_run: Path, reference_models: Path) -> BundleFile:
    """A bundle with another network than the run's."""
    return other_network(bare_run, reference_models)
