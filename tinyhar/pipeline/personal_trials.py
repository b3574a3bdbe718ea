"""What teaching is worth, measured: people left out of base models, then taught and judged.

Two experiments on a recipe's protocol. In the first every class is recorded again by the person who
was left out, with several budgets of seconds. In the second one class is left out of the base model
as well, and alone is taught. The desk's fine-tuning and teaching on the band itself are given the
same recordings. The person's later recordings judge, the same for every budget.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tinyhar import compress
from tinyhar import recipe as recipes
from tinyhar.band.desk import INT8
from tinyhar.distill import Examples
from tinyhar.errors import DataError, ModelError, RecipeError
from tinyhar.personal import rejection
from tinyhar.personal.course import personalise
from tinyhar.personal.judge import judge
from tinyhar.personal.lesson import Lesson
from tinyhar.personal.merge import merge
from tinyhar.personal.results import Gain, Unseen
from tinyhar.pipeline.learn import PRUNED
from tinyhar.pipeline.on_band import seen, taught_means, teachable
from tinyhar.pipeline.personal_base import Base, Int8, open_base
from tinyhar.pipeline.personal_calibration import Calibration, Wish, divided
from tinyhar.pipeline.personal_plan import Plan, Result, keep_trial, known_trial
from tinyhar.pipeline.prepare import recorded
from tinyhar.pipeline.progress import Progress, Silence
from tinyhar.pipeline.run import advance
from tinyhar.recipe import Distillation, Recipe
from tinyhar.recordings import Recording, digest

LATER = {"labels": 0.7, "recording": 0.5}
"""Share of a person's recordings, the latest, that judges: by how a protocol cuts windows."""


