"""The training loop: it learns, repeats, resumes, keeps the best epoch, and refuses nonsense."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tinyhar.distill import (
    Augment,
    AugmentConfig,
    EpochReport,
    Examples,
    FitConfig,
    Hinton,
    Method,
    Snapshot,
    Teacher,
    fit,
    logits,
    macro_f1,
)
from tinyhar.distill.method import Outputs, Shapes
from tinyhar.distill.schedule import rate_at
from tinyhar.distill.step import mixed
from tinyhar.errors import DataError, ModelError
from tinyhar.models import build


def waves(count: int, seed: int) -> Examples:
    """Two classes: slow and fast sines of random phase, with noise."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, count)
    phase = random.uniform(0, 6.28, (count, 1))
    wave = np.sin(phase + np.arange(32) * np.where(y, 0.9, 0.3)[:, None])
    x = wave[:, None, :, None] + random.normal(0, 0.3, (count, 1, 32, 3))
    return Examples(x.astype(np.float32), y)


TRAIN, VALIDATION = waves(256, 0), waves(96, 1)
CONFIG = FitConfig(epochs=3, batch=32, rate=5e-3, seed=3)


def student(seed: int = 0) -> keras.Model:
    return build("separable", 32, 3, 2, seed=seed, widths=(8, 8, 8), depth=1, kernel=3)


def test_it_learns_and_reports() -> None:
    seen: list[EpochReport] = []
    history = fit(student(), TRAIN, VALIDATION, CONFIG, on_epoch=seen.append)
    assert tuple(seen) == history.epochs
    assert [report.epoch for report in seen] == [1, 2, 3]
    assert history.best_f1 > 0.9
    assert seen[-1].loss < seen[0].loss
    assert seen[-1].eta_seconds == 0.0


def test_the_best_epoch_is_in_the_model() -> None:
    model = student()
    bumpy = FitConfig(epochs=4, batch=32, rate=0.05, schedule="constant", seed=1)
    history = fit(model, TRAIN, VALIDATION, bumpy)
    assert history.best_f1 == max(report.macro_f1 for report in history.epochs)
    kept = macro_f1(logits(model, VALIDATION.x), VALIDATION.y)
    assert kept == pytest.approx(history.best_f1)
    assert history.epochs[history.best_epoch - 1].macro_f1 == history.best_f1


def test_no_weights_are_kept_before_the_training_has_settled() -> None:
    easy = FitConfig(epochs=4, batch=32, rate=5e-3, settle=0.75, patience=1, seed=3)
    history = fit(student(), TRAIN, VALIDATION, easy)
    assert history.best_epoch == 4
    assert [report.best_f1 for report in history.epochs[:3]] == [None, None, None]


def test_without_validation_the_last_weights_are_kept() -> None:
    nobody = Examples(VALIDATION.x[:0], VALIDATION.y[:0])
    config = FitConfig(epochs=3, batch=32, rate=5e-3, average=0.9, settle=0.5, seed=1)
    model = student()
    history = fit(model, TRAIN, nobody, config)
    assert (history.best_epoch, history.best_f1) == (3, None)
    assert {report.macro_f1 for report in history.epochs} == {None}
    watched = student()
    last = fit(watched, TRAIN, VALIDATION, FitConfig(**{**vars(config), "settle": 0.99}))
    assert last.best_epoch == 3
    for kept, same in zip(model.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, same)


def test_patience_without_validation_is_refused() -> None:
    nobody = Examples(VALIDATION.x[:0], VALIDATION.y[:0])
    with pytest.raises(DataError, match=r"split\.validation"):
        fit(student(), TRAIN, nobody, FitConfig(patience=2))


def test_the_seed_decides_the_outcome() -> None:
    config = FitConfig(epochs=2, batch=32, mixup=0.3, average=0.9, seed=5)
    outcomes = []
    for seed in (5, 5, 6):
        model = student()
        fit(model, TRAIN, VALIDATION, FitConfig(**{**vars(config), "seed": seed}))
        outcomes.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert np.array_equal(outcomes[0], outcomes[1])
    assert not np.array_equal(outcomes[0], outcomes[2])


