"""How a finished run's band bears what a laboratory does not have: see `evaluate.robustness`.

Every answer goes the band's own way: sensor counts, the count map, int8, integer arithmetic.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import tinyhar
from tinyhar.band.desk import INT8
from tinyhar.errors import DataError
from tinyhar.evaluate import robustness as disturb
from tinyhar.evaluate.metrics import macro_f1
from tinyhar.evaluate.robustness_results import Trial, Tried
from tinyhar.pipeline.finished import Finished
from tinyhar.pipeline.prepare import recorded, windowed
from tinyhar.recipe import Recipe
from tinyhar.recordings import Recording, digest
from tinyhar.settings import to_toml


@dataclass(frozen=True)
class Plan:
    """What is tried.

    Attributes:
        angles: degrees that the band sits turned, about each of `axes` random axes.
        axes: how many; the same ones for every angle and every run.
        drifts: per cent that the clock is too fast.
        shares: of the samples that are lost, one by one and in bursts.
        burst: mean length of a burst, seconds.
        noise: standard deviations in m/s^2 and rad/s.
        draws: how often losses and noise are drawn.
        seed: of everything random.
    """

    angles: tuple[float, ...] = tuple(range(15, 181, 15))
    axes: int = 8
    drifts: tuple[float, ...] = (-10, -5, -2, 2, 5, 10)
    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3)
    burst: float = 0.25
    noise: tuple[tuple[float, float], ...] = (
        (0.1, 0.01),
        (0.25, 0.025),
        (0.5, 0.05),
        (1.0, 0.1),
        (2.0, 0.2),
    )
    draws: int = 3
    seed: int = 1


FULL: Final = Plan()
QUICK: Final = Plan(angles=(45, 90, 180), axes=3, drifts=(-10, 10), shares=(0.1, 0.3), draws=1)
"""The whole table's shape in a tenth of the time."""

FOREARM: Final = {"spsw": ("wrist",), "dsads": ("right_wrist", "left_wrist")}
"""Where x runs along the forearm and z out of the wrist's back: gravity lies along x while the arm
hangs in walking, along z while it rests in sitting (measured on both sets)."""
# Half turns about the forearm, the back of the wrist, and both.
WORN: Final = {
    "x": "inside of the wrist (computed)",
    "z": "other way round (computed)",
    "y": "inside, other way round (computed)",
}
UNIT: Final = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}
SCENARIOS: Final = {
    "realdisp-ideal": {
        "realdisp-self": "placed by their wearers (real)",
        "realdisp-mutual": "displaced on purpose (real)",
    }
}
"""Data sets that hold the same people with displaced sensors."""


def robust(
    run: Finished,
    data: Path | None,
    *,
    plan: Plan = FULL,
    tell: Callable[[str], None] = lambda name: None,
) -> Tried:
    """Try everything of the plan on the run's unseen subjects.

    Args:
        run: whose model.
        data: where the data sets are; None: as TINYHAR_DATA says. Without either, drift of the
            clock and real displacement are left out, and the outcome says so.
        plan: what to try.
        tell: is told of each trial that is done.

    Raises:
        DataError: recordings that are damaged, or others than the run was made from.
    """
    unseen = _Unseen(run, plan)
    recordings = unseen.recordings(data)
    trials = []
    for family in (
        unseen.rotation(),
        unseen.displacement(recordings, data),
        unseen.drift(recordings),
        unseen.losses(),
        unseen.noise(),
    ):
        for trial in family:
            tell(trial.name)
            trials.append(trial)
    return Tried(
        folder=str(run.folder),
        name=run.recipe.name,
        settings=_settings(run.recipe),
        clean=unseen.clean,
        windows=len(unseen.y),
        trials=tuple(trials),
        left_out=tuple(unseen.left_out),
    )


