"""An exported folder: its sources compile, and its example runs the golden vectors."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tinyhar.convert import c_arrays, integer
from tinyhar.convert.bundle import Bundle, unpack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.export import export
from tinyhar.convert.graph import read_graph
from tinyhar.convert.tflite_maker import INT32, Maker
from tinyhar.counts import CountMap
from tinyhar.errors import DataError, ModelError

pytest.importorskip("tflite_micro")

STUB = Path(__file__).parent / "tflm_stub"
CHANNELS = ("wrist_acc_x", "wrist_acc_y", "wrist_acc_z")
CLASSES = ("still", 'the "other"', "naïve?")


def classifier() -> bytes:
    """Twelve samples of three channels to three logits: convolution, pool, dense."""
    rng = np.random.default_rng(5)
    m = Maker()
    x = m.tensor((1, 1, 12, 3), 0.05, -3)
    weights = rng.integers(-127, 128, (4, 1, 3, 3)).astype(np.int8)
    w = m.tensor(weights.shape, np.full(4, 0.01), data=weights)
    bias = m.tensor((4,), np.full(4, 0.0005), data=np.arange(4, dtype=np.int32) * 90, kind=INT32)
    y = m.tensor((1, 1, 12, 4), 0.06, -128)
    conv = schema.Conv2DOptionsT()
    conv.padding, conv.strideH, conv.strideW, conv.fusedActivationFunction = 0, 1, 1, 1
    m.operator("CONV_2D", [x, w, bias], y, conv)
    z = m.tensor((1, 1, 1, 4), 0.06, -128)
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.strideH, pool.strideW, pool.filterHeight, pool.filterWidth = 1, 1, 12, 1, 12
    m.operator("AVERAGE_POOL_2D", [y], z, pool)
    head = rng.integers(-127, 128, (3, 4)).astype(np.int8)
    h = m.tensor(head.shape, 0.01, data=head)
    b = m.tensor((3,), 0.0006, data=np.zeros(3, np.int32), kind=INT32)
    logits = m.tensor((1, 3), 0.03, 4)
    m.operator("FULLY_CONNECTED", [z, h, b], logits, schema.FullyConnectedOptionsT(), 4)
    return m.finish(x, logits)


def bundle_of(tflite: bytes, engine: str = "compiled") -> Bundle:
    counts = np.random.default_rng(1).integers(-30000, 30000, (5, 12, 3)).astype(np.int16)
    maps = CountMap(
        np.array([33, -70, 12], np.int16),
        np.array([13, 13, 12], np.uint8),
        np.array([4096, -20000, 100], np.int32),
    )
    graph = read_graph(tflite)
    compiled = compile_model(tflite)
    logits = integer.run(graph, maps.apply(counts)[:, None])
    return Bundle(
        classes=CLASSES,
        channels=CHANNELS,
        units=("m/s^2",) * 3,
        window=12,
        stride=6,
        rate=25.0,
        lsb=np.full(3, 0.0024),
        count_map=maps,
        engine=engine,
        model=compiled.payload if engine == "compiled" else tflite,
        arena_bytes=compiled.arena_bytes,
        output_scale=graph.tensors[graph.output].scale,
        output_zero_point=graph.tensors[graph.output].zero_point,
        golden_counts=counts,
        golden_logits=logits,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export")
    tflite = classifier()
    written = export(out, tflite, bundle_of(tflite))
    assert all(path.is_file() for path in written)
    return out


def compile_with(compiler: str, folder: Path, *arguments: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    done = subprocess.run(
        [compiler, "-Wall", "-Wextra", "-Werror", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_compiled_example_gives_the_golden_bytes(folder: Path, tmp_path: Path) -> None:
    sources = ["example_compiled.c", "compiled_model.c", "model_settings.c", "golden_vectors.c"]
    sources += [str(path) for path in sorted((folder / "compiled").glob("*.c"))]
    example = tmp_path / "example"
    compile_with("cc", folder, "-std=c11", "-O1", "-Icompiled", "-o", str(example), *sources)
    done = subprocess.run([str(example)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "5 windows, 0 differences" in done.stdout
    assert any(name in done.stdout for name in CLASSES)


def test_the_compiled_example_notices_a_wrong_byte(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    tflite = classifier()
    bundle = bundle_of(tflite)
    logits = bundle.golden_logits.copy()
    logits[2, 1] ^= 1
    inputs = bundle.count_map.apply(bundle.golden_counts)
    for name, text in c_arrays.golden_vectors(bundle.golden_counts, inputs, logits).items():
        (broken / name).write_text(text)
    sources = ["example_compiled.c", "compiled_model.c", "model_settings.c", "golden_vectors.c"]
    sources += [str(path) for path in sorted((broken / "compiled").glob("*.c"))]
    compile_with("cc", broken, "-std=c11", "-O1", "-Icompiled", "-o", "example", *sources)
    done = subprocess.run([str(broken / "example")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "5 windows, 1 differences" in done.stdout


def test_the_tflm_sources_are_sound_cpp(folder: Path) -> None:
    compile_with(
        "c++", folder, "-std=c++17", "-fsyntax-only", f"-I{STUB}", "-I.", "example_tflm.cc",
        "model_data.cc",
    )  # fmt: skip


def test_the_engine_has_the_kernels_of_this_model_alone(folder: Path) -> None:
    kernels = compile_model((folder / "model.tflite").read_bytes()).kernels
    header = (folder / "compiled/kernels.h").read_text()
    assert f"#define THAR_KERNELS {kernels:#x}u" in header


def test_the_model_array_is_the_model(folder: Path) -> None:
    text = (folder / "model_data.cc").read_text()
    values = text.split("{", 1)[1].split("}", 1)[0].split(",")
    assert bytes(int(v) for v in values) == classifier() == (folder / "model.tflite").read_bytes()
    assert "alignas(16)" in text
    assert f"g_model_data_len = {len(classifier())};" in text


def test_the_resolver_has_just_the_operators_used(folder: Path) -> None:
    text = (folder / "model_ops.h").read_text()
    assert "MicroMutableOpResolver<3>" in text
    for adder in ("AddConv2D", "AddAveragePool2D", "AddFullyConnected"):
        assert adder in text
    assert text.count("resolver.Add") == 3


def test_the_readme_tells_sizes_and_channels(folder: Path) -> None:
    text = (folder / "README.txt").read_text()
    for word in (*CHANNELS, "25 Hz", "m/s^2", f"{len(compile_model(classifier()).payload)} bytes"):
        assert word in text


def test_the_bundle_is_written_too(folder: Path) -> None:
    assert unpack((folder / "model.thb").read_bytes()) == bundle_of(classifier())


def test_a_bundle_of_another_model_is_refused(tmp_path: Path) -> None:
    tflite = classifier()
    with pytest.raises(ModelError, match="made from another model"):
        export(tmp_path, tflite + b"\0", bundle_of(tflite, "tflm"))


def test_text_survives_as_a_c_string() -> None:
    assert c_arrays.c_string('a"b\\c') == '"a\\"b\\\\c"'
    assert c_arrays.c_string("é") == '"\\303\\251"'


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tflite = classifier()
    (tmp_path / "file").write_text("")
    (tmp_path / "full" / "README.txt").mkdir(parents=True)
    for out, named in (("file", "file"), ("file/sub", "file/sub"), ("full", "full/README.txt")):
        with pytest.raises(DataError, match=rf"{tmp_path / named}: cannot be written .*--out"):
            export(tmp_path / out, tflite, bundle_of(tflite))


def test_without_tflm_the_arena_is_estimated_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tflite = classifier()
    export(tmp_path / "measured", tflite, bundle_of(tflite))
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    export(tmp_path / "estimated", tflite, bundle_of(tflite))
    found = {}
    for how in ("measured", "estimated"):
        header = (tmp_path / how / "model_settings.h").read_text()
        assert f"arena, {how}" in header
        assert f"bytes ({how}" in (tmp_path / how / "README.txt").read_text()
        found[how] = int(re.search(r"TFLM_ARENA_BYTES (\d+)", header)[1])  # type: ignore[index]
    assert found["measured"] <= found["estimated"]
