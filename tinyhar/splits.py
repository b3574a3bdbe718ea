"""Who is in train, validation and test: only whole subjects, with guards that notice a leak."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError, LeakError
from tinyhar.recordings import Channel
from tinyhar.recordings.words import counted

SIDES: Final = ("train", "validation", "test")

TELLTALES: Final = frozenset(
    {"label", "labels", "activity", "activityid", "class", "target", "truth"}
    | {"subject", "user", "person", "participant", "id", "uid"}
    | {"index", "idx", "row", "timestamp", "time", "window", "segment", "fold", "session"}
)
"""Words that no sensor channel is called by: such a channel carries an answer or an identity."""


@dataclass(frozen=True)
class Split:
    """Subjects on three sides; LeakError when one is on two."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        check_disjoint(self)
        if not self.train:
            raise DataError("a split needs at least one training subject")


def check_disjoint(split: Split) -> None:
    """LeakError when a subject is on two sides (or twice on one)."""
    side_of: dict[str, str] = {}
    for side in SIDES:
        for subject in getattr(split, side):
            if subject in side_of:
                raise LeakError(
                    f"subject {subject} is in {side_of[subject]} and in {side}: "
                    "every subject belongs to exactly one side"
                )
            side_of[subject] = side


def make_split(
    subjects: Iterable[str],
    *,
    test: int | Sequence[str],
    validation: int | Sequence[str],
    seed: int = 0,
) -> Split:
    """Split subjects: named ones go where they are named, counts are drawn with ``seed``.

    Args:
        subjects: everybody there is; the order does not matter, repeats are fine.
        test: test subjects, or how many to draw.
        validation: validation subjects, or how many to draw from those left over.
        seed: of the draw.

    Raises:
        DataError: somebody named is not there, or too few are left to train on.
        LeakError: somebody is named on both sides.
    """
    everybody = _in_order(subjects)
    named = [_names(side, everybody) for side in (test, validation)]
    left = [s for s in everybody if s not in {*named[0], *named[1]}]
    if everybody and not left:
        raise DataError(
            "split.test and split.validation name everybody, but somebody must train: name fewer"
        )
    rng = np.random.default_rng(seed)
    chosen = []
    for side, names, wanted in zip(("test", "validation"), named, (test, validation), strict=True):
        if isinstance(wanted, int):
            if not 0 <= wanted < len(left):
                raise DataError(_too_many(side, wanted, everybody, left))
            names = [left[i] for i in sorted(rng.permutation(len(left))[:wanted])]
            left = [s for s in left if s not in names]
        chosen.append(tuple(names))
    return Split(train=tuple(left), validation=chosen[1], test=chosen[0])


def _too_many(side: str, wanted: int, everybody: list[str], left: list[str]) -> str:
    story = f"of {counted(len(everybody), 'subject')} ({_few(everybody)}), "
    if taken := len(everybody) - len(left):
        story += f"{taken} of them taken by the other side, "
    if len(left) < 2:
        remedy = "test fewer" if side == "test" else "write validation = 0 in the table [split]"
        return (
            f"split.{side} = {wanted}: {story}nobody can be spared, as somebody must train; record "
            f"more people, or {remedy}"
        )
    most = len(left) - 1
    write = f"{most}" if most == 1 else f"1 to {most}"
    return (
        f"split.{side} = {wanted}: {story}at most {most} can be drawn, as somebody must train; "
        f"write {side} = {write} in the table [split]"
    )


def _few(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 8 else [*names[:6], "...", names[-1]])


def _in_order(subjects: Iterable[str]) -> list[str]:
    """Each once; numbers by value, then words."""

    def key(subject: str) -> list[tuple[int, str]]:
        return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", subject)]

    return sorted({str(subject) for subject in subjects}, key=key)


def _names(side: int | Sequence[str], everybody: list[str]) -> list[str]:
    if isinstance(side, int):
        return []
    names = [str(subject) for subject in side]
    for name in names:
        if name not in everybody:
            raise DataError(f"no subject is called {name!r}; there is {', '.join(everybody)}")
    return names


def check_inputs(
    channels: Sequence[Channel],
    x: NDArray[np.float32] | None = None,
    y: NDArray[np.int64] | None = None,
) -> None:
    """LeakError when a label or an identity is among a model's inputs.

    By name always; by value when windows x [n, time, channel] and labels y [n] are given: a channel
    that never moves within a window and whose value alone tells the class is no sensor. (A released
    pipeline for PAMAP2 trained on the activity id; its 0.96 is no target.)
    """
    for channel in channels:
        words = re.split(r"[^a-z0-9]+", f"{channel.kind} {channel.axis}".lower())
        if TELLTALES.intersection(words):
            raise LeakError(
                f"channel {channel.name} is an input, but its name says label or identity: "
                "take it out of the channels"
            )
    if x is None or y is None or len(y) == 0:
        return
    for index, channel in enumerate(channels):
        values = x[:, :, index]
        if not np.array_equal(values.min(axis=1), values.max(axis=1)):
            continue
        if _tells(values[:, 0], y):
            raise LeakError(
                f"channel {channel.name} stands still in every window and its value alone tells "
                "the class: it is a label, not a sensor"
            )


def _tells(values: NDArray[np.float32], y: NDArray[np.int64]) -> bool:
    """True when there are several classes and no value occurs with two of them."""
    pairs = {(float(v), int(label)) for v, label in zip(values, y, strict=True)}
    distinct = {v for v, _ in pairs}
    return len(set(y.tolist())) > 1 and len(pairs) == len(distinct) and len(distinct) < len(y)


def check_fitted(what: str, fitted_on: Iterable[str], split: Split) -> None:
    """LeakError when ``what`` (normalisation, calibration, ...) was fitted on a test subject.

    DataError when it was fitted on nobody, or on somebody whom the split does not know.
    """
    subjects = [str(subject) for subject in fitted_on]
    if not subjects:
        raise DataError(f"{what} does not say on whom it was fitted")
    for subject in subjects:
        if subject in split.test:
            raise LeakError(
                f"{what} was fitted on test subject {subject}: fit it on training subjects only"
            )
        if subject not in split.train and subject not in split.validation:
            raise DataError(f"{what} was fitted on subject {subject}, who is not in the split")
