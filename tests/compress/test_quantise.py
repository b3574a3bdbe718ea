"""int8: nothing stays float, the range is the training's, and the answers hardly change."""

import os
from pathlib import Path

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.compress import (
    check_deployable,
    input_clip,
    inspect,
    is_quantised,
    quantise_aware,
    to_tflite,
)
from tinyhar.compress import tflite as conversion
from tinyhar.distill import Examples, FitConfig, fit, logits
from tinyhar.errors import ModelError
from tinyhar.models import build

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(128, 1, 32, 4)).astype(np.float32)
Y = (X[:, 0, :, 0].mean(axis=1) > 0).astype(np.int64)
X[Y == 1, :, :, 1] += 1.5
CLIP = 3.0


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    model = build("separable", 32, 4, 2, seed=0, widths=(8, 8, 12), depth=1, kernel=3)
    config = FitConfig(epochs=6, batch=16, rate=5e-3)
    fit(model, Examples(X, Y), Examples(X, Y), config, clip=CLIP)
    return model


@pytest.fixture(scope="module")
def aware(trained: keras.Model) -> keras.Model:
    return quantise_aware(trained, X, clip=CLIP)


@pytest.fixture(scope="module")
def tflite(aware: keras.Model) -> bytes:
    return to_tflite(aware, isolated=False)


def run(tflite: bytes, x: np.ndarray) -> np.ndarray:
    """The .tflite's logits, dequantised."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    facts = inspect(tflite)
    interpreter = Interpreter(
        model_content=tflite, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    sink = interpreter.get_output_details()[0]["index"]
    q = np.clip(np.round(x / facts.input_scale) + facts.input_zero_point, -128, 127)
    out = []
    for window in q.astype(np.int8):
        interpreter.set_tensor(source, window[None])
        interpreter.invoke()
        out.append(interpreter.get_tensor(sink)[0])
    return (np.array(out, np.float32) - facts.output_zero_point) * facts.output_scale


def test_calibrated_ranges_start_where_the_float_model_is(
    trained: keras.Model, aware: keras.Model
) -> None:
    exact, as_int8 = logits(trained, X, clip=CLIP), logits(aware, X, clip=CLIP)
    assert np.abs(as_int8 - exact).mean() < 0.05 * np.abs(exact).max()
    assert is_quantised(aware) and not is_quantised(trained)


def test_no_range_is_left_at_tfmots_start(aware: keras.Model) -> None:
    for weight in aware.weights:
        name = weight.name.split("/")[-1]
        if name.startswith("quantize_layer") or not name.split(":")[0].endswith(("_min", "_max")):
            continue
        assert not np.any(np.abs(weight.numpy()) == 6.0), weight.name


def test_every_tensor_is_an_integer_and_every_operator_the_bands(tflite: bytes) -> None:
    facts = check_deployable(tflite)
    assert set(facts.operators) == {
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "AVERAGE_POOL_2D",
        "FULLY_CONNECTED",
    }
    assert facts.others == ()
    assert facts.input_shape == (1, 1, 32, 4)
    assert facts.input_scale == pytest.approx(2 * CLIP / 255, rel=0.01)
    assert facts.size == len(tflite)


def test_the_file_computes_what_training_saw(aware: keras.Model, tflite: bytes) -> None:
    seen = logits(aware, X, clip=CLIP)
    steps = np.abs(run(tflite, np.clip(X, -CLIP, CLIP)) - seen) / inspect(tflite).output_scale
    assert np.median(steps) <= 1.0
    assert steps.max() <= 6.0


def test_calibration_after_training_in_a_process_of_its_own(trained: keras.Model) -> None:
    tflite = to_tflite(trained, calibration=X, clip=CLIP)
    facts = inspect(tflite)
    assert facts.others == ()
    assert facts.input_scale == pytest.approx(2 * CLIP / 255, rel=0.01)
    exact = logits(trained, X, clip=CLIP)
    got = run(tflite, np.clip(X, -CLIP, CLIP))
    assert (got.argmax(axis=1) == exact.argmax(axis=1)).mean() > 0.95


def test_training_goes_on_when_quantised(trained: keras.Model) -> None:
    model = quantise_aware(trained, X, clip=CLIP)
    before = model.get_layer("quant_stem_conv").get_weights()[0].copy()
    config = FitConfig(epochs=1, batch=32, rate=1e-3)
    fit(model, Examples(X, Y), Examples(X, Y), config, clip=CLIP)
    assert not np.array_equal(before, model.get_layer("quant_stem_conv").get_weights()[0])


def test_the_clip_leaves_out_rare_peaks() -> None:
    x = np.ones(10_000, np.float32)
    x[:2] = 100
    assert input_clip(x) == pytest.approx(1.0)
    assert input_clip(x, share=1.0) == pytest.approx(100.0)


def test_what_cannot_be_trained_in_int8_may_be_calibrated() -> None:
    inputs = keras.Input((1, 8, 4))
    x = keras.layers.Conv2D(4, 1, activation="hard_sigmoid")(inputs)
    gated = keras.Model(inputs, keras.layers.Flatten()(x))
    windows = np.ones((8, 1, 8, 4), np.float32)
    with pytest.raises(ModelError, match=r"cannot be quantised in training.*ptq"):
        quantise_aware(gated, windows, clip=CLIP)
    tflite = to_tflite(gated, calibration=windows, isolated=False)
    assert check_deployable(tflite).operators[1:3] == ("MINIMUM", "RELU")


def test_what_no_band_can_run_is_named(trained: keras.Model) -> None:
    inputs = keras.Input((1, 8, 4))
    x = keras.layers.Activation("elu")(keras.layers.Conv2D(4, 1)(inputs))
    strange = keras.Model(inputs, keras.layers.Flatten()(x))
    with pytest.raises(ModelError, match="ELU"):
        to_tflite(strange, calibration=np.ones((8, 1, 8, 4), np.float32), isolated=False)
    with pytest.raises(ModelError, match="calibration windows"):
        to_tflite(trained)
    with pytest.raises(ModelError, match="TFL3"):
        inspect(b"nothing like a model")


def test_a_failed_conversion_is_one_line_below_the_converters_own_words(
    trained: keras.Model, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(folder: Path) -> bytes:
        os.write(2, b"error: no such thing\n")
        raise RuntimeError("failed\nat length")

    monkeypatch.setattr(conversion, "convert_saved", fails)
    with pytest.raises(ModelError, match=r"conversion .* failed \(RuntimeError\): failed$"):
        to_tflite(trained, calibration=X, isolated=False)
    assert "error: no such thing" in capfd.readouterr().err


def test_a_conversion_that_succeeds_is_silent(
    trained: keras.Model, capfd: pytest.CaptureFixture[str]
) -> None:
    to_tflite(trained, calibration=X[:8], isolated=False)
    assert capfd.readouterr() == ("", "")
