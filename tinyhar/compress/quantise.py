"""int8 by quantisation-aware training with tfmot: a float Keras model in, a model to fine-tune out.

tfmot folds conv, batch norm and ReLU into one operator and pretends int8 in every forward pass.
Three of its defaults are set right here. Activation ranges start from what the float model really
puts out (tfmot's start, +-6, would take thousands of steps to leave); the input's range is the clip
that training used; and pooling, which keeps its input's scale in TensorFlow Lite, gets no range of
its own (it would cost a QUANTIZE operator).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from tinyhar.compress.calibrate import activation_ranges
from tinyhar.errors import ModelError
from tinyhar.models.blocks import HardSwish

_tfmot = tfmot.quantization.keras
_SAME_SCALE = (
    keras.layers.AveragePooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.Flatten,
    keras.layers.Dropout,
)
"""Layers whose int8 output has the scale of their input."""
_OWN_SCALE = (keras.layers.Multiply, HardSwish)
"""Layers that tfmot does not know, and that have an output range of their own."""


class SameScale(tfmot.quantization.keras.QuantizeConfig):
    """tfmot's description of a layer that is quantised by being left alone."""

    def get_weights_and_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """None."""
        return []

    def get_activations_and_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """None."""
        return []

    def set_quantize_weights(self, layer: keras.layers.Layer, quantize_weights: list[Any]) -> None:
        """Nothing to set."""
        del layer, quantize_weights  # (autograph cannot read a body that is only a docstring)

    def set_quantize_activations(
        self, layer: keras.layers.Layer, quantize_activations: list[Any]
    ) -> None:
        """Nothing to set."""
        del layer, quantize_activations

    def get_output_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """None."""
        return []

    def get_config(self) -> dict[str, Any]:
        """No options."""
        return {}


class OutputRange(SameScale):
    """tfmot's description of a layer that has an int8 output of its own, and nothing else."""

    def get_output_quantizers(self, layer: keras.layers.Layer) -> list[Any]:
        """One range for the whole output, as tfmot gives an addition's."""
        quantizer = _tfmot.quantizers.MovingAverageQuantizer(
            num_bits=8, per_axis=False, symmetric=False, narrow_range=False
        )
        return [quantizer]


def quantise_aware(model: keras.Model, calibration: np.ndarray, *, clip: float) -> keras.Model:
    """A copy of `model` that computes as int8 would; fine-tune it, then `to_tflite`.

    Args:
        model: of layers that tfmot can quantise, ending at logits.
        calibration: training windows [n, 1, time, channel], normalised.
        clip: the input's range is +-clip (see `input_clip`).

    Raises:
        ModelError: a layer that cannot be quantised, named.
    """
    try:
        with _tfmot.quantize_scope({"SameScale": SameScale, "OutputRange": OutputRange}):
            annotated = keras.models.clone_model(model, clone_function=_annotated)
            annotated.set_weights(model.get_weights())
            quantised = _tfmot.quantize_apply(annotated)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"model {model.name!r} cannot be quantised in training: {error}; "
            'quantise after training (recipe: quantisation.method = "ptq")'
        ) from error
    ranges = activation_ranges(model, np.clip(calibration, -clip, clip))
    _set_ranges(quantised, ranges, clip)
    return quantised


def is_quantised(model: keras.Model) -> bool:
    """Whether tfmot's quantisation wrappers are in the model."""
    return any(type(layer).__name__.startswith("Quantize") for layer in model.layers)


def _annotated(layer: keras.layers.Layer) -> keras.layers.Layer:
    copy = type(layer).from_config(layer.get_config())
    if isinstance(layer, keras.layers.InputLayer):
        return copy
    if isinstance(layer, _SAME_SCALE):
        return _tfmot.quantize_annotate_layer(copy, SameScale())
    if isinstance(layer, _OWN_SCALE):
        return _tfmot.quantize_annotate_layer(copy, OutputRange())
    return _tfmot.quantize_annotate_layer(copy)


def _set_ranges(model: keras.Model, ranges: dict[str, tuple[float, float]], clip: float) -> None:
    """Fills tfmot's range variables, all of which start at +-6."""
    for layer in model.layers:
        inner = getattr(layer, "layer", None)  # None: the layer that quantises the input
        low, high = (-clip, clip) if inner is None else ranges.get(inner.name, (0.0, 0.0))
        variables = {v.name.split("/")[-1].split(":")[0]: v for v in layer.weights}
        for name, variable in variables.items():
            if not name.endswith(("_min", "_max")):
                continue
            sign = 1.0 if name.endswith("_max") else -1.0
            kernel = variables.get(name[:-4])
            if kernel is not None:
                axes = tuple(range(len(kernel.shape) - len(variable.shape)))
                variable.assign(sign * np.abs(kernel.numpy()).max(axis=axes))
            elif high > low:
                variable.assign(max(high, 0.0) if sign > 0 else min(low, 0.0))