def key(run: Finished, plan: Plan) -> str:
    """What the outcome depends on, as a hash: the same key, the same figures."""
    parts = (
        tinyhar.__version__,
        to_toml(run.recipe),
        run.facts["prepare"]["digest"],
        hashlib.sha256((run.folder / INT8).read_bytes()).hexdigest(),
        repr(plan),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class _Unseen:
    """One run's unseen subjects, and what may happen to them."""

    def __init__(self, run: Finished, plan: Plan) -> None:
        test = run.data.side("test")
        self.run, self.plan = run, plan
        self.x, self.y = run.data.units(test), run.data.y[test]
        self.clean = self.score(self.x, self.y)
        self.left_out: list[str] = []

    def score(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
        """Macro-F1 of the band's answers to windows in SI units."""
        return macro_f1(y, self.run.answers(x), classes=len(self.run.data.classes))

    def recordings(self, data: Path | None) -> list[Recording]:
        """What the run was made from, whole; empty where no data folder is known."""
        recipe = self.run.recipe
        if (
            data is None
            and not os.environ.get("TINYHAR_DATA")
            and recipe.data.source != "synthetic"
        ):
            self.left_out.append(
                "Drift of the clock and real displacement: they need the recordings themselves "
                "(--data, or the variable TINYHAR_DATA)."
            )
            return []
        found = recorded(recipe, data)
        if digest(found) != self.run.facts["prepare"]["digest"]:
            raise DataError(
                f"{self.run.folder}: made from other recordings of '{recipe.data.source}' than the "
                "ones there are now; run the recipe again"
            )
        band = recipe.data
        return [one.select(band.positions, band.kinds, band.axes) for one in found]

    def rotation(self) -> Iterator[Trial]:
        """The band sits turned by an angle, about several axes."""
        axes = disturb.random_axes(self.plan.axes, self.plan.seed)
        try:
            for angle in self.plan.angles:
                scores = [self._turned(axis, angle) for axis in axes]
                yield self._trial("rotation", angle, f"turned {angle:g}°", scores)
        except DataError as error:
            self.left_out.append(f"Rotation: {error}.")

    def displacement(self, recordings: list[Recording], data: Path | None) -> Iterator[Trial]:
        """The band sits elsewhere: real where somebody recorded that, else turned by half."""
        if recordings:
            yield from self._other_side(recordings, data)
            yield from self._scenarios(recordings, data)
        source, positions = self.run.recipe.data.source, self.run.recipe.data.positions
        on_wrist = set(positions or ("",)) <= set(FOREARM.get(source, ()))
        try:
            for axis, worn in WORN.items():
                name = worn if on_wrist else f"turned 180° about {axis} (computed)"
                yield self._trial("displacement", None, name, [self._turned(UNIT[axis], 180)])
        except DataError as error:
            self.left_out.append(f"Turns by half: {error}.")

    def drift(self, recordings: list[Recording]) -> Iterator[Trial]:
        """The clock is too fast or too slow."""
        test = self._unseen(recordings)
        if not test:
            return
        clean = self._cut(test)[0]
        for percent in self.plan.drifts:
            score, windows = self._cut([disturb.drifted(one, percent) for one in test])
            name = f"clock {abs(percent):g} % too {'fast' if percent > 0 else 'slow'}"
            yield Trial("clock drift", percent, name, (score,), clean, windows)

    def losses(self) -> Iterator[Trial]:
        """Samples are lost, one by one and in bursts."""
        windows, time = self.x.shape[:2]
        burst = max(1.0, self.plan.burst * self.run.data.rate)
        for family, how, length in (
            ("lost samples", "one by one", None),
            ("lost in bursts", f"in bursts of {self.plan.burst:g} s", burst),
        ):
            for share in self.plan.shares:
                scores = []
                for rng in self._draws():
                    lost = disturb.losses(windows, time, share, run=length, rng=rng)
                    scores.append(self.score(disturb.held(self.x, lost), self.y))
                yield self._trial(family, 100 * share, f"{share:.0%} lost {how}", scores)

    def noise(self) -> Iterator[Trial]:
        """The sensors are noisier."""
        channels = self.run.data.channels
        for acc, gyro in self.plan.noise:
            scores = [
                self.score(disturb.noisy(self.x, channels, acc=acc, gyro=gyro, rng=rng), self.y)
                for rng in self._draws()
            ]
            yield self._trial("noise", acc, f"noise {acc:g} m/s², {gyro:g} rad/s", scores)

    def _trial(self, family: str, level: float | None, name: str, scores: list[float]) -> Trial:
        return Trial(family, level, name, tuple(scores), self.clean, len(self.y))

    def _turned(self, axis: Any, angle: float) -> float:
        turn = disturb.about(axis, angle)
        return self.score(disturb.rotated(self.x, self.run.data.channels, turn), self.y)

    def _draws(self) -> Iterator[np.random.Generator]:
        return (np.random.default_rng([self.plan.seed, draw]) for draw in range(self.plan.draws))

    def _unseen(self, recordings: list[Recording]) -> list[Recording]:
        return [one for one in recordings if one.subject in self.run.data.split.test]

    def _cut(self, recordings: list[Recording]) -> tuple[float, int]:
        """Macro-F1 on recordings as the recipe cuts them, and how many windows that is."""
        windows = windowed(self.run.recipe, recordings)
        return self.score(windows.x, windows.y), len(windows)

    def _other_side(self, recordings: list[Recording], data: Path | None) -> Iterator[Trial]:
        """The other arm or leg, where the data set has the same sensors there."""
        recipe = self.run.recipe
        here = recipe.data.positions or ()
        there = tuple(_mirrored(position) for position in here)
        if there == here:
            return
        everywhere = _worn(recipe, data, positions=None)
        if not set(there) <= {place for one in everywhere for place in one.positions}:
            return
        try:
            found = self._unseen(_worn(recipe, data, positions=there))
        except DataError as error:
            self.left_out.append(f"The other side: {error}.")
            return
        renamed = [replace(one, channels=self.run.data.channels) for one in found]
        clean = self._cut(self._unseen(recordings))[0]
        score, windows = self._cut(renamed)
        name = f"at the {' and '.join(there).replace('_', ' ')} (real)"
        yield Trial("displacement", None, name, (score,), clean, windows)

    def _scenarios(self, recordings: list[Recording], data: Path | None) -> Iterator[Trial]:
        """The same people with sensors that sit elsewhere; the clean score is of those people."""
        recipe = self.run.recipe
        for source, name in SCENARIOS.get(recipe.data.source, {}).items():
            moved = self._unseen(_worn(recipe, data, source=source))
            people = {one.subject for one in moved}
            same = [one for one in self._unseen(recordings) if one.subject in people]
            if not same:
                self.left_out.append(f"Sensors {name}: none of the unseen people is in {source}.")
                continue
            score, windows = self._cut(moved)
            yield Trial("displacement", None, name, (score,), self._cut(same)[0], windows)


def _mirrored(position: str) -> str:
    for side, other in (("right_", "left_"), ("left_", "right_")):
        if position.startswith(side):
            return other + position.removeprefix(side)
    return position


def _worn(recipe: Recipe, data: Path | None, **changes: Any) -> list[Recording]:
    """Other recordings, through the band's sensors alone."""
    teacher = recipe.teacher.model_copy(update={"senses": None})
    other = recipe.data.model_copy(update={"borrow": (), **changes})
    found = recorded(recipe.model_copy(update={"data": other, "teacher": teacher}), data)
    return [one.select(axes=recipe.data.axes) for one in found]


def _settings(recipe: Recipe) -> dict[str, str]:
    """All that two runs of the same kind share: everything but name, seed, people and boards."""
    table = recipe.model_dump(mode="json", exclude={"name", "seed", "split", "band"})
    return dict(_flat(table, ""))


def _flat(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
