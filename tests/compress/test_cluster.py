"""Weight clustering: few values a layer, still few in int8, and half the flash on the band."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras as keras

from tests.compress.test_structured import used
from tinyhar.compress import cluster, clusterable, strip, to_tflite
from tinyhar.compress.cluster import _to_one_size
from tinyhar.convert.compiled import compile_model
from tinyhar.convert.step import CONV_CLUSTERED
from tinyhar.distill import Examples, FitConfig, Memory, Teacher, fit, method
from tinyhar.errors import ModelError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 1, 32, 3)).astype(np.float32)
OPTIONS = {"widths": (16, 48, 48, 48), "depth": 1}


def test_filters_of_one_size_answer_the_same() -> None:
    model = used("separable", **OPTIONS)
    before = model(X).numpy()
    for name in clusterable(model):
        _to_one_size(model.get_layer(name))
        assert np.abs(model.get_layer(name).kernel).max(axis=(0, 1, 2)) == pytest.approx(1)
    assert model(X).numpy() == pytest.approx(before, abs=1e-4)


@pytest.mark.parametrize("values", [2, 16])
def test_a_trained_clustered_model_is_ordinary_and_has_few_values(values: int) -> None:
    model = used("separable", **OPTIONS)
    clustered = cluster(model, values)
    fit(clustered, Examples(X, np.arange(64) % 4), Examples(X, np.arange(64) % 4), FitConfig(2, 16))
    plain = strip(clustered)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in model.layers]
    for name in clusterable(model):
        kernel = plain.get_layer(name).kernel.numpy()
        assert 1 < len(np.unique(kernel)) <= values
        assert not np.array_equal(kernel, model.get_layer(name).kernel)
    assert plain(X).numpy() == pytest.approx(clustered(X).numpy(), abs=1e-4)


@pytest.mark.parametrize("name", ["fitnet", "smldist"])
def test_a_clustered_student_can_be_compared_with_a_teacher_stage_by_stage(name: str) -> None:
    teacher = used("separable", **OPTIONS)
    memory = Memory.untrained(teacher)
    clustered = cluster(used("separable", **OPTIONS), 16)
    data = Examples(X, np.arange(64) % 4)
    guide = Teacher(teacher, memory)
    history = fit(clustered, data, data, FitConfig(1, 32), method=method(name), teacher=guide)
    assert np.isfinite(history.epochs[0].loss)
    assert keras.models.clone_model(strip(clustered)).count_params() == teacher.count_params()


def test_on_the_band_weights_take_four_bits() -> None:
    model = used("separable", **OPTIONS)
    whole, few = (
        compile_model(to_tflite(m, calibration=X, clip=4.0, isolated=False))
        for m in (model, strip(cluster(model, 16)))
    )
    assert few.kernels >> CONV_CLUSTERED & 1
    assert not whole.kernels >> CONV_CLUSTERED & 1
    weights = sum(model.get_layer(name).kernel.numpy().size for name in clusterable(model))
    assert len(few.payload) < len(whole.payload) - 0.25 * weights


def test_the_model_given_stays_as_it_was() -> None:
    model = used("separable", **OPTIONS)
    before = model.get_weights()
    cluster(model, 8)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_what_saves_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="17 values: expected 2 to 16"):
        cluster(used("separable", **OPTIONS), 17)
    with pytest.raises(ModelError, match="no convolution of 512 weights"):
        cluster(used("separable", widths=(8, 8), depth=1), 16)
