"""Architectures: shapes, options, anchors, and the cost table against hand counts."""

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import (
    MODELS,
    anchors,
    build,
    cost_table,
    options_of,
    total_cost,
    with_anchors,
)

SMALL = {"separable": {"width": 0.25, "depth": 1}, "mobilenetv3": {"width": 0.25, "depth": 0.4}}
"""The families that a width and a depth scale."""

TINY = {
    **SMALL,
    "deep_conv_lstm": {"filters": 4, "units": 4},
    "self_attention": {"blocks": 1, "width": 8, "filters": 4},
    "tinier_har": {"blocks": 0, "units": 4},
    "tsak": {"width": 8, "heads": 2, "dilations": (1, 2)},
}


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize(("window", "channels", "classes"), [(128, 6, 6), (37, 9, 19)])
def test_a_window_becomes_logits(name: str, window: int, channels: int, classes: int) -> None:
    model = build(name, window, channels, classes, **TINY.get(name, {}))
    out = model(np.zeros((2, 1, window, channels), np.float32))
    assert out.shape == (2, classes)
    assert model.layers[-1].name == "logits"


@pytest.mark.parametrize("name", sorted(SMALL))
def test_every_width_is_a_multiple_of_four(name: str) -> None:
    model = build(name, 64, 6, 5, width=0.37, depth=1 if name == "separable" else 0.4)
    widths = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    convolutions = [w for w in widths if w is not None]
    assert convolutions and all(w % 4 == 0 for w in convolutions)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_width_and_depth_scale_the_cost(name: str) -> None:
    once = SMALL[name]["depth"]
    base = total_cost(build(name, 64, 6, 5, width=0.5, depth=once))
    wider = total_cost(build(name, 64, 6, 5, width=1.0, depth=once))
    deeper = total_cost(build(name, 64, 6, 5, width=0.5, depth=2 * once))
    assert wider.parameters > base.parameters and wider.macs > base.macs
    assert deeper.parameters > base.parameters and deeper.macs > base.macs


def test_the_seed_decides_the_weights() -> None:
    one, same, other = (
        build("separable", 32, 3, 2, seed=seed, **SMALL["separable"]).get_weights()[0]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_unknown_names_are_told() -> None:
    with pytest.raises(ModelError, match=r"ign, mobilenetv3, .*separable"):
        build("resnet", 64, 6, 5)
    with pytest.raises(ModelError, match=r"widht.*width"):
        build("separable", 64, 6, 5, widht=1.0)
    with pytest.raises(ModelError, match="depth 0"):
        build("separable", 64, 6, 5, depth=0)
    assert "kernel" in options_of("separable")


def test_anchors_end_the_stages() -> None:
    student = build("separable", 128, 6, 6)
    teacher = build("mobilenetv3", 128, 6, 6, width=0.5, depth=0.4)
    assert anchors(student) == anchors(teacher) == ("stage1", "stage2", "stage3")
    outputs = with_anchors(student, ["stage2"])(np.zeros((1, 1, 128, 6), np.float32))
    assert set(outputs) == {"logits", "stage2"}
    wide = with_anchors(teacher, ["stage1", "stage3"])
    assert wide.output["stage1"].shape[2] == 64
    assert wide.output["stage3"].shape[2] == 16
    with pytest.raises(ModelError, match=r"stage9.*stage1, stage2, stage3"):
        with_anchors(student, ["stage9"])


def test_a_linear_stage_end_is_its_batch_norm() -> None:
    model = build("mobilenetv3", 64, 6, 6, width=0.25, depth=0.4)  # one block a stage: no addition
    assert anchors(model) == ("stage1", "stage2", "stage3")
    features = with_anchors(model, ["stage3"])(np.ones((1, 1, 64, 6), np.float32))["stage3"]
    assert features.shape == (1, 1, 8, 16)


def test_the_cost_table_counts_as_by_hand() -> None:
    model = build("separable", 32, 6, 5, width=1.0, depth=1, widths=(8, 12, 16), kernel=3)
    rows = {row.name: row for row in cost_table(model)}
    stem = rows["stem_conv"]
    assert (stem.parameters, stem.macs) == (9 * 6 * 8 + 8, 16 * 9 * 6 * 8)  # with folded bias
    depthwise = rows["stage1_block1_depthwise_conv"]
    assert (depthwise.parameters, depthwise.macs) == (3 * 8 + 8, 16 * 3 * 8)
    assert (rows["logits"].parameters, rows["logits"].macs) == (16 * 5 + 5, 16 * 5)
    assert rows["pool"].parameters == 0
    assert total_cost(model).macs == sum(row.macs for row in rows.values())


def test_folding_explains_the_parameter_count() -> None:
    model = build("separable", 32, 6, 5)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    in_norms = sum(4 * int(norm.gamma.shape[0]) for norm in norms)
    biases = sum(int(norm.gamma.shape[0]) for norm in norms)
    assert total_cost(model).parameters == model.count_params() - in_norms + biases


def test_a_gate_is_a_hard_sigmoid_times_six() -> None:
    """So that batch norm after the projection sees MobileNetV3's gate but for a constant."""
    model = build("mobilenetv3", 32, 3, 2, seed=0, width=0.25, depth=0.3)
    x = np.random.default_rng(0).normal(size=(4, 1, 32, 3)).astype(np.float32)
    names = ("stage1_block1_squeeze_in", "stage1_block1_squeeze_gate")
    before, gate = keras.Model(model.input, [model.get_layer(n).output for n in names])(x)
    out = model.get_layer("stage1_block1_squeeze_out")
    kernel, bias = out.get_weights()
    assert np.all(bias == 3.0)
    z = np.asarray(before) @ kernel[0, 0] / 1.2
    np.testing.assert_allclose(gate, 6.0 * np.clip(0.2 * z + 0.5, 0.0, 1.0), atol=1e-5)
