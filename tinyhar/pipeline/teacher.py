"""The stage that trains the teacher: one network or several, on all the sensors that it has.

A training that was interrupted goes on from the epoch where it stopped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tf_keras as keras

from tinyhar import distill, models
from tinyhar.pipeline.explain import answers_by_view, answers_without, save_attention
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.progress import Progress
from tinyhar.pipeline.trainer import Trainer, build, clip_of, facts_of, load, save, shape_of
from tinyhar.recipe import Recipe, Training

TEACHER = "teacher/model.keras"
"""The first member; further ones stand beside it, numbered from 2."""
SNAPSHOT = "teacher/snapshot.npz"
"""A member's training as far as it went; all stay until the last member is trained."""
MEMORY = "teacher/memory.npz"
"""What the teacher remembers: patterns learned beside it, for SMLDist."""
LAST_EPOCH = 0.999
"""Share of the epochs that pass before weights are worth keeping, so that it is the last ones'."""


def train_teacher(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress
) -> dict[str, Any]:
    """Train the teacher on labels alone, and beside it the memory that SMLDist asks for.

    The memory is the first member's, and leaves it as it is: all methods can share it.
    """
    # A teacher of other sensors has seen what the student borrows.
    seen = data if data.teacher is None else data.teacher.own()
    trainer = Trainer(recipe, folder, seen, progress, clip_of(recipe, seen))
    members, histories = [], []
    for number in range(1, recipe.teacher.members + 1):
        member = build(recipe.teacher, shape_of(seen), _seed(recipe, number))
        histories.append(_train(trainer, recipe, member, number))
        save(folder, _named(TEACHER, number), member)
        members.append(member)
    for snapshot in (folder / SNAPSHOT).parent.glob("snapshot*.npz"):
        snapshot.unlink()
    first = members[0]
    facts = facts_of(first, seen, histories[0], trainer.clip)
    test = seen.inputs(seen.side("test"))
    scores = sum(distill.logits(member, test, clip=trainer.clip) for member in members)
    return {
        **facts,
        "parameters": facts["parameters"] * len(members),
        "macs": facts["macs"] * len(members),
        "predicted": np.argmax(scores, axis=1).tolist(),
        "channels": [channel.name for channel in seen.channels],
        "attention": save_attention(folder, first, seen, clip=trainer.clip),
        "views": answers_by_view(first, seen, clip=trainer.clip),
        "without": answers_without(members, seen, clip=trainer.clip),
    }


def load_teacher(recipe: Recipe, folder: RunFolder) -> distill.Teacher:
    """The teacher that this stage left, with its memory."""
    names = [_named(TEACHER, number) for number in range(1, recipe.teacher.members + 1)]
    memory = folder / MEMORY
    return distill.Teacher(
        [load(folder, name) for name in names],
        distill.Memory.load(memory) if memory.exists() else None,
    )


def _train(trainer: Trainer, recipe: Recipe, member: keras.Model, number: int) -> distill.History:
    """All phases of a member's training; the history of the first, which most is learned in."""
    steps = distill.phases(member)
    histories = []
    for turn, phase in enumerate(steps, start=1):
        method = phase.method
        if number == 1 and turn == len(steps) and models.anchors(member):
            method = distill.Memorising(distill.Memory.untrained(member))
        who = "teacher" if number == 1 else f"teacher {number}"
        with phase.applied(member):
            history = trainer.fit(
                member,
                _of_phase(recipe.teacher.training, phase.share, last=turn == len(steps)),
                f"{who}, {phase.title}" if phase.title else who,
                method=method,
                seed=_seed(recipe, number),
                snapshot=_named(SNAPSHOT, number, turn),
            )
        histories.append(history)
        if isinstance(method, distill.Memorising):
            with trainer.folder.writing(MEMORY) as draft:
                method.memory().save(draft)
    if len(histories) == 1:
        return histories[0]
    # What is validated are the logits, which only the last phase trains.
    learned = tuple(replace(epoch, macro_f1=None) for epoch in histories[0].epochs)
    return replace(histories[0], epochs=learned, best_f1=histories[-1].best_f1)


def _seed(recipe: Recipe, number: int) -> int:
    return recipe.teacher_seed + 1000 * (number - 1)


def _of_phase(training: Training, share: float, *, last: bool) -> Training:
    """A phase's share of the epochs; where it does not train the logits, its last weights stay."""
    changes: dict[str, Any] = {"epochs": max(1, round(share * training.epochs))}
    if not last:
        changes |= {"settle": LAST_EPOCH, "patience": 0}
    return training.model_copy(update=changes)


def _named(name: str, number: int, turn: int = 1) -> str:
    """A member's file: the first has the plain name, the second a -2 in it, and so on."""
    stem, dot, ending = name.partition(".")
    own = "" if number == 1 else f"-{number}"
    return f"{stem}{own}{'' if turn == 1 else f'-phase{turn}'}{dot}{ending}"
