"""What a run left on the desk to compare a band with: windows, logits, and every layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhar.band import messages as m
from tinyhar.band.locate import DeskLayer
from tinyhar.convert.bundle import Bundle, identity, unpack
from tinyhar.errors import DataError, ModelError


@dataclass(frozen=True, eq=False)
class Desk:
    """A run's bundle and the windows of its unseen subjects.

    ``counts`` is int16 [n, time, channel], ``logits`` int8 [n, classes] of the desk's reference,
    ``labels`` int64 [n], ``subjects`` str [n]; ``tflite`` is the model itself, or empty.
    """

    bundle: Bundle
    bundle_id: bytes
    counts: m.Counts
    logits: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.str_]
    tflite: bytes = b""

    @cached_property
    def _graph_and_layers(self) -> tuple[object, list[tuple[str, int]]]:
        from tinyhar.convert.compiled import compile_model
        from tinyhar.convert.graph import read_graph

        steps = compile_model(self.tflite).layers
        named = [(f"layer {i} {s.operator} {s.name}", s.output_tensor) for i, s in enumerate(steps)]
        return read_graph(self.tflite), named

    def layers(self, counts: m.Counts) -> list[DeskLayer]:
        """The int8 input and every layer of the compiled model, for counts int16 [time, channel].

        Raises ModelError when the run has no model to look into.
        """
        from tinyhar.convert import integer

        if not self.tflite:
            raise ModelError("the run has no int8/model.tflite: nothing to compare layers with")
        graph, named = self._graph_and_layers
        x = self.bundle.count_map.apply(counts)[np.newaxis, np.newaxis]
        outputs = integer.layers(graph, x)  # type: ignore[arg-type]
        return [DeskLayer("input", x[0, 0])] + [
            DeskLayer(name, outputs[tensor][0]) for name, tensor in named
        ]

    def first(self, limit: int | None) -> Desk:
        """Only so many windows, spread evenly over all of them."""
        if limit is None or limit >= len(self.counts):
            return self
        chosen = np.linspace(0, len(self.counts) - 1, max(1, limit)).astype(int)
        parts = (self.counts, self.logits, self.labels, self.subjects)
        counts, logits, labels, subjects = (part[chosen] for part in parts)
        return Desk(self.bundle, self.bundle_id, counts, logits, labels, subjects, self.tflite)


def read_desk(run: Path) -> Desk:
    """What is in a run's folder.

    Raises:
        DataError: a file is missing or damaged.
        ModelError: the bundle is damaged.
    """
    data = _bytes_of(run, "bundle.thb")
    bundle = unpack(data, str(run / "bundle.thb"))
    arrays = _arrays_of(run, "validation.npz", ("counts", "logits", "labels", "subject"))
    tflite = run / "int8" / "model.tflite"
    return Desk(
        bundle,
        identity(data),
        counts=arrays["counts"],
        logits=arrays["logits"],
        labels=arrays["labels"],
        subjects=arrays["subject"],
        tflite=tflite.read_bytes() if tflite.is_file() else b"",
    )


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
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{run / name}: damaged ({error}); remove it and run the recipe again"
        ) from error
    except Exception as error:
        if type(error).__name__ != "BadZipFile":
            raise
        raise DataError(f"{run / name}: damaged; remove it and run the recipe again") from error
