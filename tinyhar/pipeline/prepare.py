"""First stage: recordings become windows of sensor counts, every subject on one side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyhar import counts
from tinyhar.counts import CountMap, Normalisation
from tinyhar.errors import DataError
from tinyhar.npz import UNREADABLE
from tinyhar.pipeline.borrow import borrowed
from tinyhar.pipeline.folder import RunFolder
from tinyhar.recipe import Recipe, Senses
from tinyhar.recordings import (
    STANDARD_GRAVITY,
    Aligned,
    Channel,
    Recording,
    align,
    digest,
    load,
    stamp,
)
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
        teacher: the same windows through the teacher's sensors, where it has others than the band.
        borrowed: how many windows, the last ones, were worn at another position (`data.borrow`).
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
    teacher: Prepared | None = None
    borrowed: int = 0

    def own(self) -> Prepared:
        """Without what was borrowed."""
        count = len(self.y) - self.borrowed
        kept = {name: getattr(self, name)[:count] for name in ("counts", "y", "subject")}
        teacher = self.teacher.own() if self.teacher else None
        return replace(self, **kept, teacher=teacher, borrowed=0)

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
    aligned = _aligned(recipe, data)
    recordings = list(aligned.recordings)
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
    own = sensed(recipe.data, windows)
    prepared = _count(recipe, own, split)
    if recipe.teacher.senses:
        seen = _count(recipe, sensed(recipe.teacher.senses, windows), split)
        prepared = replace(prepared, teacher=seen)
    for position in recipe.data.borrow:
        there = sensed(recipe.data.model_copy(update={"positions": (position,)}), windows)
        prepared = _with(prepared, borrowed(own, there, split.train))
    write(folder, prepared)
    return {
        "digest": digest(recordings),
        "stamp": stamp(recipe.data.source, data),
        "left_out": list(aligned.left_out),
        "windows": {
            side: np.bincount(
                prepared.y[prepared.side(side)], minlength=len(prepared.classes)
            ).tolist()
            for side in SIDES
        },
        "subjects": {side: list(getattr(split, side)) for side in SIDES},
    }


def has_changed(recipe: Recipe, data: Path | None, facts: dict[str, Any]) -> bool:
    """Whether the recordings are others than those that were prepared; False if not at hand."""
    now = stamp(recipe.data.source, data)
    if now is None or now == facts.get("stamp"):
        return False
    return digest(recorded(recipe, data)) != facts["digest"]


def recorded(recipe: Recipe, data: Path | None) -> list[Recording]:
    """The recipe's recordings: all sensors that band and teacher have, at the band's rate."""
    return list(_aligned(recipe, data).recordings)


def _aligned(recipe: Recipe, data: Path | None) -> Aligned:
    """The same, and which sessions lack a sensor."""
    aligned = Aligned(tuple(load(recipe.data.source, data)))
    positions = _all_of(recipe, "positions")
    kinds = _all_of(recipe, "kinds")
    if positions is not None:  # the band's first: the labels are its device's
        synchronise = recipe.data.synchronise
        aligned = align(aligned.recordings, positions, synchronise=synchronise)
    rate = recipe.data.rate
    wanted = [resample(one.select(kinds=kinds), rate) for one in aligned.recordings]
    return Aligned(tuple(wanted), aligned.left_out)


def _all_of(recipe: Recipe, attribute: str) -> tuple[str, ...] | None:
    """Positions or kinds that band or teacher has or borrows, each once; None: all there are."""
    sides = [recipe.data, *([recipe.teacher.senses] if recipe.teacher.senses else [])]
    values = [getattr(side, attribute) for side in sides]
    if any(value is None for value in values):
        return None
    if attribute == "positions":
        values.append(recipe.data.borrow)
    return tuple(dict.fromkeys(name for value in values for name in value))


def sensed(senses: Senses, windows: Windows) -> Windows:
    """The windows through some of their sensors.

    Raises:
        DataError: a sensor that was not recorded, by name.
    """
    wanted = [
        i
        for i, channel in enumerate(windows.channels)
        if channel.kind in senses.kinds
        and channel.position in (senses.positions or [channel.position])
        and channel.axis in (senses.axes or [channel.axis])
    ]
    there = {(channel.position, channel.kind) for channel in windows.channels}
    for position in senses.positions or dict.fromkeys(c.position for c in windows.channels):
        for kind in senses.kinds:
            if (position, kind) not in there:
                kinds = ", ".join(sorted({k for p, k in there if p == position})) or "nothing"
                raise DataError(
                    f"the device at position '{position}' has no {kind} (it has {kinds}): take "
                    f"'{kind}' out of kinds, or '{position}' out of positions"
                )
    return replace(
        windows, x=windows.x[:, :, wanted], channels=tuple(windows.channels[i] for i in wanted)
    )


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


def _sliver(windows: Windows, split: Split) -> Windows:
    """Evenly spaced windows of every side: fewer of each class, nobody left out."""
    chosen = []
    for side, most in QUICK_WINDOWS.items():
        index = np.flatnonzero(np.isin(windows.subject, getattr(split, side)))
        step = max(1, -(-len(index) // most))
        by_class = index[np.argsort(windows.y[index], kind="stable")]
        firsts = [index[windows.subject[index] == name][:1] for name in getattr(split, side)]
        chosen.append(np.unique(np.concatenate([by_class[::step], *firsts])))
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


def _with(prepared: Prepared, more: Windows) -> Prepared:
    """More windows of the training people, who are all that is in `more`, in its order.

    A teacher of other sensors sees what it saw of the same stretches.
    """
    train = prepared.side("train")
    first = np.flatnonzero(train)[: len(more.y)]  # the band's own come before borrowed ones
    again = np.concatenate([np.arange(len(prepared.y)), first])
    extended = replace(
        prepared,
        counts=np.concatenate([prepared.counts, counts.to_counts(more.x, prepared.lsb)]),
        y=prepared.y[again],
        subject=prepared.subject[again],
        borrowed=prepared.borrowed + len(more.y),
    )
    teacher = prepared.teacher
    if teacher is None:
        return extended
    seen = {name: getattr(teacher, name)[again] for name in ("counts", "y", "subject")}
    return replace(extended, teacher=replace(teacher, **seen, borrowed=extended.borrowed))


def write(folder: RunFolder, prepared: Prepared) -> None:
    """Leave windows in the folder, as :func:`read` reads them."""
    sides: dict[str, Any] = {side: np.array(getattr(prepared.split, side), str) for side in SIDES}
    teacher = _sensor_arrays(prepared.teacher, "teacher_") if prepared.teacher else {}
    with folder.writing(FILE) as draft:
        np.savez_compressed(
            draft,
            y=prepared.y,
            subject=prepared.subject.astype(str),
            classes=np.array(prepared.classes),
            rate=prepared.rate,
            borrowed=prepared.borrowed,
            **_sensor_arrays(prepared, ""),
            **teacher,
            **sides,
        )


def _sensor_arrays(prepared: Prepared, prefix: str) -> dict[str, Any]:
    arrays = {
        "counts": prepared.counts,
        "channels": np.array([(c.position, c.kind, c.axis, c.unit) for c in prepared.channels]),
        "lsb": prepared.lsb,
        "mean": prepared.normalisation.mean,
        "std": prepared.normalisation.std,
    }
    return {prefix + name: array for name, array in arrays.items()}


def read(folder: RunFolder) -> Prepared:
    """What :func:`prepare` left in the folder.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = folder / FILE
    try:
        with np.load(path) as saved:
            teacher = _read_side(saved, "teacher_") if "teacher_counts" in saved else None
            return replace(_read_side(saved, ""), teacher=teacher)
    except UNREADABLE as error:
        raise DataError(f"{path}: missing or damaged; run the recipe again") from error


def _read_side(saved: Any, prefix: str) -> Prepared:
    split = Split(**{side: tuple(saved[side].tolist()) for side in SIDES})
    return Prepared(
        counts=saved[f"{prefix}counts"],
        y=saved["y"],
        subject=saved["subject"],
        classes=tuple(saved["classes"].tolist()),
        channels=tuple(Channel(*row) for row in saved[f"{prefix}channels"].tolist()),
        lsb=saved[f"{prefix}lsb"],
        normalisation=Normalisation(saved[f"{prefix}mean"], saved[f"{prefix}std"], split.train),
        split=split,
        rate=float(saved["rate"]),
        borrowed=int(saved["borrowed"]),
    )
