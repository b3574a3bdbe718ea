"""Transfer learning of a finished run's student on a user's own movement, into a run folder.

The folder holds what a band, its tools and another `personal fit` need: recipe, windows, float and
int8 model, bundle, golden vectors, C arrays, firmware. Nothing is written before the model is made.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tinyhar import compress, models, settings
from tinyhar.band.desk import BUNDLE, INT8
from tinyhar.distill import Examples
from tinyhar.errors import DataError
from tinyhar.personal.course import Taught, personalise
from tinyhar.pipeline import deliver
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.learn import PRUNED
from tinyhar.pipeline.personal_base import Base, Int8, open_base
from tinyhar.pipeline.personal_calibration import Calibration, Wish, calibrated, doubted, print_of
from tinyhar.pipeline.personal_data import joined
from tinyhar.pipeline.personal_judge import judged_by
from tinyhar.pipeline.personal_report import write_report
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.prepare import write as write_windows
from tinyhar.pipeline.progress import Progress, Silence
from tinyhar.pipeline.trainer import save
from tinyhar.recipe import Recipe
from tinyhar.recordings import digest

STAGE: Final = "personal"


def fit(
    base_run: Path,
    recordings: Path,
    out: Path,
    *,
    wish: Wish | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Teach a base run's student a user's recordings; leaves a run folder, returns its metrics.

    Raises:
        DataError: a base run or recordings that cannot be used, or a folder that is another run's.
        ModelError: a student that cannot be taught new classes.
    """
    wish, progress = wish or Wish(), progress or Silence()
    started = time.monotonic()
    _check_out(out, base_run)
    base = open_base(base_run)
    progress.stage("read", "read the calibration")
    calibration = calibrated(base, recordings, wish)
    student = base.student()
    doubts = doubted(base, calibration, student)
    for doubt in doubts:
        progress.note(str(doubt))
    progress.done("read", time.monotonic() - started)
    progress.stage(STAGE, "teach the student")
    since = time.monotonic()
    others = base.others(calibration.merged.rehearsed)
    taught = personalise(
        student,
        Examples(base.inputs(calibration.learn.counts), calibration.learn.y),
        others,
        calibration.merged,
        wish.lesson,
        augment=base.augment(wish.lesson.rotation),
        clip=base.clip,
        on_epoch=lambda report: progress.epoch(STAGE, report),
    )
    progress.done(STAGE, time.monotonic() - since)
    progress.stage("quantise", "quantise to int8")
    since = time.monotonic()
    tflite = compress.to_tflite(
        taught.model, calibration=taught.lessons.x, clip=base.clip, isolated=False
    )
    progress.done("quantise", time.monotonic() - since)
    made = _Made(base, calibration, wish, taught, tflite, [str(d) for d in doubts])
    return _write(made, RunFolder(out), progress, started)


@dataclass(frozen=True, eq=False)
class _Made:
    """All that goes into a personal run's folder."""

    base: Base
    calibration: Calibration
    wish: Wish
    taught: Taught
    tflite: bytes
    doubts: list[str]

    @property
    def recipe(self) -> Recipe:
        """The base run's, for the boards that the user asked for."""
        recipe = self.base.recipe
        name = recipe.name if recipe.name.endswith("-personal") else f"{recipe.name}-personal"
        band = recipe.band.model_copy(update={"boards": self.wish.boards})
        return recipe.model_copy(update={"name": name, "band": band})


def _write(made: _Made, folder: RunFolder, progress: Progress, started: float) -> dict[str, Any]:
    base, calibration, recipe = made.base, made.calibration, made.recipe
    data = joined(base, calibration.merged, calibration.learn, calibration.judge, _who(calibration))
    judged = judged_by(made.base, calibration, Int8.of(made.tflite, data))
    with folder.held():
        key = _key(made)
        folder.forget("convert")
        folder.forget("build")
        (folder / BUNDLE).unlink(missing_ok=True)
        folder.forget_told()
        folder.begin(STAGE, key)
        folder.write_text("recipe.toml", settings.to_toml(recipe))
        write_windows(folder, data)
        save(folder, PRUNED, made.taught.model)
        folder.write_bytes(INT8, made.tflite)
        taught = [*base.learned_from, *map(print_of, calibration.recordings)]
        folder.finish(STAGE, key, {"recordings": digest(calibration.recordings), "taught": taught})
        delivered = _deliver(recipe, folder, data, progress, key)
        metrics = {
            "kind": STAGE,
            "base": str(base.root),
            "classes": list(calibration.merged.classes),
            "recorded_again": list(calibration.merged.recorded_again),
            "new": list(calibration.merged.new),
            "student": {
                "parameters": models.total_cost(made.taught.model).parameters,
                "macs": models.total_cost(made.taught.model).macs,
                "flash_bytes": delivered["payload_bytes"],
                "tflite_bytes": delivered["tflite_bytes"],
            },
            "bundle": delivered["identity"],
            "doubts": made.doubts,
            "seconds_a_class": calibration.seconds,
            "seconds": time.monotonic() - started,
        }
        return write_report(folder, metrics, judged)


def _deliver(
    recipe: Recipe, folder: RunFolder, data: Prepared, progress: Progress, key: str
) -> dict[str, Any]:
    """Bundle, C arrays and firmware, as the main job makes them."""
    delivered: dict[str, Any] = {}
    for name, title, work in (
        ("convert", "bundle and C arrays", deliver.convert),
        ("build", "build the firmware", deliver.build),
    ):
        progress.stage(name, title)
        since = time.monotonic()
        folder.begin(name, key)
        facts = work(recipe, folder, data, progress)
        folder.finish(name, key, facts)
        progress.done(name, time.monotonic() - since)
        delivered |= facts
    return delivered


def _who(calibration: Calibration) -> str:
    return calibration.recordings[0].subject


def _key(made: _Made) -> str:
    parts = (
        hashlib.sha256((made.base.root / BUNDLE).read_bytes()).hexdigest()
        if (made.base.root / BUNDLE).exists()
        else "",
        digest(made.calibration.recordings),
        repr(made.wish),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _check_out(out: Path, base_run: Path) -> None:
    """A folder that is another run's is not written into."""
    if out.exists() and (out / "recipe.toml").exists():
        own = any((out / "stages" / f"{STAGE}.{end}").exists() for end in ("json", "started"))
        if out.resolve() == base_run.resolve() or not own:
            raise DataError(f"{out}: holds another run; name another folder with --out")
