from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tinyhar.evaluate.cost import (
    float_bytes,
    graph_macs,
    graph_parameters,
    gzip_bytes,
)


@pytest.mark.parametrize(
    ("model", "parameters", "macs"),
    [
        ("tiny_dscnn", 1_094, 28_304),
        ("ds_cnn", 12_110, 271_232),
        ("band_cnn", 24_854, 405_696),
        ("inverted_residual", 22_566, 597_248),
    ],
)
def test_cost_of_the_reference_models(
    reference_models: Path, model: str, parameters: int, macs: int
) -> None:
    # Parameters are those after folding: batch norms had four a channel, biases have one.
    from tinyhar.convert.graph import read_graph

    graph = read_graph(next(reference_models.rglob(f"{model}*.tflite")).read_bytes())
    assert graph_macs(graph) == macs
    assert graph_parameters(graph) == parameters


def test_transfer_size_does_not_depend_on_the_clock() -> None:
    data = bytes(range(256)) * 40
    assert gzip_bytes(data) == len(gzip.compress(data, 9, mtime=1)) < len(data)
    assert float_bytes(1_000) == 4_000
