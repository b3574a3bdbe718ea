"""What a calibration was asked for, checked before anything is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tinyhar.band.recorder import check_name
from tinyhar.band.sensing import Sensing
from tinyhar.errors import DataError

LEAST_SECONDS: Final = 4.0
"""Of a take: three stretches to look at. A band with a longer window needs that."""


@dataclass(frozen=True)
class Plan:
    """What was asked for. ``act``: a played source performs the class of the same name."""

    classes: tuple[str, ...] = ()
    seconds: float = 10.0
    act: bool = False
    again: bool = False
    resting: tuple[str, ...] = ()
    hurry: bool = False


def class_names(text: str) -> tuple[str, ...]:
    """Names from a list with commas; DataError for one that is empty, odd or there twice."""
    names = tuple(check_name(name) for name in text.split(",") if name.strip())
    folded = [name.casefold() for name in names]
    twice = [name for i, name in enumerate(names) if folded[i] in folded[:i]]
    if twice:
        raise DataError(f"class {twice[0]!r} is named twice; each needs a name of its own")
    return names


def check_plan(plan: Plan, sensing: Sensing, there: Sequence[str], attended: bool) -> None:
    """DataError for what cannot lead to a calibration.

    Args:
        plan: what was asked for.
        sensing: the band.
        there: classes that are recorded already.
        attended: somebody is there to be asked for what is missing.
    """
    looks = sensing.identity.window / sensing.rate
    least = max(LEAST_SECONDS, looks)
    if plan.seconds < least:
        raise DataError(
            f"--seconds {plan.seconds:g}: too few, this band looks at {looks:g} s at a time; "
            f"at least {least:g}"
        )
    if plan.classes:
        check_number(plan.classes, there)
    elif not attended:
        raise DataError("--classes: name the classes, as in --classes drinking,writing")


def check_number(names: Sequence[str], there: Sequence[str]) -> None:
    """DataError unless there are two classes or more, with those that are recorded already."""
    if len({name.casefold() for name in (*there, *names)}) < 2:
        only = f"one class only ({names[0]})" if names else "no class"
        raise DataError(
            f"{only}: there is nothing to tell it from; name two or more, one of them what you do "
            "most of the time"
        )