class Trials:
    """All trials of a plan; each is kept in the folder `out` and not done again."""

    def __init__(
        self,
        plan: Plan,
        out: Path,
        data: Path | None,
        *,
        progress: Progress | None = None,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.plan, self.out, self.data = plan, out, data
        self.progress, self.tell = progress or Silence(), tell
        self._recordings: dict[str, list[Recording]] = {}
        self._digests: dict[str, str] = {}

    def gains(self) -> list[Gain]:
        """Every person, budget and seed."""
        found = []
        for fold, seed, person in self._people():
            for seconds in self.plan.seconds:
                name = f"{fold.name}-{seed}-p{person}-{seconds:g}s"
                trial = (fold, person, seconds, seed)
                known = self._kept(name, fold, seed, Gain, partial(self._gain, *trial))
                self.tell(
                    f"{name}: {known.general:.3f} -> {known.personal:.3f} ({known.relative:+.0%})"
                )
                found.append(known)
        return found

    def unseen(self) -> list[Unseen]:
        """Every class to leave out, of every person and seed."""
        found = []
        for fold, seed, person in self._people():
            for left_out in self.plan.classes:
                name = f"{fold.name}-{seed}-p{person}-new-{left_out}"
                trial = (fold, person, left_out, seed)
                known = self._kept(name, fold, seed, Unseen, partial(self._unseen, *trial))
                self.tell(f"{name}: F1 {known.new_f1:.3f}, loss {100 * known.loss:+.1f} points")
                found.append(known)
        return found

    def _people(self) -> Iterator[tuple[Recipe, int, str]]:
        folds = recipes.folds(self.plan.recipe)
        there = [person for fold in folds for person in fold.split.test]
        for person in self.plan.people:
            if person not in there:
                raise DataError(
                    f"nobody called {person!r} is left out in {self.plan.recipe.name}; there is "
                    f"{', '.join(there)}"
                )
        for seed in self.plan.seeds:
            for fold in folds:
                for person in fold.split.test:
                    if not self.plan.people or person in self.plan.people:
                        yield fold, seed, person

    def _without(self, fold: Recipe, left_out: str) -> Recipe:
        there = fold.data.activities or self._recorded(fold)[0].activities
        if left_out not in there:
            raise DataError(f"no class is called {left_out!r}; there is {', '.join(there)}")
        kept = tuple(name for name in there if name != left_out)
        word = "".join(c if c.isalnum() else "-" for c in left_out.lower())
        data = fold.data.model_copy(update={"activities": kept})
        return fold.model_copy(update={"name": f"{fold.name}-no-{word}", "data": data})

    def _recorded(self, fold: Recipe) -> list[Recording]:
        """The protocol's recordings through the band's sensors, at its rate."""
        key = fold.data.source
        if key not in self._recordings:
            band = fold.data
            self._recordings[key] = [
                one.select(band.positions, band.kinds, band.axes)
                for one in recorded(fold, self.data)
            ]
        return self._recordings[key]

    def _digest(self, fold: Recipe) -> str:
        """Of these recordings, computed once."""
        key = fold.data.source
        if key not in self._digests:
            self._digests[key] = digest(self._recorded(fold))
        return self._digests[key]

    def _base(self, fold: Recipe, seed: int) -> Base:
        """A finished run where one is offered, else one trained here on labels alone."""
        ready = self._ready(fold, seed)
        if ready is not None:
            return open_base(ready)
        student = fold.student.model_copy(
            update={
                "training": fold.student.training.model_copy(update={"epochs": self.plan.epochs})
            }
        )
        quick = fold.model_copy(
            update={
                "seed": seed,
                "student": student,
                "distillation": Distillation(method="none"),
                "quantisation": fold.quantisation.model_copy(update={"method": "ptq"}),
            }
        )
        folder = self.out / "bases" / f"{fold.name}-{seed}"
        advance(quick, folder, until="quantise", data=self.data, progress=self.progress)
        return open_base(folder)

    def _ready(self, fold: Recipe, seed: int) -> Path | None:
        """The folder of a finished run of this fold, where runs are offered.

        Raises:
            DataError: it is not there, a quick one, or one with other people left out.
        """
        if self.plan.runs is None or fold not in recipes.folds(self.plan.recipe):
            return None
        folder = self.plan.runs / f"{fold.name}-{seed}"
        try:
            there = recipes.load(folder / "recipe.toml")
            quick = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["quick"]
        except (RecipeError, OSError, ValueError, KeyError) as error:
            raise DataError(
                f"--runs: {folder} is no finished run; make it with `tinyhar run`, or leave --runs "
                "out to train base models here"
            ) from error
        if quick or there.split.test != fold.split.test or there.data != fold.data:
            what = "a quick run" if quick else "a run of other data or with other people left out"
            raise DataError(f"--runs: {folder} is {what}; make it again, or leave --runs out")
        return folder

    def _ready_models(self, fold: Recipe, seed: int) -> str:
        """SHA-256 of the models of a finished run that is offered; "" where none is."""
        ready = self._ready(fold, seed)
        if ready is None:
            return ""
        models = b"".join((ready / name).read_bytes() for name in (INT8, PRUNED))
        return hashlib.sha256(models).hexdigest()

    def _calibration(
        self, base: Base, person: str, names: Sequence[str], seconds: float
    ) -> Calibration:
        """The person's recordings; only classes in `names` are learned from, all are judged by."""
        mine = tuple(one for one in self._recorded(base.recipe) if one.subject == person)
        if not mine:
            raise DataError(f"nobody called {person!r} is in {base.recipe.data.source}")
        every = (*base.data.classes, *(n for n in names if n not in base.data.classes))
        merged = merge(base.data.classes, every)
        wish = Wish(seconds=seconds, held_out=LATER[base.recipe.data.within])
        try:
            whole = divided(base, mine, merged, every, wish)
        except DataError as error:
            raise DataError(f"person {person}: {error}") from error
        kept = np.isin(whole.learn.y, [merged.classes.index(name) for name in names])
        learn = replace(whole.learn, counts=whole.learn.counts[kept], y=whole.learn.y[kept])
        return replace(whole, learn=learn, merged=merge(base.data.classes, tuple(names)))

    def _taught(self, base: Base, calibration: Calibration, lesson: Lesson) -> tuple[Int8, float]:
        """The personal int8 model, and how long its training took."""
        merged = calibration.merged
        taught = personalise(
            base.student(),
            Examples(base.inputs(calibration.learn.counts), calibration.learn.y),
            base.others(merged.rehearsed),
            merged,
            lesson,
            augment=base.augment(lesson.rotation),
            clip=base.clip,
        )
        tflite = compress.to_tflite(
            taught.model, calibration=taught.lessons.x, clip=base.clip, isolated=False
        )
        return Int8.of(tflite, base.data), sum(epoch.seconds for epoch in taught.history.epochs)

    def _on_band(self, base: Base, calibration: Calibration) -> np.ndarray:
        """What the base model's band answers after it was shown the calibration: int64 [n]."""
        graph, count_map = base.int8.graph, base.int8.count_map
        teaching = teachable(graph, base.data, count_map)
        if teaching is None:
            raise ModelError(f"{base.root}: this student's band cannot be taught by itself")
        merged, learn, judged = calibration.merged, calibration.learn, calibration.judge
        seconds = [calibration.seconds.get(name, 0.0) for name in merged.classes]
        samples = np.rint(np.array(seconds) * base.data.rate).astype(np.int64)
        shown = seen(graph, count_map, learn.counts)
        means = taught_means(teaching, shown, learn.y, samples, base.data.window)
        return teaching.logits(seen(graph, count_map, judged.counts), means).argmax(axis=1)

    def _gain(self, fold: Recipe, person: str, seconds: float, seed: int) -> Gain:
        base = self._base(fold, seed)
        calibration = self._calibration(base, person, base.data.classes, seconds)
        y, counts = calibration.judge.y, calibration.judge.counts
        classes = len(calibration.merged.classes)
        general = judge(y, base.int8.logits(counts).argmax(axis=1), classes)
        int8, took = self._taught(base, calibration, replace(self.plan.lesson, seed=seed))
        personal = judge(y, int8.logits(counts).argmax(axis=1), classes)
        shown = float(np.mean(list(calibration.seconds.values())))
        on_band = judge(y, self._on_band(base, calibration), classes)
        return Gain(
            protocol=self.plan.recipe.name,
            person=person,
            seconds=seconds,
            seed=seed,
            general=general.macro_f1,
            personal=personal.macro_f1,
            on_band=on_band.macro_f1,
            windows=len(y),
            shown=shown,
            took=took,
        )

    def _unseen(self, fold: Recipe, person: str, name: str, seed: int) -> Unseen:
        base = self._base(self._without(fold, name), seed)
        seconds = self.plan.unseen_seconds
        calibration = self._calibration(base, person, (name,), seconds)
        merged, judged = calibration.merged, calibration.judge
        new = judged.y == merged.classes.index(name)
        before = base.int8.logits(judged.counts)
        int8, _ = self._taught(base, calibration, replace(self.plan.unseen_lesson, seed=seed))
        answers = int8.logits(judged.counts).argmax(axis=1)
        band = self._on_band(base, calibration)
        classes, number = len(merged.classes), merged.classes.index(name)
        old_before = judge(judged.y[~new], before[~new].argmax(axis=1), classes)
        train = np.random.default_rng(seed).permutation(np.flatnonzero(base.data.side("train")))
        limit = rejection.set_threshold(base.int8.logits(base.data.counts[train[:1000]]))
        refused = limit.refuses(before)
        apart = {
            f"apart_{score}": rejection.separation(of(before[~new]), of(before[new]))
            for score, of in rejection.SCORES.items()
        }
        return Unseen(
            protocol=self.plan.recipe.name,
            person=person,
            name=name,
            seconds=seconds,
            seed=seed,
            new_f1=float(judge(judged.y, answers, classes).class_f1[number]),
            old_before=old_before.macro_f1,
            old_after=judge(judged.y[~new], answers[~new], classes).macro_f1,
            band_new_f1=float(judge(judged.y, band, classes).class_f1[number]),
            band_old_after=judge(judged.y[~new], band[~new], classes).macro_f1,
            caught=float(refused[new].mean()),
            refused=float(refused[~new].mean()),
            **apart,
        )

    def _kept(
        self, name: str, fold: Recipe, seed: int, kind: type[Result], make: Callable[[], Result]
    ) -> Result:
        """A trial from an earlier call, else made now and kept."""
        lesson = self.plan.lesson if kind is Gain else self.plan.unseen_lesson
        key = self.plan.key(lesson, self._digest(fold), self._ready_models(fold, seed))
        file = self.out / "trials" / f"{name}-{key}.json"
        known = known_trial(file, kind)
        if known is None:
            known = make()
            keep_trial(file, known)
            _forget_networks()
        return known


def _forget_networks() -> None:
    """Let go of the networks of trials that are done."""
    import tf_keras as keras

    keras.backend.clear_session()
