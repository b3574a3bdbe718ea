"""The classes of a personal model: those of the base run, and what the user recorded.

>>> merged = merge(("walking", "resting"), ("drinking", "walking"), redefine="keep")
>>> merged.classes, merged.recorded_again, merged.new
(('walking', 'resting', 'drinking'), ('walking',), ('drinking',))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError

Redefine = Literal["keep", "replace"]
"""What becomes of other people's windows of a class that the user recorded again: they go on
helping beside the user's own, or the class is from now on what the user says."""

GONE: Final = -1
"""The number of a class that the personal model does not have."""


@dataclass(frozen=True, eq=False)
class Merged:
    """Classes of the personal model and how to get to their numbers.

    Attributes:
        classes: of the personal model; the base run's first, in their order.
        of_base: int64 [base classes], each one's number now, or GONE.
        of_recorded: int64 [recorded classes], each one's number now.
        rehearsed: int64 [base classes], like `of_base`, but GONE too where the user's recordings
            take the place of the base run's windows.
        recorded_again: names that base run and user have in common.
        new: names that only the user has.
    """

    classes: tuple[str, ...]
    of_base: NDArray[np.int64]
    of_recorded: NDArray[np.int64]
    rehearsed: NDArray[np.int64]
    recorded_again: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def old(self) -> tuple[str, ...]:
        """Classes that are still what other people's windows say, in part at least."""
        return tuple(self.classes[i] for i in self.rehearsed[self.rehearsed != GONE])

    @property
    def unrecorded(self) -> NDArray[np.int64]:
        """Like `of_base`, but GONE for every class that the user recorded."""
        mine = np.isin(self.of_base, self.of_recorded)
        return np.where(mine, GONE, self.of_base)


def merge(
    base: Sequence[str],
    recorded: Sequence[str],
    *,
    redefine: Redefine = "keep",
    only_recorded: bool = False,
) -> Merged:
    """Join the class names of a base run and of the user's recordings.

    Args:
        base: names in the base run's order.
        recorded: the names that the user recorded.
        redefine: see `Redefine`.
        only_recorded: leave the base run's other classes out.

    Raises:
        DataError: names that differ only in case or spaces, or too few classes.
    """
    check_names(base, recorded)
    kept = [name for name in base if not only_recorded or name in recorded]
    new = tuple(name for name in recorded if name not in base)
    classes = (*kept, *new)
    if len(classes) < 2:
        raise DataError(
            f"only one class, '{recorded[0]}': a model tells two or more apart; record another "
            "one, or leave out --only-recorded to keep the base run's classes beside it"
        )
    numbers = {name: number for number, name in enumerate(classes)}
    again = tuple(name for name in base if name in recorded)
    rehearsed = [
        GONE if redefine == "replace" and name in again else numbers.get(name, GONE)
        for name in base
    ]
    return Merged(
        classes=classes,
        of_base=np.array([numbers.get(name, GONE) for name in base], np.int64),
        of_recorded=np.array([numbers[name] for name in recorded], np.int64),
        rehearsed=np.array(rehearsed, np.int64),
        recorded_again=again,
        new=new,
    )


def check_names(base: Sequence[str], recorded: Sequence[str]) -> None:
    """DataError names two classes that a reader would take for one."""
    seen: dict[str, tuple[str, str]] = {_plain(name): (name, "the base run's") for name in base}
    for name in recorded:
        other, whose = seen.setdefault(_plain(name), (name, "your"))
        if other != name:
            raise DataError(
                f"class '{name}' and {whose} '{other}' are one name twice: write both alike if "
                "they are the same movement, else rename one"
            )


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