class Watched(Hinton):
    """Notes what the teacher said and which targets there were, batch by batch."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[bytes, ...]] = []

    @property
    def anchors(self) -> tuple[str, ...]:
        return ("stage1",)

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        def note(*seen: np.ndarray) -> None:
            self.batches.append(tuple(array.tobytes() for array in seen))

        tf.numpy_function(note, [teacher["logits"], teacher["stage1"], targets], [])
        return super().losses(teacher, student, targets)


def test_views_come_again_and_the_teachers_answers_are_remembered() -> None:
    config = FitConfig(epochs=5, batch=32, mixup=0.3, views=2, balance=0.5, seed=5)
    master = student(9)

    def forget_everything(report: EpochReport) -> None:
        if report.epoch == 2:
            master.set_weights([np.zeros_like(w) for w in master.get_weights()])

    method = Watched()
    fit(
        student(),
        TRAIN,
        VALIDATION,
        config,
        method=method,
        teacher=Teacher(master),
        augment=Augment(AugmentConfig(noise=0.3, warp=0.2), (), np.zeros(3), np.ones(3)),
        on_epoch=forget_everything,
    )
    steps = len(TRAIN) // 32
    first, second = method.batches[:steps], method.batches[steps : 2 * steps]
    assert first != second
    assert method.batches == [*first, *second, *first, *second, *first]


class InterruptionError(Exception):
    pass


def test_an_interrupted_training_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    config = FitConfig(epochs=3, batch=32, average=0.9, seed=2)
    whole = student()
    history = fit(whole, TRAIN, VALIDATION, config)

    def stop_in_second(report: EpochReport) -> None:
        if report.epoch == 2:
            raise InterruptionError

    file = tmp_path / "snapshot.npz"
    with pytest.raises(InterruptionError):
        fit(
            student(),
            TRAIN,
            VALIDATION,
            config,
            on_epoch=stop_in_second,
            on_snapshot=lambda snapshot: snapshot.save(file),
        )
    resumed = student(seed=9)
    again = fit(resumed, TRAIN, VALIDATION, config, resume=Snapshot.load(file))
    assert [r.macro_f1 for r in again.epochs] == [r.macro_f1 for r in history.epochs]
    for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_snapshot_of_another_model_or_no_snapshot_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.npz"
    one = FitConfig(epochs=1, batch=32)
    fit(student(), TRAIN, VALIDATION, one, on_snapshot=lambda snapshot: snapshot.save(file))
    bigger = build("separable", 32, 3, 2, widths=(8, 8, 12), depth=1)
    with pytest.raises(ModelError, match="do not fit"):
        fit(bigger, TRAIN, VALIDATION, one, resume=Snapshot.load(file))
    file.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ModelError, match=r"snapshot\.npz"):
        Snapshot.load(file)


def test_a_snapshot_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = tmp_path / "file" / "snapshot.npz"
    one = FitConfig(epochs=1, batch=32)
    with pytest.raises(ModelError, match=r"snapshot\.npz: cannot be written"):
        fit(student(), TRAIN, VALIDATION, one, on_snapshot=lambda snapshot: snapshot.save(file))


def test_patience_ends_a_training_that_stalls() -> None:
    hopeless = FitConfig(epochs=8, batch=32, rate=1e-12, schedule="constant", patience=2)
    flat = Examples(VALIDATION.x, np.zeros_like(VALIDATION.y))
    history = fit(student(), TRAIN, flat, hopeless)
    assert history.stopped_early
    assert len(history.epochs) < 8


def test_a_teacher_teaches_without_labels() -> None:
    teacher = student(seed=1)
    longer = FitConfig(epochs=5, batch=32, rate=5e-3, seed=3)
    assert (fit(teacher, TRAIN, VALIDATION, longer).best_f1 or 0) > 0.9
    learner = student(seed=2)
    blind = Examples(TRAIN.x, np.zeros_like(TRAIN.y))  # labels that say nothing
    history = fit(
        learner, blind, VALIDATION, longer, method=Hinton(weight=1.0), teacher=Teacher([teacher])
    )
    assert (history.best_f1 or 0) > 0.85
    assert set(history.epochs[0].losses) == {"label", "logits"}


def test_an_ensemble_averages_logits() -> None:
    one, two = student(seed=1), student(seed=2)
    together = Teacher([one, two])(tf.constant(TRAIN.x[:4]))["logits"]
    assert together.numpy() == pytest.approx(
        (one(TRAIN.x[:4]).numpy() + two(TRAIN.x[:4]).numpy()) / 2, abs=1e-5
    )


class Project(Method):
    """A feature method in miniature, as later ones will be: a learned 1x1 projection at stage2."""

    name = "project"

    @property
    def anchors(self) -> tuple[str, ...]:
        return ("stage2",)

    def build(self, teacher: Shapes, student: Shapes) -> list[tf.Variable]:
        self.weight = tf.Variable(tf.zeros((student["stage2"][-1], teacher["stage2"][-1])))
        return [self.weight]

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        assert teacher is not None
        guess = tf.tensordot(student["stage2"], self.weight, 1)
        return {"stage": tf.reduce_mean((guess - teacher["stage2"]) ** 2)}


def test_the_hook_takes_features_and_learned_projections() -> None:
    teacher = build("separable", 32, 3, 2, seed=4, widths=(8, 8, 12), depth=1, kernel=3)
    project = Project()
    before = [w.copy() for w in teacher.get_weights()]
    history = fit(student(), TRAIN, VALIDATION, CONFIG, method=project, teacher=Teacher([teacher]))
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert float(tf.reduce_sum(tf.abs(project.weight))) > 0
    for a, b in zip(before, teacher.get_weights(), strict=True):
        assert np.array_equal(a, b)  # a teacher stays as it is


def test_no_retracing() -> None:
    traces = 0

    def count(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        nonlocal traces
        traces += 1
        return x

    fit(student(), TRAIN, VALIDATION, CONFIG, augment=count)  # type: ignore[arg-type]
    assert traces == 1


def test_the_clip_is_seen_by_the_model() -> None:
    model = student()
    loud = VALIDATION.x * 100
    assert logits(model, loud, clip=1.0) == pytest.approx(logits(model, np.clip(loud, -1, 1)))


def test_mixup_mixes_windows_and_targets_alike() -> None:
    x = tf.constant(np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1))
    targets = tf.one_hot([0, 1, 2, 3], 4)
    mixed_x, mixed_t = mixed(x, targets, 0.5, tf.constant([1, 2]))
    assert mixed_t.numpy().sum(axis=1) == pytest.approx(np.ones(4))
    assert mixed_x.numpy().ravel() == pytest.approx(mixed_t.numpy() @ np.arange(4), abs=1e-5)
    assert mixed_t.numpy().argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_rates_rise_and_fall() -> None:
    assert rate_at(0.0, 1.0, "one-cycle", 0.1) == pytest.approx(0.1)
    assert rate_at(0.1, 1.0, "one-cycle", 0.1) == pytest.approx(1.0)
    assert rate_at(1.0, 1.0, "one-cycle", 0.1) == pytest.approx(0.0)
    assert rate_at(0.5, 1.0, "cosine", 0.1) == pytest.approx(0.5)
    assert rate_at(0.7, 2.0, "constant", 0.1) == 2.0


def test_nonsense_is_refused_before_work_starts() -> None:
    with pytest.raises(ModelError, match="needs a teacher"):
        fit(student(), TRAIN, VALIDATION, CONFIG, method=Hinton())
    with pytest.raises(DataError, match="no training windows"):
        fit(student(), Examples(TRAIN.x[:0], TRAIN.y[:0]), VALIDATION, CONFIG)
    with pytest.raises(DataError, match="label 7"):
        fit(student(), Examples(TRAIN.x, TRAIN.y + 6), VALIDATION, CONFIG)
    with pytest.raises(DataError, match="the model takes"):
        fit(student(), Examples(TRAIN.x[:, :, :20], TRAIN.y), VALIDATION, CONFIG)
    with pytest.raises(DataError, match=r"x \[n, 1, time, channel\]"):
        Examples(TRAIN.x[:, 0], TRAIN.y)
