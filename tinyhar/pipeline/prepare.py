"""First stage: recordings become windows of sensor counts, every subject on one side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tinyhar import counts
from tinyhar.counts import CountMap, Normalisation
from tinyhar.errors import DataError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe
from tinyhar.recordings import STANDARD_GRAVITY, Channel, Recording, digest, load
from tinyhar.splits import SIDES, Split, check_fitted, check_inputs, make_split
from tinyhar.windows import Windows, cut, resample

FILE = "data/windows.npz"
QUICK_WINDOWS = {"train": 1200, "validation": 300, "test": 300}
"""How many windows a side keeps in a quick run."""


@dataclass(frozen=True)
class Prepared:
    """Windows as counts with all that is needed to read them: what every later stage starts from.

    Attributes:
        counts: int16 [n, time, channel].
        y: int64 [n], index into ``classes``.
        subject: str [n].
        lsb: float64 [channel], what a count is worth in the channel's unit.
        normalisation: measured on the training subjects.
    """

    counts: NDArray[np.int16]
    y: NDArray[np.int64]
    subject: NDArray[np.str_]
    classes: tuple[str, ...]
    channels: tuple[Channel, ...]
    lsb: NDArray[np.float64]
    normalisation: Normalisation
    split: Split
    rate: float

    @property
    def window(self) -> int:
        """Samples in a window."""
        return int(self.counts.shape[1])

    def side(self, name: str) -> NDArray[np.bool_]:
        """Which windows belong to "train", "validation" or "test"."""
        return np.isin(self.subject, getattr(self.split, name))

    def units(self, which: NDArray[Any]) -> NDArray[np.float32]:
        """Chosen windows in the channels' units: float32 [m, time, channel]."""
        return counts.from_counts(self.counts[which], self.lsb)

    def inputs(self, which: NDArray[Any]) -> NDArray[np.float32]:
        """Chosen windows as a float model sees them: float32 [m, 1, time, channel]."""
        return self.normalisation.apply(self.units(which))[:, np.newaxis]

    def quantised(self, which: NDArray[Any], count_map: CountMap) -> NDArray[np.int8]:
        """Chosen windows as the int8 model sees them: int8 [m, 1, time, channel]."""
        return count_map.apply(self.counts[which])[:, np.newaxis]


def prepare(
    recipe: Recipe, folder: RunFolder, data: Path | None, *, quick: bool = False
) -> dict[str, Any]:
    """Read, select, resample, cut, split, count; leaves ``data/windows.npz``.

    Raises:
        DataError: recordings that are missing, damaged or without what the recipe asks for.
        LeakError: a subject on two sides, or a label among the inputs.
    """
    recordings = recorded(recipe, data)
    windows = windowed(recipe, recordings)
    split = make_split(
        windows.subjects,
        test=recipe.split.test,
        validation=recipe.split.validation,
        seed=recipe.seed,
    )
    if quick:
        windows = _sliver(windows, split)
    check_inputs(windows.channels, windows.x, windows.y)
    _check_classes(windows, split)
    prepared = _count(recipe, windows, split)
    _save(folder, prepared)
    return {
        "digest": digest(recordings),
        "windows": {
            side: np.bincount(
                prepared.y[prepared.side(side)], minlength=len(prepared.classes)
            ).tolist()
            for side in SIDES
        },
        "subjects": {side: list(getattr(split, side)) for side in SIDES},
    }


def recorded(recipe: Recipe, data: Path | None) -> list[Recording]:
    """The recipe's recordings: the sensors that it asks for, at its rate."""
    return [
        resample(
            recording.select(positions=recipe.data.positions, kinds=recipe.data.kinds),
            recipe.data.rate,
        )
        for recording in _wanted(load(recipe.data.source, data), recipe)
    ]


def windowed(recipe: Recipe, recordings: list[Recording]) -> Windows:
    """The recordings cut as the recipe says."""
    return cut(
        recordings,
        window=recipe.data.window,
        stride=recipe.data.stride,
        activities=recipe.data.activities,
        threshold=recipe.data.threshold,
        within=recipe.data.within,
    )


def _wanted(recordings: list[Recording], recipe: Recipe) -> list[Recording]:
    """Those with a device at the positions asked for: some data sets record each by itself."""
    positions = recipe.data.positions
    if positions is None:
        return recordings
    chosen = [r for r in recordings if set(positions) <= set(r.positions)]
    if not chosen:
        there = sorted({p for r in recordings for p in r.positions})
        raise DataError(
            f"{recipe.data.source}: no recording has the positions {', '.join(positions)}; "
            f"there is {', '.join(there)}"
        )
    return chosen


def _sliver(windows: Windows, split: Split) -> Windows:
    """Evenly spaced windows of every side: fewer of each class, nobody left out."""
    chosen = []
    for side, most in QUICK_WINDOWS.items():
        index = np.flatnonzero(np.isin(windows.subject, getattr(split, side)))
        step = max(1, -(-len(index) // most))
        by_class = index[np.argsort(windows.y[index], kind="stable")]
        chosen.append(np.sort(by_class[::step]))
    return windows.take(np.concatenate(chosen))


def _check_classes(windows: Windows, split: Split) -> None:
    train = np.isin(windows.subject, split.train)
    seen = np.bincount(windows.y[train], minlength=len(windows.activities))
    for name, count in zip(windows.activities, seen, strict=True):
        if not count:
            raise DataError(
                f"no training subject has a whole window of '{name}': take it out of "
                "data.activities, or make the window shorter"
            )


def _count(recipe: Recipe, windows: Windows, split: Split) -> Prepared:
    full_scale = {
        **counts.FULL_SCALE,
        "acc": recipe.data.acc_full_scale_g * STANDARD_GRAVITY,
        "gyro": np.deg2rad(recipe.data.gyro_full_scale_dps),
    }
    normalisation = Normalisation.fit(windows.only(split.train))
    check_fitted("normalisation", normalisation.subjects, split)
    lsb = counts.lsb_of(windows.channels, full_scale)
    return Prepared(
        counts=counts.to_counts(windows.x, lsb),
        y=windows.y,
        subject=windows.subject,
        classes=windows.activities,
        channels=windows.channels,
        lsb=lsb,
        normalisation=normalisation,
        split=split,
        rate=windows.rate,
    )


def _save(folder: RunFolder, prepared: Prepared) -> None:
    sides: dict[str, Any] = {side: np.array(getattr(prepared.split, side), str) for side in SIDES}
    with folder.writing(FILE) as draft:
        np.savez_compressed(
            draft,
            counts=prepared.counts,
            y=prepared.y,
            subject=prepared.subject.astype(str),
            classes=np.array(prepared.classes),
            channels=np.array([(c.position, c.kind, c.axis, c.unit) for c in prepared.channels]),
            lsb=prepared.lsb,
            mean=prepared.normalisation.mean,
            std=prepared.normalisation.std,
            rate=prepared.rate,
            **sides,
        )


def read(folder: RunFolder) -> Prepared:
    """What :func:`prepare` left in the folder.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = folder / FILE
    try:
        with np.load(path) as saved:
            split = Split(**{side: tuple(saved[side].tolist()) for side in SIDES})
            return Prepared(
                counts=saved["counts"],
                y=saved["y"],
                subject=saved["subject"],
                classes=tuple(saved["classes"].tolist()),
                channels=tuple(Channel(*row) for row in saved["channels"].tolist()),
                lsb=saved["lsb"],
                normalisation=Normalisation(saved["mean"], saved["std"], split.train),
                split=split,
                rate=float(saved["rate"]),
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: missing or damaged; run the recipe again") from error
