"""Teaching a student the user's own movement, with rehearsal so that it forgets nothing.

Every class has the same number of windows in an epoch, of which the user's are a fixed share
where there are any: a few seconds count as much as hundreds of other people's windows, and a class
that was not recorded is rehearsed from the base run's. The user's windows are cut with a dense
stride, and changed anew each time as in the base run's training, but turned less: one person wears
the band in one way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from tinyhar import distill
from tinyhar.distill import Augment, Examples, FitConfig, History
from tinyhar.distill.snapshot import EpochReport
from tinyhar.personal.network import Trains, learning
from tinyhar.personal.remember import Remembering

WINDOWS: Final = 1700
"""In an epoch, over all classes, about: what two cores do in a second."""
FEWEST: Final = 40
MOST: Final = 160
"""Windows of a class in an epoch: at least and at most."""
DENSE: Final = 10
"""The user's windows start every so many parts of a window."""


@dataclass(frozen=True)
class Lesson:
    """How to teach.

    Attributes:
        trains: which layers learn.
        epochs: passes over the balanced windows.
        rate: learning rate at its highest.
        share: of a class's windows that are the user's, where both sides have some.
        rotation: degrees that windows are turned by at most.
        memory: weight of what the base student says where it is right; see `Remembering`.
        seed: of the choice of windows, their order and their changes.
    """

    trains: Trains = "all"
    epochs: int = 20
    rate: float = 5e-3
    share: float = 0.4
    rotation: float = 15.0
    memory: float = 0.5
    seed: int = 1


def dense_stride(window: int) -> int:
    """Samples from one of the user's windows to the next."""
    return max(1, window // DENSE)


def balanced(
    own: NDArray[np.int64],
    others: NDArray[np.int64],
    *,
    classes: int,
    share: float,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which windows an epoch holds, as many of each class: indices into the user's and the others'.

    Windows come more than once where a class has too few of a side; all are used before one comes
    again.

    Args:
        own: classes of the user's windows, int [n].
        others: classes of the base run's windows, int [m].
        classes: how many there are.
        share: of a class that is the user's where both sides have windows of it.
        seed: of the draw.
    """
    each = int(np.clip(WINDOWS // classes, FEWEST, MOST))
    random = np.random.default_rng(seed)
    mine: list[NDArray[np.int64]] = []
    theirs: list[NDArray[np.int64]] = []
    for number in range(classes):
        of_own, of_others = np.flatnonzero(own == number), np.flatnonzero(others == number)
        wanted = round(share * each) if len(of_others) else each
        wanted = wanted if len(of_own) else 0
        mine.append(_drawn(of_own, wanted, random))
        theirs.append(_drawn(of_others, each - wanted, random))
    return np.concatenate(mine), np.concatenate(theirs)


def _drawn(index: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    if not len(index) or count <= 0:
        return np.empty(0, np.int64)
    rounds = -(-count // len(index))
    return np.concatenate([random.permutation(index) for _ in range(rounds)])[:count]


def teach(
    model: keras.Model,
    own: Examples,
    others: Examples,
    lesson: Lesson,
    *,
    augment: Augment | None,
    clip: float,
    base: keras.Model | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> tuple[History, Examples]:
    """Train `model` in place on the user's windows and the rehearsed ones.

    Args:
        model: with the classes that `own` and `others` are labelled in.
        own: the user's windows to learn from.
        others: the base run's training windows of classes that are rehearsed.
        lesson: how.
        augment: changes windows before the model sees them.
        clip: windows are clipped to +-clip, as the int8 input will be.
        base: the student as it was, over the same classes; None: there is nothing to remember.
        on_epoch: called after each epoch.

    Returns:
        The training's history, and the windows of an epoch: what int8 may be calibrated on.
    """
    classes = int(model.output_shape[-1])
    mine, theirs = balanced(own.y, others.y, classes=classes, share=lesson.share, seed=lesson.seed)
    lessons = Examples(
        np.concatenate([own.x[mine], others.x[theirs]]),
        np.concatenate([own.y[mine], others.y[theirs]]),
    )
    nothing = Examples(lessons.x[:0], lessons.y[:0])
    config = FitConfig(
        epochs=lesson.epochs,
        rate=lesson.rate,
        average=0.98,
        seed=lesson.seed,
    )
    with learning(model, lesson.trains):
        history = distill.fit(
            model,
            lessons,
            nothing,
            config,
            method=Remembering(lesson.memory) if base is not None else None,
            teacher=None if base is None else distill.Teacher(base),
            augment=augment,
            clip=clip,
            on_epoch=on_epoch,
        )
    return history, lessons
