"""A finished run's model under disturbances: fakes with known answers, and a real run."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipeline.watching import shortest
from tinyhar import recipe as recipes
from tinyhar import settings
from tinyhar.counts import Normalisation, lsb_of, to_counts
from tinyhar.errors import DataError
from tinyhar.evaluate.metrics import macro_f1
from tinyhar.pipeline import advance, prepare, robust
from tinyhar.pipeline.finished import Finished, opened
from tinyhar.pipeline.prepare import Prepared
from tinyhar.pipeline.robust import Plan
from tinyhar.recordings import Recording, digest, triaxial
from tinyhar.splits import Split

PLAN = Plan(
    angles=(90, 180), axes=2, drifts=(-10, 10), shares=(0.3,), noise=((20.0, 2.0),), draws=2
)
ACTIVITIES = ("sitting", "standing")
UP = {"sitting": (0.0, 0.0, 9.8), "standing": (9.8, 0.0, 0.0)}


class Oracle(Finished):
    """Names a posture by where gravity is along z: a model whose mistakes are known."""

    def answers(self, x: np.ndarray) -> np.ndarray:
        return (x[..., 2].mean(axis=1) < 5).astype(np.int64)


def posture(subject: str, activity: str, scenario: str = "", turn: float = 1.0) -> Recording:
    """Ten seconds at 25 Hz, the right wrist as in UP and the left one with x and z mirrored."""
    rng = np.random.default_rng(int(subject))
    still = np.array([*UP[activity], 0, 0, 0]) * turn
    right = still + 0.05 * rng.normal(size=(250, 6))
    both = np.hstack([right, -right]).astype(np.float32)
    channels = (*triaxial("right_wrist", "acc", "gyro"), *triaxial("left_wrist", "acc", "gyro"))
    labels = np.full(250, ACTIVITIES.index(activity), np.int16)
    source = f"{subject}-{activity}-{scenario}"
    return Recording(subject, 25.0, channels, both, labels, ACTIVITIES, source)


def people(names: str, **how: Any) -> list[Recording]:
    return [posture(name, activity, **how) for name in names for activity in ACTIVITIES]


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Oracle]:
    """A run on people 1 to 4, tested on 3 and 4, of a source with `others` in other data sets."""

    def make(source: str = "dsads", others: dict[str, list[Recording]] | None = None) -> Oracle:
        sets = {source: people("1234"), **(others or {})}
        monkeypatch.setattr(prepare, "load", lambda name, root: sets[name])
        recipe = recipes.parse(
            {
                "name": "x",
                "data": {
                    "source": source,
                    "positions": ["right_wrist"],
                    "activities": list(ACTIVITIES),
                    "rate": 25,
                    "window": 50,
                    "stride": 50,
                },
                "split": {"test": ["3", "4"]},
            }
        )
        recordings = prepare.recorded(recipe, None)
        windows = prepare.windowed(recipe, recordings)
        lsb = lsb_of(windows.channels)
        data = Prepared(
            counts=to_counts(windows.x, lsb),
            y=windows.y,
            subject=windows.subject,
            classes=windows.activities,
            channels=windows.channels,
            lsb=lsb,
            normalisation=Normalisation(np.zeros(6), np.ones(6), ("1", "2")),
            split=Split(("1",), ("2",), ("3", "4")),
            rate=25.0,
        )
        facts = {"prepare": {"digest": digest(recordings)}}
        return Oracle(Path("x-1"), recipe, facts, data, None, None)  # type: ignore[arg-type]

    return make


def loss(found: robust.Tried, name: str) -> float:
    return next(trial.loss for trial in found.trials if trial.name == name)


def test_losses_are_those_that_the_physics_says(
    oracle: Callable[..., Oracle], tmp_path: Path
) -> None:
    found = robust.robust(oracle(), tmp_path, plan=PLAN)
    assert found.clean == 1.0 and found.windows == 20
    assert loss(found, "at the left wrist (real)") > 0.5  # gravity along -z is taken for standing
    assert loss(found, "inside of the wrist (computed)") > 0.5  # so it is about x
    assert loss(found, "other way round (computed)") == 0  # about z it stays
    assert loss(found, "30% lost one by one") == loss(found, "30% lost in bursts of 0.25 s") == 0
    assert loss(found, "noise 20 m/s², 2 rad/s") > 0.05
    assert loss(found, "turned 180°") > 0
    assert found.left_out == ()


def test_a_wrong_clock_gives_other_numbers_of_windows(
    oracle: Callable[..., Oracle], tmp_path: Path
) -> None:
    found = robust.robust(oracle(), tmp_path, plan=PLAN)
    windows = {t.level: t.windows for t in found.trials if t.family == "clock drift"}
    assert windows == {-10: 16, 10: 20}  # 225 and 275 samples a recording hold 4 and 5 windows


def test_each_trial_is_told_and_repeats(oracle: Callable[..., Oracle], tmp_path: Path) -> None:
    told: list[str] = []
    found = robust.robust(oracle(), tmp_path, plan=PLAN, tell=told.append)
    assert told == [trial.name for trial in found.trials]
    assert robust.robust(oracle(), tmp_path, plan=PLAN) == found


def test_displaced_recordings_of_the_same_people_are_asked(
    oracle: Callable[..., Oracle], tmp_path: Path
) -> None:
    moved = {
        "realdisp-self": people("34", scenario="self"),
        "realdisp-mutual": people("14", scenario="mutual4", turn=-1.0),
    }
    found = robust.robust(oracle("realdisp-ideal", moved), tmp_path, plan=PLAN)
    assert loss(found, "placed by their wearers (real)") == 0
    mutual = next(t for t in found.trials if t.name == "displaced on purpose (real)")
    assert mutual.loss > 0.5 and mutual.windows == 10, "person 4 alone is unseen and was displaced"
    nobody = {**moved, "realdisp-mutual": people("12", scenario="mutual4")}
    left_out = robust.robust(oracle("realdisp-ideal", nobody), tmp_path, plan=PLAN).left_out
    assert left_out == (
        "Sensors displaced on purpose (real): none of the unseen people is in realdisp-mutual.",
    )


def test_without_recordings_the_rest_is_tried_and_the_reason_told(
    oracle: Callable[..., Oracle], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = oracle()
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    found = robust.robust(run, None, plan=PLAN)
    families = {trial.family for trial in found.trials}
    assert families == {"rotation", "displacement", "lost samples", "lost in bursts", "noise"}
    assert "TINYHAR_DATA" in found.left_out[0]


def test_other_recordings_than_the_runs_are_refused(
    oracle: Callable[..., Oracle], tmp_path: Path
) -> None:
    run = replace(oracle(), facts={"prepare": {"digest": "another"}})
    with pytest.raises(DataError, match="x-1: made from other recordings of 'dsads'"):
        robust.robust(run, tmp_path, plan=PLAN)


def test_a_sensor_that_lacks_an_axis_is_told_and_not_turned(
    oracle: Callable[..., Oracle], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = oracle()
    monkeypatch.delenv("TINYHAR_DATA", raising=False)
    keep = [0, 2, 3, 4, 5]
    lame = dataclasses.replace(
        run.data,
        counts=run.data.counts[..., keep],
        channels=tuple(run.data.channels[i] for i in keep),
        lsb=run.data.lsb[keep],
    )
    monkeypatch.setattr(Oracle, "answers", lambda self, x: np.zeros(len(x), np.int64))
    found = robust.robust(replace(run, data=lame), None, plan=PLAN)
    assert {t.family for t in found.trials} == {"lost samples", "lost in bursts", "noise"}
    assert "right_wrist_acc: has the axes x, z" in " ".join(found.left_out)


def test_settings_leave_out_seed_and_people(oracle: Callable[..., Oracle], tmp_path: Path) -> None:
    run = oracle()
    other = replace(run, recipe=recipes.changed(run.recipe, ["seed=7", 'split.test=["1"]']))
    twin = replace(run, recipe=recipes.changed(run.recipe, ["distillation.method=none"]))
    same, seven, none = (
        robust.robust(each, tmp_path, plan=PLAN).settings for each in (run, other, twin)
    )
    assert same == seven != none
    assert none["distillation.method"] == "none"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run on synthetic movement with one short training, up to the bundle."""
    folder = tmp_path_factory.mktemp("run")
    changes = ["distillation.method=none", "pruning.method=none", "quantisation.method=ptq"]
    advance(recipes.changed(shortest(), changes), folder, until="convert", quick=True)
    return folder


