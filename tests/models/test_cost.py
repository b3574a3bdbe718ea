"""The cost table beyond convolutions: attention, recurrence, norms that nothing folds."""

import pytest
import tf_keras as keras

from tinyhar.models import build, cost_table, total_cost

UNFOLDED = {
    "self_attention": {"width": 16, "heads": 2, "feed_forward": 24, "filters": 8},
    "deep_conv_lstm": {"filters": 4, "units": 6},
    "ign": {},
}


@pytest.mark.parametrize("name", sorted(UNFOLDED))
def test_without_batch_norm_every_parameter_is_counted(name: str) -> None:
    model = build(name, 24, 3, 4, **UNFOLDED[name])
    assert total_cost(model).parameters == model.count_params()


@pytest.mark.parametrize(
    ("name", "options"), [("tinier_har", {"blocks": 1}), ("gmp", {"input_norm": True})]
)
def test_batch_norm_leaves_nothing_where_it_folds(name: str, options: dict[str, int]) -> None:
    """Their convolutions have biases, so folding takes the norms' four values a channel away."""
    model = build(name, 24, 3, 4, **options)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    stored = sum(layer.count_params() for layer in norms)
    unfolded = 2 if name == "gmp" else 0  # the input's factor and offset
    assert total_cost(model).parameters == model.count_params() - stored + unfolded


def test_attention_counts_both_of_its_products() -> None:
    model = build("self_attention", 20, 5, 3, **UNFOLDED["self_attention"])
    rows = {row.name: row for row in cost_table(model)}
    assert (rows["stage1_attention"].parameters, rows["stage1_attention"].macs) == (
        0,
        2 * 20 * 20 * 16,
    )
    assert rows["stage1_query"].macs == 20 * 16 * 16
    assert rows["stage1_widen"].parameters == 16 * 24 + 24
    assert rows["stage2"].parameters == 2 * 16 and rows["stage2"].macs == 0
    assert rows["sensor_conv"].macs == 20 * 5 * 9 * 8
    assert rows["pool"].macs == 20 * 16
    assert total_cost(model).macs == sum(row.macs for row in rows.values())


def test_recurrent_layers_weigh_input_and_state_at_each_step() -> None:
    lstm = {row.name: row for row in cost_table(build("deep_conv_lstm", 24, 3, 4, filters=4))}
    assert lstm["lstm1"].macs == 8 * 4 * 128 * (3 * 4 + 128)
    assert lstm["lstm2"].macs == 8 * 4 * 128 * (128 + 128)
    gru = {row.name: row for row in cost_table(build("tinier_har", 24, 3, 4, blocks=1))}
    assert gru["gru"].macs == 6 * 2 * 3 * 16 * (3 * 8 + 16)
    assert gru["gru"].parameters == 2 * 3 * 16 * (3 * 8 + 16 + 2)


def test_weights_of_an_unknown_layer_are_not_lost() -> None:
    inputs = keras.Input((1, 8, 3))
    model = keras.Model(inputs, keras.layers.PReLU(name="slope")(inputs))
    assert [(row.name, row.parameters) for row in cost_table(model)] == [("slope", 8 * 3)]
