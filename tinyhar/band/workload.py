"""Models to measure, each with windows and the answers that are right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.band.desk import INT8
from tinyhar.convert import integer
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.errors import DataError, ModelError
from tinyhar.npz import UNREADABLE

WINDOWS: Final = 20
"""At most so many are run: each costs the same instructions but for clamped values."""


@dataclass(frozen=True)
class Workload:
    """A .tflite model with int8 windows x [n, 1, time, channel] and logits y [n, classes]."""

    name: str
    tflite: bytes
    x: NDArray[np.int8]
    y: NDArray[np.int8]
    golden: str
    """Where the answers are from."""
    hop: int = 0
    """Samples from one window's start to the next one's; 0: they are apart."""
    extra_ram: int = 0
    """Bytes that the engine may take to keep what overlapping windows share."""


def find(paths: Iterable[Path]) -> list[Workload]:
    """Models given as files, as folders of .tflite files, or as run folders.

    ``NAME_golden.npz`` beside ``NAME.tflite`` (windows ``x``, logits ``y``) holds the right
    answers; without it random windows are answered by the desk's reference arithmetic.

    Raises:
        DataError: nothing there, or golden vectors that do not fit.
        ModelError: a model that is damaged or that the engine cannot run.
    """
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise DataError("no models: name .tflite files, a folder of them, or a run folder")
    return [_load(file) for file in files]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if (path / INT8).is_file():
        return [path / INT8]
    found = sorted(path.glob("*.tflite"))
    if not found:
        raise DataError(f"{path}: no .tflite file and no finished run there")
    return found


def _load(file: Path) -> Workload:
    try:
        tflite = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from error
    name = file.parent.parent.name if file.match(INT8) else file.stem
    golden = file.with_name(f"{file.stem}_golden.npz")
    try:
        if golden.is_file():
            return Workload(name, tflite, *_golden(golden, _shape(read_graph(tflite))), "TFLM")
        return with_random_windows(name, tflite)
    except ModelError as error:
        raise ModelError(f"{file}: {error}") from error


def with_random_windows(name: str, tflite: bytes) -> Workload:
    """A model with windows that reach every value, answered by the desk's reference arithmetic."""
    graph = read_graph(tflite)
    size = (WINDOWS, *_shape(graph))
    x = np.random.default_rng(0).integers(-128, 128, size).astype(np.int8)
    return Workload(name, tflite, x, integer.run(graph, x), "desk, random windows")


def overlapping(one: Workload, hop: int, extra_ram: int) -> Workload:
    """The same model on windows of one random signal, each `hop` samples after the one before.

    Raises:
        DataError: a hop that is no part of a window.
    """
    graph = read_graph(one.tflite)
    height, window, channels = _shape(graph)
    if not 0 < hop < window or height != 1:
        raise DataError(
            f"{one.name}: windows of {window} samples that start every {hop} do not overlap: take "
            f"a hop (--hop) of 1 to {window - 1}"
        )
    size = (window + (WINDOWS - 1) * hop, channels)
    signal = np.random.default_rng(0).integers(-128, 128, size).astype(np.int8)
    x = np.stack([signal[i * hop : i * hop + window] for i in range(WINDOWS)])[:, np.newaxis]
    title = f"{one.name}, every {hop} samples"
    y = integer.run(graph, x)
    return Workload(title, one.tflite, x, y, "desk, random windows", hop, extra_ram)


def _shape(graph: Graph) -> tuple[int, ...]:
    return graph.tensors[graph.input].shape[1:]


def _golden(file: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    try:
        with np.load(file) as saved:
            x, y = saved["x"][:WINDOWS], saved["y"][:WINDOWS]
    except UNREADABLE as error:
        raise DataError(f"{file}: no golden vectors x and y ({error})") from error
    if x.dtype != np.int8 or y.dtype != np.int8 or x.shape[1:] != shape or len(x) != len(y):
        raise DataError(
            f"{file}: x {x.dtype}{list(x.shape)} and y {y.dtype}{list(y.shape)}: expected int8 "
            f"windows [n, {', '.join(map(str, shape))}] and as many int8 logits"
        )
    return x, y
