"""An image may hold just the kernels of one model: it runs that one, and refuses others."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.convert.test_export import bundle_of, classifier
from tests.convert.test_moving import gated
from tests.convert.test_tables import chain
from tests.convert.tiny_models import clustered_layer, random_windows
from tests.firmware import engine_build
from tinyhar.convert import integer
from tinyhar.convert.bundle import pack
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.graph import read_graph

CLUSTERED = clustered_layer()
GATED, CURVED = gated((1, 1, 20, 6), (1, 1, 1, 6)), chain(["P", "H", "P"])
UNSUPPORTED = "init: 4"


def only(tflite: bytes) -> str:
    return f"-DTHAR_KERNELS={compile_model(tflite).kernels:#x}u"


@pytest.mark.parametrize("tflite", [GATED, CURVED, CLUSTERED], ids=["gated", "curved", "clustered"])
def test_the_kernels_of_a_model_are_enough_for_it(tflite: bytes) -> None:
    graph = read_graph(tflite)
    x = random_windows(3, graph.tensors[graph.input].shape[1:])
    outputs, _ = engine_build.run(compile_model(tflite).payload, x, only(tflite))
    assert np.array_equal(outputs, integer.run(graph, x).reshape(len(x), -1))


@pytest.mark.parametrize(
    ("tflite", "other"),
    [(GATED, CURVED), (CURVED, GATED), (CLUSTERED, GATED)],
    ids=["gated", "curved", "clustered"],
)
def test_a_model_that_needs_another_kernel_is_refused(
    tmp_path: Path, tflite: bytes, other: bytes
) -> None:
    engine = engine_build.build("engine_run.c", "-O1", *engine_build.SANITIZERS, only(other))
    (tmp_path / "model").write_bytes(compile_model(tflite).payload)
    (tmp_path / "x").write_bytes(b"")
    files = [str(tmp_path / part) for part in ("model", "x", "y")]
    done = subprocess.run([str(engine), *files], capture_output=True, text=True, check=False)
    assert done.stderr.partition("\n")[0] == UNSUPPORTED


@pytest.mark.parametrize("name", ["tiny_dscnn", "band_cnn", "inverted_residual"])
def test_the_firmwares_build_finds_a_bundles_kernels(
    reference_models: Path, tmp_path: Path, name: str
) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake")
    tflite = (reference_models / f"{name}.tflite").read_bytes()
    model = compile_model(tflite)
    (tmp_path / "model.thb").write_bytes(
        pack(replace(bundle_of(classifier()), model=model.payload))
    )
    cmake = engine_build.FIRMWARE / "cmake/bundle.cmake"
    kernels = engine_build.FIRMWARE / "engine/compiled/kernels.cmake"
    script = tmp_path / "script.cmake"
    script.write_text(
        f'include("{cmake}")\ninclude("{kernels}")\n'
        f'thar_bundle_kernels("{tmp_path / "model.thb"}" found)\nmessage("${{found}}")\n'
    )
    done = subprocess.run(["cmake", "-P", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stderr) == model.kernels
