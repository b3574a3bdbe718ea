"""TSAK's two stages of a teacher, and what a student with fewer sensors learns from it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.distill.tiny import tiny
from tinyhar.distill import (
    TSAK,
    Augment,
    AugmentConfig,
    Examples,
    FitConfig,
    Hinton,
    Memorising,
    Memory,
    Outputs,
    Seen,
    Teacher,
    Together,
    attach,
    fit,
    method,
    phases,
)
from tinyhar.distill.tsak import likeness
from tinyhar.errors import ModelError
from tinyhar.models import build, with_anchors
from tinyhar.models.tsak import REPRESENTATIONS

RANDOM = np.random.default_rng(5)
WIDE = Examples(RANDOM.normal(size=(48, 1, 16, 9)).astype(np.float32), RANDOM.integers(0, 3, 48))
NOBODY = Examples(WIDE.x[:0], WIDE.y[:0])
NARROW = Examples(WIDE.x[..., :2], WIDE.y)
NO_NARROW = Examples(NARROW.x[:0], NARROW.y[:0])
BRIEF = FitConfig(epochs=2, batch=16, rate=1e-2, seed=1)


def teacher() -> Teacher:
    model = build("tsak", 16, 9, 3, seed=2, width=8, heads=2, dilations=(1, 2))
    return Teacher(model, Memory.untrained(model, patterns=4))


def test_stage_one_leaves_the_semantic_classifier_alone_and_stage_two_all_else() -> None:
    model = teacher().models[0]
    first, second = phases(model)
    semantic = {layer.name for layer in model.layers if second.trains(layer.name)}
    assert semantic == {
        "semantic_views", "semantic_hidden", "semantic_dropout", "logits"
    }  # fmt: skip
    for phase, changes in (
        (first, lambda name: name not in semantic),
        (second, semantic.__contains__),
    ):
        before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        with phase.applied(model):
            fit(model, WIDE, NOBODY, BRIEF, method=phase.method)
        for name, weights in before.items():
            now = model.get_layer(name).get_weights()
            same = all(np.array_equal(a, b) for a, b in zip(weights, now, strict=True))
            assert same != changes(name), name
    assert all(layer.trainable for layer in model.layers)


def test_in_stage_two_the_views_are_those_of_inference() -> None:
    model = teacher().models[0]
    views = with_anchors(model, [f"{view}_logits" for view in REPRESENTATIONS])

    def largest_difference() -> float:
        still, told = views(WIDE.x, training=False), views(WIDE.x, training=True)
        return max(float(tf.reduce_max(abs(told[k] - still[k]))) for k in still if k != "logits")

    with phases(model)[1].applied(model):
        assert largest_difference() < 1e-6
    assert largest_difference() > 1e-3


def test_stage_one_trains_each_view_by_its_own_classifier() -> None:
    history = fit(
        teacher().models[0], WIDE, NOBODY, BRIEF, method=phases(teacher().models[0])[0].method
    )
    assert set(history.epochs[0].losses) == set(REPRESENTATIONS)


def test_an_ordinary_model_has_one_phase() -> None:
    (only,) = phases(tiny(4))
    assert only.trains("anything") and only.share == 1


def test_likeness_knows_no_scale_and_no_offset() -> None:
    rows = tf.constant(RANDOM.normal(size=(6, 8)), tf.float32)
    assert float(likeness(rows, 3.0 * rows + 7.0)) == pytest.approx(0, abs=1e-4)
    assert float(likeness(rows, -rows)) == pytest.approx(4, rel=1e-3)
    assert float(likeness(rows, tf.roll(rows, 1, axis=0))) > 0.5


def test_each_target_of_distillation_has_a_switch() -> None:
    guide = teacher()
    x = tf.constant(WIDE.x)
    for on in (*REPRESENTATIONS, "semantic", "label"):
        off = dict.fromkeys(("label", "semantic", *REPRESENTATIONS), 0.0)
        chosen = method("tsak", **{**off, on: 2.0})
        attached = attach(chosen, tiny(4), guide)
        losses = chosen.losses(
            attached.teacher(x), attached.student(x[..., :2]), tf.one_hot(WIDE.y, 3)
        )
        assert set(losses) == {on}
        assert float(losses[on]) > 0
        assert bool(attached.extra) == (on in REPRESENTATIONS)
    with pytest.raises(ModelError, match="every term is switched off"):
        TSAK(label=0, semantic=0)


def test_a_projection_learns_to_see_as_the_teacher_does() -> None:
    guide, student = teacher(), tiny(4)
    chosen = method("tsak", label=0.0, semantic=0.0, combined=1.0)
    longer = FitConfig(epochs=30, batch=16, rate=1e-2, seed=1)
    history = fit(
        student, NARROW, NO_NARROW, longer, method=chosen, teacher=guide, seen=Seen(WIDE.x)
    )
    assert history.epochs[-1].losses["combined"] < 0.5 * history.epochs[0].losses["combined"]


def test_methods_together_add_up() -> None:
    guide = teacher()
    both = Together(
        [
            method("tsak", causal=0.5),
            method("smldist", label=0.0, logits=0.0, memory=0.0, stages=["stage1"]),
        ]
    )
    attached = attach(both, tiny(4), guide)
    assert set(both.teacher_anchors) == {"causal", "stage1"}
    x = tf.constant(WIDE.x)
    losses = both.losses(attached.teacher(x), attached.student(x[..., :2]), tf.one_hot(WIDE.y, 3))
    assert set(losses) == {
        "tsak label", "tsak semantic", "tsak causal",
        "smldist stage_time", "smldist stage_frequency",
    }  # fmt: skip


class Watched(Hinton):
    """Notes which windows both models saw, by their mean over time."""

    def __init__(self) -> None:
        super().__init__()
        self.logits: list[np.ndarray] = []

    def losses(
        self, teacher: Outputs | None, student: Outputs, targets: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        tf.numpy_function(self.logits.append, [teacher["logits"]], [])
        return super().losses(teacher, student, targets)


def test_the_teacher_sees_its_own_sensors_of_the_same_windows() -> None:
    guide, watched = teacher(), Watched()
    config = FitConfig(epochs=1, batch=48, seed=1)
    fit(tiny(4), NARROW, NO_NARROW, config, method=watched, teacher=guide, seen=Seen(WIDE.x))
    order = np.random.default_rng([1, 0]).permutation(48)
    expected = guide.models[0](WIDE.x[order], training=False).numpy()
    np.testing.assert_allclose(watched.logits[0], expected, atol=1e-5)


def test_both_views_are_warped_alike() -> None:
    channels: tuple[object, ...] = ()
    wide, narrow = (
        Augment(AugmentConfig(warp=0.3), channels, np.zeros(n), np.ones(n)) for n in (9, 2)
    )
    seed = tf.constant([1, 2])
    np.testing.assert_allclose(
        wide(tf.constant(WIDE.x), seed).numpy()[..., :2],
        narrow(tf.constant(WIDE.x[..., :2]), seed).numpy(),
        atol=1e-6,
    )


def test_a_memory_can_stand_beside_the_second_stage() -> None:
    model = teacher().models[0]
    beside = Memorising(Memory.untrained(model, patterns=4))
    with phases(model)[1].applied(model):
        fit(model, WIDE, NOBODY, BRIEF, method=beside)
    assert not np.array_equal(beside.memory().patterns, beside.start.patterns)
