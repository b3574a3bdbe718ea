"""The numpy executor against TensorFlow Lite Micro itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.convert.tiny_models import IMAGE_KINDS, random_model, random_windows
from tinyhar.convert import integer
from tinyhar.convert.graph import read_graph
from tinyhar.convert.reference import TFLM, TflmReference
from tinyhar.errors import ModelError

NAMES = ("tiny_dscnn", "ds_cnn", "band_cnn", "inverted_residual")


def tflm(tflite: bytes) -> TflmReference:
    reference = TflmReference(tflite)
    if reference.backend != TFLM:
        pytest.skip("no tflite-micro package here to compare with")
    return reference


def agree(seed: int, kinds: tuple[str, ...]) -> None:
    tflite = random_model(seed, kinds)
    graph = read_graph(tflite)
    x = random_windows(seed, graph.tensors[graph.input].shape[1:])
    try:
        ours = integer.run(graph, x)
    except ModelError:
        assume(False)
    assert np.array_equal(ours, tflm(tflite).run(x))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_chains_of_any_operators(seed: int) -> None:
    agree(seed, IMAGE_KINDS)


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_each_operator(kind: str) -> None:
    checked = 0
    for seed in range(12):
        try:
            agree(seed, (kind,))
            checked += 1
        except BaseException as error:  # hypothesis signals a rejected model by an exception
            if type(error).__name__ not in ("UnsatisfiedAssumption",):
                raise
    assert checked > 4


@pytest.mark.parametrize("name", NAMES)
def test_golden_vectors(reference_models: Path, name: str) -> None:
    graph = read_graph((reference_models / f"{name}.tflite").read_bytes())
    golden = np.load(reference_models / f"{name}_golden.npz")
    assert np.array_equal(integer.run(graph, golden["x"]), golden["y"])


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_of_the_reference_models(reference_models: Path, name: str) -> None:
    tflite = (reference_models / f"{name}.tflite").read_bytes()
    graph = read_graph(tflite)
    x = random_windows(7, graph.tensors[graph.input].shape[1:], 8)
    ours, theirs = integer.layers(graph, x), tflm(tflite).layers(x)
    assert ours.keys() == theirs.keys()
    for tensor, values in theirs.items():
        assert np.array_equal(ours[tensor], values), graph.tensors[tensor].name


def test_many_windows_at_once_are_each_alone(reference_models: Path) -> None:
    graph = read_graph((reference_models / "tiny_dscnn.tflite").read_bytes())
    x = random_windows(1, graph.tensors[graph.input].shape[1:], 300)
    assert np.array_equal(integer.run(graph, x)[277:279], integer.run(graph, x[277:279]))
    assert integer.run(graph, x[:0]).shape == (0, 6)


def test_windows_that_do_not_fit_are_refused(reference_models: Path) -> None:
    graph = read_graph((reference_models / "tiny_dscnn.tflite").read_bytes())
    with pytest.raises(ModelError, match=r"takes int8\['n', 1, 128, 6\]"):
        integer.run(graph, np.zeros((2, 1, 64, 6), np.int8))
