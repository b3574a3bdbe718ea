"""Compression: prune and quantise. A Keras model goes in, a smaller one or a .tflite comes out."""

from __future__ import annotations

from tinyhar.compress.calibrate import input_clip
from tinyhar.compress.facts import TfliteFacts, check_deployable, inspect
from tinyhar.compress.magnitude import SparseModel, sparsify, sparsity_of
from tinyhar.compress.quantise import is_quantised, quantise_aware
from tinyhar.compress.structured import prune_channels, prune_to
from tinyhar.compress.tflite import to_tflite

__all__ = [
    "SparseModel",
    "TfliteFacts",
    "check_deployable",
    "input_clip",
    "inspect",
    "is_quantised",
    "prune_channels",
    "prune_to",
    "quantise_aware",
    "sparsify",
    "sparsity_of",
    "to_tflite",
]
