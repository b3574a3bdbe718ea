"""The main job end to end, on synthetic movement: every promise of its run folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.watching import Diary, Finished, shortest
from tinyhar import pipeline, recipe
from tinyhar.convert.bundle import unpack
from tinyhar.convert.reference import TflmReference
from tinyhar.errors import DataError, LeakError, ModelError
from tinyhar.pipeline.folder import RunFolder
from tinyhar.pipeline.prepare import read

pytestmark = pytest.mark.timeout(900)


def test_every_band_that_was_asked_agrees_byte_for_byte(finished: Finished) -> None:
    facts = RunFolder(finished.folder).facts("prove")
    assert facts is not None
    asked = {board: told for board, told in facts["boards"].items() if "missing" not in told}
    assert "host" in asked
    if shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc"):
        assert "mps2_an386" in asked
    for told in asked.values():
        assert told["equal"] == told["windows"] > 100


def test_metrics_hold_the_promised_figures(finished: Finished) -> None:
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(finished.metrics))
    student, device = metrics["student"], metrics["device"]
    for figure in (metrics["teacher"]["macro_f1"], student["float"]["macro_f1"]):
        assert 0 <= figure <= 1
    assert 0 <= student["int8"]["macro_f1"] <= 1
    assert 500 < student["parameters"] <= 15_000
    assert student["macs"] > student["parameters"]
    assert student["flash_bytes"] < 2 * student["parameters"] + 4096
    assert device["agreement"] == 1.0


def test_nobody_is_on_two_sides_and_normalisation_saw_training_alone(finished: Finished) -> None:
    data = read(RunFolder(finished.folder))
    sides = [set(data.split.train), set(data.split.validation), set(data.split.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    train = data.units(data.side("train"))
    np.testing.assert_allclose(train.mean((0, 1)), data.normalisation.mean, atol=0.01)


def test_the_kept_answers_are_tflms(finished: Finished) -> None:
    bundle = unpack((finished.folder / "bundle.thb").read_bytes())
    with np.load(finished.folder / "validation.npz") as saved:
        inputs = bundle.count_map.apply(saved["counts"])[:, np.newaxis]
        tflite = (finished.folder / "int8" / "model.tflite").read_bytes()
        np.testing.assert_array_equal(TflmReference(tflite).run(inputs), saved["logits"])


def test_the_report_calls_synthetic_movement_synthetic(finished: Finished) -> None:
    page = (finished.folder / "report.html").read_text()
    assert "ynthetic" in page
    assert f"{finished.metrics['student']['int8']['macro_f1']:.4f}" in page


def test_a_finished_run_is_not_done_again(finished: Finished) -> None:
    diary = Diary()
    again = pipeline.run(finished.recipe, finished.folder, quick=True, progress=diary)
    assert diary.done_now == []
    assert diary.kept == [stage.name for stage in pipeline.STAGES]
    assert again["student"] == finished.metrics["student"]


def test_a_changed_recipe_does_again_only_what_the_change_touches(
    finished: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    changed = recipe.changed(finished.recipe, ["band.smooth_length=5", 'band.boards=["host"]'])
    diary = Diary()
    pipeline.run(changed, folder, quick=True, progress=diary)
    assert diary.kept == ["prepare", "teach", "distil", "prune", "quantise"]
    assert unpack((folder / "bundle.thb").read_bytes()).smoothing.length == 5


def test_a_damaged_file_of_a_finished_run_is_made_again_with_all_that_came_of_it(
    finished: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    model = folder / "int8" / "model.tflite"
    model.write_bytes(model.read_bytes()[:1000])
    diary = Diary()
    again = pipeline.run(finished.recipe, folder, quick=True, progress=diary)
    assert diary.kept == ["prepare", "teach", "distil", "prune"]
    assert diary.done_now == ["quantise", "convert", "build", "prove"]
    assert RunFolder(folder).damaged("quantise") == []
    assert again["device"]["agreement"] == 1.0


def test_advance_does_what_is_asked_and_no_more(finished: Finished, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.adopt(RunFolder(finished.folder), ["prepare", "teach"])
    diary = Diary()
    facts = pipeline.advance(
        finished.recipe, folder.root, until="distil", quick=True, progress=diary
    )
    assert diary.kept == ["prepare", "teach"] and diary.done_now == ["distil"]
    before = RunFolder(finished.folder).facts("distil")
    assert before is not None
    assert facts["distil"]["predicted"] == before["predicted"]
    assert not (folder / "int8").exists()


def test_a_run_folder_may_be_named_from_where_one_stands(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(Path("runs/here"))
    folder.adopt(
        RunFolder(finished.folder), ["prepare", "teach", "distil", "prune", "quantise", "convert"]
    )
    metrics = pipeline.run(finished.recipe, folder.root, quick=True)
    assert metrics["device"]["agreement"] == 1.0
    assert folder.damaged("build") == []


def test_without_distillation_no_teacher_is_trained(finished: Finished, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.adopt(RunFolder(finished.folder), ["prepare"])
    alone = recipe.changed(
        finished.recipe,
        ["distillation.method=none", 'band.boards=["host"]', "student.training.epochs=2"],
    )
    diary = Diary()
    metrics = pipeline.run(alone, folder.root, quick=True, progress=diary)
    assert "teach" not in [*diary.kept, *diary.done_now]
    assert metrics["device"]["agreement"] == 1.0
    assert "No teacher was trained" in (folder.root / "report.html").read_text()


def test_a_student_within_its_budget_is_not_pruned(finished: Finished, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.adopt(RunFolder(finished.folder), ["prepare", "teach", "distil"])
    generous = recipe.changed(finished.recipe, ["pruning.parameters=90000"])
    diary = Diary()
    facts = pipeline.advance(generous, folder.root, until="prune", quick=True, progress=diary)
    assert facts["prune"]["curve"] is None
    assert facts["prune"]["parameters"] == facts["distil"]["parameters"]
    assert any("within 90,000" in note for note in diary.notes)


def test_with_nobody_to_validate_everybody_trains(tmp_path: Path) -> None:
    everybody = recipe.changed(
        shortest(),
        ["split.validation=0", "distillation.method=none", 'band.boards=["host"]'],
    )
    metrics = pipeline.run(everybody, tmp_path / "run", quick=True)
    data = read(RunFolder(tmp_path / "run"))
    assert data.split.validation == ()
    assert metrics["device"]["agreement"] == 1.0
    curve = RunFolder(tmp_path / "run").facts("distil")["curve"]
    assert curve["best_epoch"] == len(curve["epochs"])
    assert "nobody" in (tmp_path / "run" / "report.html").read_text()


class PowerCutError(Exception):
    """Stands for whatever stops a process in the middle."""


class Cut(Diary):
    """Cuts the power when a training reaches its second epoch."""

    def epoch(self, what: str, report: object) -> None:
        if getattr(report, "epoch", 0) == 2:
            raise PowerCutError


def test_an_interrupted_training_goes_on_to_the_same_weights(
    finished: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    (folder / "stages" / "teach.json").unlink()
    (folder / "teacher" / "model.keras").unlink()
    with pytest.raises(PowerCutError):
        pipeline.run(finished.recipe, folder, quick=True, progress=Cut())
    assert (folder / "teacher" / "snapshot.npz").exists()
    from tinyhar.pipeline import teacher
    from tinyhar.recipe import quick

    run_folder = RunFolder(folder)
    facts = teacher.train_teacher(quick(finished.recipe), run_folder, read(run_folder), Diary())
    before = RunFolder(finished.folder).facts("teach")
    assert before is not None
    assert facts["predicted"] == before["predicted"]
    assert not (folder / "teacher" / "snapshot.npz").exists()


class CutAtTheSecond(Cut):
    """Cuts the power when the teacher's second member begins."""

    def __init__(self) -> None:
        super().__init__()
        self.trained: set[str] = set()

    def epoch(self, what: str, report: object) -> None:
        self.trained.add(what)
        if what == "teacher 2":
            raise PowerCutError


