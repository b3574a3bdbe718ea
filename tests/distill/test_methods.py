"""Methods by name: each trains, adds up its named losses, and refuses what does not fit at once."""

from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from tests.distill.tiny import CONFIG, EXAMPLES, tiny
from tinyhar import distill
from tinyhar.distill import METHODS, Memory, Teacher, attach, fit, losses, method, options_of
from tinyhar.distill.attention_transfer import attention_transfer
from tinyhar.distill.conditional import conditional
from tinyhar.distill.step import Stepper
from tinyhar.errors import ModelError
from tinyhar.recipe import Distillation

TARGETS = tf.one_hot(EXAMPLES.y, 3)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    model = tiny(8, seed=1)
    return Teacher(model, Memory.untrained(model, patterns=5))


def seen(name: str, teacher: Teacher, **options: Any) -> dict[str, float]:
    """A method's losses for an untrained student of another width."""
    chosen = method(name, **options)
    attached = attach(chosen, tiny(4), teacher)
    assert attached.teacher is not None
    parts = chosen.losses(attached.teacher(EXAMPLES.x), attached.student(EXAMPLES.x), TARGETS)
    return {part: float(value) for part, value in parts.items()}


def test_a_recipe_knows_the_same_methods() -> None:
    known = get_args(Distillation.model_fields["method"].annotation)
    assert set(known) == set(METHODS)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_two_steps_minimise_the_sum_of_the_named_losses(name: str, teacher: Teacher) -> None:
    """The optimiser's first moments after one step are (1 - beta_1) times the total's gradient."""
    chosen, student = method(name), tiny(4)
    stepper = Stepper(student, EXAMPLES.x, EXAMPLES.y, CONFIG, chosen, teacher, None, None)
    guide = stepper.teacher(tf.constant(EXAMPLES.x[:8])) if stepper.teacher else None
    with tf.GradientTape() as tape:
        parts = chosen.losses(guide, stepper.student(EXAMPLES.x[:8], training=True), TARGETS[:8])
        total = tf.add_n(list(parts.values()))
    wanted = tape.gradient(total, stepper.trained)
    assert all(one is not None for one in wanted)
    told = stepper.step(np.arange(8), 0, 1e-3)
    assert set(told) == set(parts)
    assert sum(map(float, told.values())) == pytest.approx(float(total), rel=1e-4)
    for moment, slope in zip(stepper.optimizer._momentums, wanted, strict=True):
        np.testing.assert_allclose(moment.numpy(), 0.1 * slope.numpy(), rtol=1e-2, atol=1e-5)
    again = stepper.step(np.arange(8), 1, 1e-3)
    assert np.isfinite([float(value) for value in again.values()]).all()


def test_smldists_terms_have_switches(teacher: Teacher) -> None:
    everything = seen("smldist", teacher)
    assert list(everything) == ["label", "logits", "stage_time", "stage_frequency", "memory"]
    for off, gone in {
        "label": {"label"},
        "logits": {"logits"},
        "stage": {"stage_time", "stage_frequency"},
        "time": {"stage_time"},
        "frequency": {"stage_frequency"},
        "memory": {"memory"},
    }.items():
        rest = seen("smldist", teacher, **{off: 0.0})
        assert set(everything) - set(rest) == gone
        assert rest == pytest.approx({part: everything[part] for part in rest}, rel=1e-4)
    assert seen("smldist", teacher, dc=False)["stage_frequency"] < everything["stage_frequency"]
    assert seen("smldist", teacher, retrieval=0.0)["memory"] < everything["memory"]
    assert seen("smldist", teacher, stage=0.3)["stage_time"] == pytest.approx(
        3 * everything["stage_time"], rel=1e-4
    )


def test_losses_are_weights_times_pure_functions(teacher: Teacher) -> None:
    ours, theirs = tiny(4)(EXAMPLES.x), teacher(EXAMPLES.x)["logits"]
    label = float(losses.cross_entropy(TARGETS, ours))
    smldist = seen("smldist", teacher, label=0.3, logits=2.0, temperature=3.0, smoothing=0.2)
    assert smldist["label"] == pytest.approx(0.3 * label, rel=1e-4)
    rule = float(conditional(theirs, ours, TARGETS, 3.0, 0.2))
    assert smldist["logits"] == pytest.approx(2 * rule, rel=1e-4)
    at = seen("at", teacher, weight=5.0, stages=["stage2"], soft=0.25)
    guide = teacher.with_anchors(["stage2"])
    student = attach(method("at"), tiny(4), teacher).student
    maps = float(attention_transfer(guide(EXAMPLES.x)["stage2"], student(EXAMPLES.x)["stage2"]))
    hinton = float(losses.hinton(theirs, ours, 4.0))
    assert at == pytest.approx(
        {"label": 0.75 * label, "features": 5 * maps, "logits": 0.25 * hinton}, rel=1e-4
    )