def test_the_key_changes_with_model_people_and_plan(converted: Path, tmp_path: Path) -> None:
    run = opened(converted)
    copy = tmp_path / "int8" / "model.tflite"
    copy.parent.mkdir()
    copy.write_bytes((converted / "int8" / "model.tflite").read_bytes())
    moved = replace(run, folder=tmp_path)
    assert robust.key(moved, robust.FULL) == robust.key(run, robust.FULL)
    copy.write_bytes(b"another")
    other = replace(run, recipe=recipes.changed(run.recipe, ["seed=9"]))
    assert len({robust.key(each, robust.FULL) for each in (run, moved, other)}) == 3
    assert robust.key(run, robust.FULL) != robust.key(run, robust.QUICK)


def test_a_real_run_answers_as_it_did(converted: Path) -> None:
    run = opened(converted)
    test = run.data.side("test")
    told = run.facts["convert"]["predicted"]
    assert run.of_counts(run.data.counts[test]).tolist() == told
    assert run.answers(run.data.units(test)).tolist() == told
    quick = Plan(angles=(180,), axes=1, drifts=(10,), shares=(0.1,), noise=((1, 0.1),), draws=1)
    found = robust.robust(run, None, plan=quick)
    assert found.clean == macro_f1(run.data.y[test], told, classes=len(run.data.classes))
    assert len(found.trials) == 1 + 3 + 1 + 2 + 1 and found.left_out == ()
    assert all(0 <= trial.macro_f1 <= 1 for trial in found.trials)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: (f / "recipe.toml").unlink(), "no run folder"),
        (lambda f: (f / "stages" / "quantise.json").unlink(), "stage 'quantise' is not done"),
        (lambda f: (f / "int8" / "model.tflite").unlink(), "int8/model.tflite: missing or damaged"),
        (lambda f: (f / "bundle.thb").write_bytes(b"x"), "bundle.thb: missing or damaged"),
        (
            lambda f: (f / "data" / "windows.npz").write_bytes(b""),
            "windows.npz: missing or damaged",
        ),
        (lambda f: _other_answers(f), "answers otherwise than when the run was made"),
    ],
)
def test_a_run_that_is_not_whole_is_refused(
    converted: Path, tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(converted, folder)
    harm(folder)
    with pytest.raises(DataError) as caught:
        opened(folder)
    assert words in str(caught.value) and str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def _other_answers(folder: Path) -> None:
    path = folder / "stages" / "quantise.json"
    record = json.loads(path.read_text())
    record["facts"]["predicted"][0] += 1
    path.write_text(json.dumps(record))


def test_a_teacher_is_asked_for_only_where_one_taught(converted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(converted, folder)
    assert "teach" not in opened(folder).facts
    recipe = recipes.changed(recipes.load(folder / "recipe.toml"), ["distillation.method=hinton"])
    (folder / "recipe.toml").write_text(settings.to_toml(recipe))
    with pytest.raises(DataError, match="stage 'teach' is not done"):
        opened(folder)
