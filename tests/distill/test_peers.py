"""The peers of SMLDist: each paper's promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.distill.tensors import SEEDS, descends, features, rotation
from tinyhar.distill.attention_transfer import attention_map, attention_transfer
from tinyhar.distill.features import pooled
from tinyhar.distill.fitnet import hint
from tinyhar.distill.relational import angles, distances, huber
from tinyhar.distill.selectivity import discrepancy
from tinyhar.distill.similarity import similarities, similarity_preserving
from tinyhar.distill.variational import uncertainty

SCALES = st.floats(0.1, 10)


@settings(max_examples=20)
@given(SEEDS)
def test_equal_features_cost_nothing_and_others_something(seed: int) -> None:
    one, other = features(seed), features(seed + 1)
    for loss in (hint, attention_transfer, similarity_preserving):
        assert float(loss(one, one)) == 0.0
        assert float(loss(one, other)) > 0.0


@settings(max_examples=20)
@given(SEEDS, SCALES)
def test_attention_ignores_scale_and_the_order_and_number_of_channels(
    seed: int, scale: float
) -> None:
    x = features(seed)
    q = attention_map(x).numpy()
    assert np.linalg.norm(q, axis=-1) == pytest.approx(np.ones(len(x)), rel=1e-5)
    assert attention_map(np.float32(scale) * x).numpy() == pytest.approx(q, abs=1e-5)
    assert attention_map(x[..., ::-1]).numpy() == pytest.approx(q, abs=1e-5)
    assert attention_map(np.concatenate([x, x], axis=-1)).numpy() == pytest.approx(q, abs=1e-5)


def test_attention_is_where_the_activity_is() -> None:
    x = np.zeros((1, 1, 4, 2), np.float32)
    x[0, 0, 2] = [1, -1]
    assert attention_map(x).numpy()[0] == pytest.approx([0, 0, 1, 0])
    elsewhere = np.roll(x, 1, axis=2)
    assert float(attention_transfer(x, elsewhere)) == pytest.approx(2.0)


@settings(max_examples=20)
@given(SEEDS, SCALES)
def test_similarities_ignore_rotation_and_scale(seed: int, scale: float) -> None:
    x = features(seed)
    g = similarities(x).numpy()
    assert np.linalg.norm(g, axis=1) == pytest.approx(np.ones(len(x)), rel=1e-5)
    turned = np.float32(scale) * x @ rotation(seed, x.shape[-1])
    assert similarities(turned).numpy() == pytest.approx(g, abs=1e-4)
    assert similarities(x + 3).numpy() != pytest.approx(g, abs=1e-2)  # not a shift


@settings(max_examples=20)
@given(SEEDS, SCALES, st.floats(-5, 5))
def test_relations_ignore_rotation_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    x = pooled(features(seed)).numpy()
    moved = np.float32(scale) * x @ rotation(seed, x.shape[-1]) + np.float32(shift)
    assert distances(moved).numpy() == pytest.approx(distances(x).numpy(), abs=1e-2)
    assert angles(moved).numpy() == pytest.approx(angles(x).numpy(), abs=2e-2)


def test_relations_by_hand() -> None:
    """A right angle with legs 3 and 4."""
    x = np.float32([[0, 0], [3, 0], [0, 4]])
    assert distances(x).numpy() == pytest.approx(
        np.array([[0, 3, 4], [3, 0, 5], [4, 5, 0]]) / 4, rel=1e-5
    )
    cosines = angles(x).numpy()
    assert cosines[0, 1, 2] == pytest.approx(0.0, abs=1e-6)
    assert cosines[1, 0, 2] == pytest.approx(3 / 5)
    assert cosines[2, 0, 1] == pytest.approx(4 / 5)


def test_huber_is_a_square_near_zero_and_a_line_beyond_one() -> None:
    assert float(huber(np.float32([0.5]))) == pytest.approx(0.125)
    assert float(huber(np.float32([-3.0]))) == pytest.approx(2.5)


def test_gradients_flow_even_between_equal_windows() -> None:
    teacher, student = features(1), features(2)
    student[1] = student[0]
    for loss in (hint, attention_transfer, similarity_preserving):
        assert descends(lambda x, loss=loss: loss(teacher, x), student)
    ours, theirs = pooled(student).numpy(), pooled(teacher).numpy()
    assert descends(lambda x: huber(distances(x) - distances(theirs)), ours)
    assert descends(lambda x: huber(angles(x) - angles(theirs)), ours)


@settings(max_examples=20)
@given(SEEDS, SCALES)
def test_selectivity_ignores_scale_sign_order_and_number_of_channels(
    seed: int, scale: float
) -> None:
    x, y = features(seed), features(seed + 1)
    assert float(discrepancy(x, x)) == pytest.approx(0, abs=1e-6)
    found = float(discrepancy(x, y))
    assert found > 0
    for same in (np.float32(scale) * y, -y, y[..., ::-1], np.concatenate([y, y], axis=-1)):
        assert float(discrepancy(x, same)) == pytest.approx(found, abs=1e-5)


def test_selectivity_by_hand() -> None:
    first = np.zeros((1, 1, 2, 1), np.float32)
    first[0, 0, 0] = 3.0
    assert float(discrepancy(first, first[:, :, ::-1])) == pytest.approx(2.0)


@settings(max_examples=20)
@given(SEEDS)
def test_an_exact_guess_is_worth_a_small_variance_and_a_wrong_one_a_large(seed: int) -> None:
    x, y = features(seed), features(seed + 1)
    small, large = np.full(x.shape[-1], 0.1, np.float32), np.full(x.shape[-1], 4.0, np.float32)
    assert float(uncertainty(x, x, small)) < float(uncertainty(x, x, large))
    assert float(uncertainty(x, x, small)) == pytest.approx(0.5 * np.log(0.1), rel=1e-4)
    far = x + 10 * np.abs(y) + 10
    assert float(uncertainty(x, far, small)) > float(uncertainty(x, far, large))
    # The best variance is the mean square that is left.
    left = float(np.mean((x - y) ** 2))
    at = [
        float(uncertainty(x, y, np.full(x.shape[-1], v, np.float32)))
        for v in (left / 2, left, 2 * left)
    ]
    assert at[1] < min(at[0], at[2])
