"""The whole state of a training between two epochs, so that an interrupted one can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tinyhar.errors import ModelError
from tinyhar.npz import UNREADABLE


@dataclass(frozen=True)
class EpochReport:
    """What one epoch brought; `epoch` counts from 1, times are in seconds.

    `macro_f1` and `best_f1` are None where nothing is validated.
    """

    epoch: int
    epochs: int
    loss: float
    losses: dict[str, float]
    macro_f1: float | None
    best_f1: float | None
    rate: float
    seconds: float
    eta_seconds: float


@dataclass(frozen=True)
class Snapshot:
    """Weights, optimiser state, running mean, best weights so far, and the history."""

    weights: tuple[np.ndarray, ...]
    optimizer: tuple[np.ndarray, ...]
    averages: tuple[np.ndarray, ...]
    best: tuple[np.ndarray, ...]
    best_epoch: int
    reports: tuple[EpochReport, ...]

    def save(self, path: Path) -> None:
        """Writes one .npz, whole or not at all: an interruption leaves the former file.

        Raises:
            ModelError: the disk is full, or the folder cannot be written.
        """
        arrays = {
            f"{part}.{i:04d}": array
            for part in _PARTS
            for i, array in enumerate(getattr(self, part))
        }
        about = json.dumps(
            {"best_epoch": self.best_epoch, "reports": [asdict(r) for r in self.reports]}
        )
        path = Path(path)
        unfinished = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez(file, about=np.array(about), **arrays)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise ModelError(f"{path}: cannot be written ({error.strerror or error})") from error

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Reads what `save` wrote; ModelError for anything else."""
        try:
            with np.load(path) as file:
                about = json.loads(str(file["about"]))
                parts = {part: _series(file, part) for part in _PARTS}
            reports = tuple(EpochReport(**report) for report in about["reports"])
            return cls(best_epoch=about["best_epoch"], reports=reports, **parts)
        except (*UNREADABLE, TypeError) as error:
            raise ModelError(f"{path}: not a training snapshot ({error}); delete it") from error


_PARTS = ("weights", "optimizer", "averages", "best")


def _series(file: np.lib.npyio.NpzFile, part: str) -> tuple[np.ndarray, ...]:
    return tuple(file[key] for key in sorted(file.files) if key.startswith(f"{part}."))


def restore(variables: Sequence, values: Sequence[np.ndarray], what: str) -> None:
    """Assigns saved values; ModelError where they do not fit the model."""
    if [tuple(v.shape) for v in variables] != [value.shape for value in values]:
        raise ModelError(f"snapshot: {what} do not fit this model; delete the snapshot")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