@pytest.mark.slow
def test_several_members_teach_and_an_interruption_costs_none(
    finished: Finished, tmp_path: Path
) -> None:
    several = recipe.changed(
        finished.recipe, ["teacher.members=2", "teacher.training.epochs=2", "split.validation=0"]
    )
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(PowerCutError):
        pipeline.advance(several, folder.root, until="teach", quick=True, progress=CutAtTheSecond())
    again = CutAtTheSecond()
    with pytest.raises(PowerCutError):
        pipeline.advance(several, folder.root, until="teach", quick=True, progress=again)
    assert again.trained == {"teacher 2"}
    facts = pipeline.advance(several, folder.root, until="distil", quick=True)
    one = RunFolder(finished.folder).facts("teach")
    assert one is not None
    assert facts["teach"]["parameters"] == 2 * one["parameters"]
    assert sorted(path.name for path in (folder / "teacher").iterdir()) == [
        "memory.npz",
        "model-2.keras",
        "model.keras",
    ]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ('data.activities=["walk","fly"]', DataError, "fly"),
        ('split.test=["nobody"]', DataError, "nobody"),
        ('split.validation=["synthetic-12"]', LeakError, "synthetic-12"),
        ('data.positions=["ankle"]', DataError, "ankle"),
        ("student.options={widht=2}", ModelError, "widht"),
        ("student.architecture=transformer", ModelError, "transformer"),
        ("student.architecture=seperable", ModelError, "did you mean 'separable'"),
        ("teacher.options.depth=deep", ModelError, "option depth = 'deep'"),
        ("student.architecture=tinier_har", ModelError, "cannot be a band's student"),
        ("distillation.options={bete=1}", ModelError, "bete"),
    ],
)
def test_a_recipe_that_cannot_work_says_so_before_any_training(
    change: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    wrong = recipe.changed(recipe.load("demo"), [change])
    with pytest.raises(error, match=words) as caught:
        pipeline.run(wrong, tmp_path / "run", quick=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "teacher").exists()


def test_a_recipe_that_cannot_work_leaves_a_finished_run_as_it_is(
    finished: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    before = (folder / "recipe.toml").read_text(), (folder / "metrics.json").read_text()
    wrong = recipe.changed(finished.recipe, ["student.architecture=seperable"])
    with pytest.raises(ModelError, match="separable"):
        pipeline.run(wrong, folder, quick=True)
    assert before == ((folder / "recipe.toml").read_text(), (folder / "metrics.json").read_text())


def test_what_is_begun_anew_no_longer_tells_old_figures(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    other = recipe.changed(finished.recipe, ["name=other"])
    pipeline.advance(other, folder, until="convert", quick=True)
    assert not (folder / "metrics.json").exists() and not (folder / "report.html").exists()


def without(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which one program is not installed."""
    found = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *args: None if name == program else found(name, *args)
    )


@pytest.mark.parametrize(
    ("program", "package", "missing"),
    [
        ("cmake", "cmake", {"host", "mps2_an386"}),
        ("arm-none-eabi-gcc", "gcc-arm-none-eabi", {"mps2_an386"}),
        ("qemu-system-arm", "qemu-system-arm", {"mps2_an386"}),
    ],
)
def test_a_missing_tool_leaves_its_boards_out_and_says_what_to_install(
    program: str,
    package: str,
    missing: set[str],
    finished: Finished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing here: the other tests show it")
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    (folder / "stages" / "build.json").unlink()
    (folder / "stages" / "prove.json").unlink()
    without(program, monkeypatch)
    diary = Diary()
    metrics = pipeline.run(finished.recipe, folder, quick=True, progress=diary)
    facts = RunFolder(folder).facts("prove")
    assert facts is not None
    assert {board for board, told in facts["boards"].items() if "missing" in told} == missing
    assert any(package in note for note in diary.notes)
    assert (metrics["device"].get("agreement") is None) == (missing == {"host", "mps2_an386"})
    assert package in (folder / "report.html").read_text()