def test_projections_stand_only_where_widths_differ(teacher: Teacher) -> None:
    assert attach(method("smldist"), tiny(8), teacher).extra == []
    assert len(attach(method("smldist"), tiny(4), teacher).extra) == 2 * 3
    assert len(attach(method("fitnet"), tiny(8), teacher).extra) == 2  # its regressor is the idea


def test_a_student_equal_to_its_teacher_has_nothing_to_learn_from_features(
    teacher: Teacher,
) -> None:
    twin = tiny(8, seed=1)
    for name in ("at", "sp", "rkd", "smldist"):
        chosen = method(name)
        attached = attach(chosen, twin, teacher)
        assert attached.teacher is not None
        parts = chosen.losses(attached.teacher(EXAMPLES.x), attached.student(EXAMPLES.x), TARGETS)
        for part in {"features", "stage_time", "stage_frequency", "memory"} & set(parts):
            assert float(parts[part]) == pytest.approx(0.0, abs=1e-5), (name, part)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fitnt", {}, ["fitnt", "fitnet"]),
        ("at", {"wieght": 1}, ["'at'", "wieght", "weight", "stages"]),
        ("at", {"weight": "much"}, ["'at'", "weight", "much", "a number"]),
        ("at", {"weight": True}, ["weight", "a number"]),
        ("at", {"stages": "stage1"}, ["stages", "a list of names"]),
        ("at", {"stages": []}, ["at", "at least one stage"]),
        ("sp", {"soft": 2}, ["sp", "soft 2"]),
        ("rkd", {"angle": -1}, ["rkd", "angle -1"]),
        ("smldist", {"dc": 1}, ["dc", "true or false"]),
        ("smldist", {"memory": -1}, ["smldist", "memory -1"]),
        ("smldist", {"beta": 0}, ["smldist", "beta 0"]),
        ("smldist", {"stages": []}, ["smldist", "no stages"]),
        ("smldist", {"label": 0, "logits": 0, "stage": 0, "memory": 0}, ["switched off"]),
        ("smldist", {"_projections": 1}, ["no option"]),
    ],
)
def test_a_wrong_option_is_named(name: str, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ModelError) as caught:
        method(name, **options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_options_are_told_with_their_defaults() -> None:
    assert options_of("hinton") == {"temperature": 4.0, "weight": 0.9, "label_smoothing": 0.0}
    for name in METHODS:
        assert type(method(name, **options_of(name))) is METHODS[name]


def test_what_does_not_go_together_is_refused_naming_method_and_layer(teacher: Teacher) -> None:
    late = tiny(4, stride=1)
    for name, stage in {"fitnet": "stage2", "at": "stage1", "smldist": "stage1"}.items():
        with pytest.raises(ModelError, match=rf"'{name}', layer '{stage}'.*16.*equal time"):
            attach(method(name), late, teacher)
    for name in ("sp", "rkd"):  # these compare windows with windows: time may differ
        attach(method(name), late, teacher)
    with pytest.raises(ModelError, match=r"method 'sp'.*no anchor 'stage3'.*stage1, stage2"):
        attach(method("sp"), tiny(4, stages=2), teacher)
    with pytest.raises(ModelError, match=r"no memory of 'stage2'.*memory/stage3"):
        attach(method("smldist", memory_stage="stage2"), tiny(4), teacher)
    with pytest.raises(ModelError, match="no memory of 'stage3'"):
        fit(tiny(4), EXAMPLES, EXAMPLES, CONFIG, method=method("smldist"), teacher=Teacher(tiny(8)))
    attach(method("smldist", memory=0), tiny(4), Teacher(tiny(8)))
    with pytest.raises(ModelError, match="patterns are 3 wide"):
        narrow = Memory("stage3", np.zeros((2, 3), np.float32))
        attach(method("smldist"), tiny(4), Teacher(tiny(8), narrow))
    with pytest.raises(ModelError, match="needs a teacher"):
        attach(distill.FitNet(), tiny(4), None)
