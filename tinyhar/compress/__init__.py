"""Compression: prune, cluster, quantise. A Keras model goes in, a smaller one or a .tflite out."""

from __future__ import annotations

from tinyhar.compress.calibrate import input_clip
from tinyhar.compress.cluster import cluster, clusterable, strip
from tinyhar.compress.facts import TfliteFacts, check_deployable, inspect
from tinyhar.compress.magnitude import SparseModel, sparsify
from tinyhar.compress.quantise import is_quantised, quantise_aware
from tinyhar.compress.sensitivity import prune_least_sensitive
from tinyhar.compress.structured import channels_of, prune_channels, prune_until
from tinyhar.compress.tflite import to_tflite

__all__ = [
    "SparseModel",
    "TfliteFacts",
    "channels_of",
    "check_deployable",
    "cluster",
    "clusterable",
    "input_clip",
    "inspect",
    "is_quantised",
    "prune_channels",
    "prune_least_sensitive",
    "prune_until",
    "quantise_aware",
    "sparsify",
    "strip",
    "to_tflite",
]
