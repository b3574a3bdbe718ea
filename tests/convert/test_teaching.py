"""Teaching in integers: nearest means in the embedding's own variation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.firmware.stub_model import stub_bundle
from tinyhar.convert import integer
from tinyhar.convert.bundle import BundleError
from tinyhar.convert.graph import read_graph
from tinyhar.convert.teaching import Teaching, embedding_of, embeddings, fit_teaching
from tinyhar.errors import ModelError

ZERO = -128


def clusters(seed: int, classes: int, size: int, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings int8 [n, size] of classes that differ, all spread alike along a few directions."""
    random = np.random.default_rng(seed)
    centres = random.integers(-90, 90, (classes, size))
    spread = random.normal(0, 6, (size, size))
    y = np.repeat(np.arange(classes), count)
    x = centres[y] + random.normal(0, 1, (len(y), size)) @ spread
    return np.clip(np.rint(x), -128, 127).astype(np.int8), y


def fitted(seed: int = 1, classes: int = 4, size: int = 12, scale: float = 0.1) -> Teaching:
    x, y = clusters(seed, classes, size)
    return fit_teaching(x, y, classes, zero_point=ZERO, output_scale=scale)


def test_the_nearest_mean_wins_where_a_discriminant_in_floats_says_so() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = clusters(1, 5, 16)
    teaching = fit_teaching(x, y, 5, zero_point=ZERO, output_scale=0.1, shrinkage=0.001)
    said = teaching.logits(x, teaching.means).argmax(axis=1)
    theirs = LinearDiscriminantAnalysis(priors=np.full(5, 0.2)).fit(x, y).predict(x)
    assert (said == theirs).mean() > 0.97
    assert (said == y).mean() > 0.9


@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 20))
def test_the_winner_has_127_and_no_mean_is_nearer_to_another(seed: int, k: int, d: int) -> None:
    random = np.random.default_rng(seed)
    half = random.integers(-9, 9, (d, d))
    precision = np.clip(half @ half.T, -127, 127)
    np.fill_diagonal(precision, 127)
    means = random.integers(-128, 128, (k, d)).astype(np.int8)
    teaching = Teaching(ZERO, 9, 1000, precision.astype(np.int8), means)
    x = random.integers(-128, 128, (7, d)).astype(np.int8)
    logits = teaching.logits(x, means)
    assert (logits.max(axis=1) == 127).all()


def test_a_far_class_is_cut_off_and_a_near_one_is_surer_with_a_finer_scale() -> None:
    x, y = clusters(2, 3, 8)
    coarse = fit_teaching(x, y, 3, zero_point=ZERO, output_scale=0.5)
    fine = fit_teaching(x, y, 3, zero_point=ZERO, output_scale=0.01)
    a, b = coarse.logits(x, coarse.means), fine.logits(x, fine.means)
    assert (a.argmax(axis=1) == b.argmax(axis=1)).mean() > 0.99
    assert b.min() == -128
    assert a.astype(int).mean() > b.astype(int).mean()


@given(
    arrays.arrays(np.int8, st.tuples(st.integers(1, 30), st.integers(1, 8))),
    st.integers(1, 200),
    st.data(),
)
def test_a_mean_is_the_mean_and_known_counts_as_one_window(
    shown: np.ndarray, window: int, data: st.DataObject
) -> None:
    n, d = shown.shape
    known = data.draw(arrays.arrays(np.int8, d))
    samples = window + (n - 1) * max(1, window // 10)
    teaching = replace(
        fitted(), means=np.zeros((1, d), np.int8), precision=np.eye(d, dtype=np.int8)
    )
    own = shown.astype(float).mean(axis=0)
    assert np.abs(teaching.mean(shown, samples, window, None) - own).max() <= 0.5
    both = (samples * own + window * known.astype(float)) / (samples + window)
    assert np.abs(teaching.mean(shown, samples, window, known) - both).max() <= 0.5 + 1e-9


def test_bad_parts_are_named() -> None:
    good = fitted()
    lopsided = good.precision.copy()
    lopsided[0, 1] += 1
    for field, changed in (
        ("precision", {"precision": lopsided}),
        ("teaching", {"shift": 0}),
        ("teaching", {"shift": 63}),
        ("multiplier", {"multiplier": 1 << 16}),
        ("embedding", {"means": np.zeros((2, 257), np.int8)}),
        ("zero_point", {"zero_point": 128}),
    ):
        with pytest.raises(BundleError) as caught:
            replace(good, **changed)
        assert caught.value.field == field
    with pytest.raises(BundleError, match="means of 3 classes, not 4"):
        stub_bundle(teaching=fitted(classes=3))
    with pytest.raises(ModelError, match="class 2 has no window"):
        fit_teaching(np.zeros((2, 3), np.int8), np.array([0, 1]), 3, zero_point=0, output_scale=0.1)


def test_a_real_models_embedding_is_what_its_last_layer_reads(reference_models: Path) -> None:
    graph = read_graph((reference_models / "ds_cnn.tflite").read_bytes())
    tensor = embedding_of(graph)
    assert tensor is not None
    shape = graph.tensors[graph.input].shape[1:]
    x = np.random.default_rng(0).integers(-128, 128, (300, *shape)).astype(np.int8)
    found = embeddings(graph, x, tensor)
    assert found.shape == (300, graph.tensors[tensor].size)
    one = integer.layers(graph, x[299:])[tensor].reshape(-1)
    np.testing.assert_array_equal(found[299], one)
