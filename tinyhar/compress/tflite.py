"""Keras to full-int8 .tflite: int8 in and out, one window at a time, the band's operators."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tinyhar.compress.facts import check_deployable
from tinyhar.compress.quantise import is_quantised
from tinyhar.errors import ModelError
from tinyhar.terminal import native_output_held_back


def to_tflite(
    model: keras.Model,
    *,
    calibration: np.ndarray | None = None,
    clip: float | None = None,
    isolated: bool = True,
) -> bytes:
    """The model as a .tflite whose every tensor is an integer.

    A model from `quantise_aware` carries its ranges; any other is quantised after training
    (PTQ) with ranges from `calibration`.

    Args:
        model: one input [1, time, channel], one output [classes].
        calibration: training windows [n, 1, time, channel], normalised; for PTQ only.
        clip: windows are clipped to +-clip before calibration, which sets the input's range.
        isolated: convert in a process of its own: the converter leaks, and may abort.

    Raises:
        ModelError: PTQ without calibration, a failed conversion, or a result that is not int8
            throughout or has an operator that the band has not.
    """
    if is_quantised(model):
        calibration = None
    elif calibration is None:
        raise ModelError(
            f"model {model.name!r} is not quantisation-aware: give calibration windows"
        )
    else:
        calibration = _calibration(calibration, clip)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder)
        with native_output_held_back():
            _save(model, saved / "model")
            if calibration is not None:
                np.save(saved / "calibration.npy", calibration)
            tflite = _convert_isolated(saved) if isolated else _convert_here(saved)
    check_deployable(tflite)
    return tflite


def convert_saved(folder: Path) -> bytes:
    """Converts folder/model, with folder/calibration.npy where that exists."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "model"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    file = folder / "calibration.npy"
    if file.exists():
        windows = np.load(file)

        def representative() -> Iterator[list[np.ndarray]]:
            for window in windows:
                yield [window[None]]

        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def _calibration(windows: np.ndarray, clip: float | None, most: int = 512) -> np.ndarray:
    chosen = windows[:: max(1, len(windows) // most)].astype(np.float32)
    if clip is None:
        return chosen
    chosen = np.clip(chosen, -clip, clip)
    # The range is what calibration sees: show it both ends.
    chosen[0].flat[0], chosen[0].flat[1] = -clip, clip
    return chosen


def _save(model: keras.Model, path: Path) -> None:
    """A SavedModel with one signature for one window: the batch must be a constant 1."""
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="window")
    run = tf.function(lambda window: model(window, training=False), input_signature=[signature])
    module = tf.Module()
    module.model, module.run = model, run
    tf.saved_model.save(module, str(path), signatures=run.get_concrete_function())


def _convert_here(folder: Path) -> bytes:
    try:
        return convert_saved(folder)
    except Exception as error:  # the converter has no family of errors of its own
        first = (str(error).strip().splitlines() or ["no message"])[0]
        kind = type(error).__name__
        raise ModelError(f"conversion to .tflite failed ({kind}): {first}") from error


def _convert_isolated(folder: Path) -> bytes:
    code = (
        "import sys; from pathlib import Path; from tinyhar.compress.tflite import convert_saved; "
        "folder = Path(sys.argv[1]); (folder / 'model.tflite').write_bytes(convert_saved(folder))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"conversion to .tflite failed (status {done.returncode}): {last}")
    return (folder / "model.tflite").read_bytes()
