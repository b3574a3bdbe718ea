"""What a run left on the desk to compare a band with: windows, logits, and every layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.lessons import Lesson, answers
from tinyhar.band.locate import DeskLayer
from tinyhar.convert.bundle import Bundle, identity, unpack
from tinyhar.convert.graph import Graph, read_graph
from tinyhar.errors import DataError, ModelError
from tinyhar.npz import UNREADABLE

BUNDLE: Final = "bundle.thb"
"""What the band runs, in a run's folder."""

INT8: Final = "int8/model.tflite"
"""What the bundle was made from."""

AGAIN: Final = "`tinyhar run` with the same recipe makes it again"
"""What to do about a file of a run that was damaged."""

VALIDATION: Final = "validation.npz"
"""Counts, labels and subjects of the unseen windows, and the desk's answers."""


@dataclass(frozen=True, eq=False)
class Desk:
    """A run's bundle and the windows of its unseen subjects.

    ``counts`` is int16 [n, time, channel], ``logits`` int8 [n, classes] of the desk's reference,
    ``labels`` int64 [n], ``subjects`` str [n]; ``run`` is the folder that they came from.
    """

    bundle: Bundle
    bundle_id: bytes
    counts: m.Counts
    logits: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.str_]
    run: Path

    @cached_property
    def _graph_and_layers(self) -> tuple[Graph, list[tuple[str, int]]]:
        from tinyhar.convert.compiled import compile_model

        tflite, graph = read_model(self.run)
        steps = compile_model(tflite).layers
        named = [(f"layer {i} {s.operator} {s.name}", s.output_tensor) for i, s in enumerate(steps)]
        return graph, named

    def layers(self, counts: m.Counts) -> list[DeskLayer]:
        """The int8 input and every layer of the compiled model, for counts int16 [time, channel].

        Raises DataError or ModelError when the run has no model to look into.
        """
        from tinyhar.convert import integer

        graph, named = self._graph_and_layers
        x = self.bundle.count_map.apply(counts)[np.newaxis, np.newaxis]
        outputs = integer.layers(graph, x)
        return [DeskLayer("input", x[0, 0])] + [
            DeskLayer(name, outputs[tensor][0]) for name, tensor in named
        ]

    def after(self, lessons: tuple[Lesson, ...]) -> Desk:
        """The same with the answers of a band that was taught this.

        Raises DataError or ModelError when the run has no model to compute them with.
        """
        if not lessons:
            return self
        from tinyhar.convert.teaching import embedding_of, embeddings

        graph, _ = self._graph_and_layers
        tensor, teaching = embedding_of(graph), self.bundle.teaching
        if tensor is None or teaching is None:
            raise DataError(f"{self.run}: its band was taught, which its bundle does not allow")
        x = self.bundle.count_map.apply(self.counts)[:, np.newaxis]
        return replace(self, logits=answers(teaching, lessons, embeddings(graph, x, tensor)))

    def sample(self, limit: int | None) -> Desk:
        """Only so many windows, spread evenly over all of them; None: all."""
        if limit is None or limit >= len(self.counts):
            return self
        chosen = np.linspace(0, len(self.counts) - 1, max(1, limit)).astype(int)
        parts = (self.counts, self.logits, self.labels, self.subjects)
        counts, logits, labels, subjects = (part[chosen] for part in parts)
        return replace(self, counts=counts, logits=logits, labels=labels, subjects=subjects)


def read_desk(run: Path) -> Desk:
    """What is in a run's folder.

    Raises:
        DataError: a file is missing or damaged.
        ModelError: the bundle is damaged.
    """
    bundle, bundle_id = read_bundle(run)
    arrays = _arrays_of(run, VALIDATION, ("counts", "logits", "labels", "subject"))
    return Desk(
        bundle,
        bundle_id,
        counts=arrays["counts"],
        logits=arrays["logits"],
        labels=arrays["labels"],
        subjects=arrays["subject"],
        run=run,
    )


def read_bundle(run: Path) -> tuple[Bundle, bytes]:
    """A run's bundle and its identity (32 bytes).

    Raises:
        DataError: it cannot be read.
        ModelError: it is damaged.
    """
    data, source = _bytes_of(run, BUNDLE), str(run / BUNDLE)
    try:
        return unpack(data, source), identity(data, source)
    except ModelError as error:
        raise ModelError(f"{error}; {AGAIN}") from error


def read_model(run: Path) -> tuple[bytes, Graph]:
    """A run's int8 model, as the .tflite's bytes and as the graph in them.

    Raises:
        DataError: it cannot be read.
        ModelError: it is damaged, or no model for a band.
    """
    tflite = _bytes_of(run, INT8)
    try:
        return tflite, read_graph(tflite)
    except ModelError as error:
        raise ModelError(f"{run / INT8}: {error}; {AGAIN}") from error


def _bytes_of(run: Path, name: str) -> bytes:
    try:
        return (run / name).read_bytes()
    except OSError as error:
        raise DataError(
            f"{run / name}: cannot be read ({error.strerror}); is {run} a run's folder, finished "
            "by `tinyhar run`?"
        ) from error


def _arrays_of(run: Path, name: str, keys: tuple[str, ...]) -> dict[str, npt.NDArray]:
    if not (run / name).is_file():
        _bytes_of(run, name)
    try:
        with np.load(run / name, allow_pickle=False) as file:
            return {key: file[key] for key in keys}
    except UNREADABLE as error:
        raise DataError(
            f"{run / name}: damaged ({error}); `tinyhar run` with its recipe makes it again"
        ) from error
