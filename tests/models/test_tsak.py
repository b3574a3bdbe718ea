"""TSAK's teacher: three views of a window, one of which knows nothing of the future."""

import numpy as np
import pytest
import tf_keras as keras

from tinyhar.errors import ModelError
from tinyhar.models import anchors, build, check_student, total_cost, with_anchors
from tinyhar.models.tsak import REPRESENTATIONS, STRIDE

TINY = {"width": 8, "heads": 2, "dilations": (1, 2)}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    model = build("tsak", 61, 9, 4, seed=3, **TINY)
    random = np.random.default_rng(0)
    model(random.normal(2, 3, (32, 1, 61, 9)).astype(np.float32), training=True)
    return model


@pytest.mark.parametrize("window", [61, 62, 63, 64, 100, 125])
def test_all_views_have_the_same_steps(window: int) -> None:
    views = with_anchors(build("tsak", window, 6, 3, **TINY), REPRESENTATIONS)
    shapes = {views.output[name].shape[1:] for name in REPRESENTATIONS}
    assert shapes == {(1, -(-window // STRIDE), 8)}


@pytest.mark.parametrize("changed", [1, 7, 20, 44, 60])
def test_a_later_sample_never_changes_an_earlier_causal_output(
    model: keras.Model, changed: int
) -> None:
    views = with_anchors(model, REPRESENTATIONS)
    x = np.random.default_rng(1).normal(size=(1, 1, 61, 9)).astype(np.float32)
    later = x.copy()
    later[:, :, changed:] += np.random.default_rng(2).normal(size=later[:, :, changed:].shape)
    before, after = views(x), views(later)
    steps = -(-changed // STRIDE)  # those whose newest sample, STRIDE times their index, is older
    causal = [said["causal"].numpy()[:, :, :steps] for said in (before, after)]
    np.testing.assert_array_equal(*causal)
    assert not np.array_equal(before["causal"], after["causal"])
    assert not np.array_equal(
        before["attention"].numpy()[:, :, :steps], after["attention"].numpy()[:, :, :steps]
    )


def test_the_scores_of_every_view_go_into_the_models(model: keras.Model) -> None:
    views = with_anchors(model, [f"{name}_logits" for name in REPRESENTATIONS])
    assert all(out.shape == (None, 4) for out in views.output.values())
    assert anchors(model) == ("stage1", "stage2")
    assert total_cost(model).parameters > 0


def test_it_is_a_teacher_and_no_student(model: keras.Model) -> None:
    with pytest.raises(ModelError, match=r"tsak.*cannot be a band's student"):
        check_student(model)


def test_a_width_that_heads_do_not_share_is_told() -> None:
    with pytest.raises(ModelError, match="width 10, heads 4"):
        build("tsak", 64, 6, 3, width=10)
