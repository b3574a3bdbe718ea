"""Competing heads: a true mixture, learned shares, and a winner that stands alone."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.distill.tiny import CLASSES, CONFIG, EXAMPLES
from tinyhar import compress
from tinyhar.distill import fit
from tinyhar.distill.competition import alone, choose, compete, shares
from tinyhar.distill.heads import HEADS
from tinyhar.errors import ModelError
from tinyhar.models import build, total_cost

KINDS = tuple(HEADS)


def student() -> keras.Model:
    return build("separable", 16, 2, CLASSES, seed=1, widths=(4, 4), depth=1, kernel=3)


@pytest.fixture(scope="module")
def rivals() -> keras.Model:
    return compete(student(), KINDS, seed=5)


def favour(model: keras.Model, kind: str) -> None:
    model.layers[-1].strength.assign(5.0 * (np.array(KINDS) == kind))


def test_the_mixture_is_a_distribution_of_equal_shares_at_first(rivals: keras.Model) -> None:
    rivals.layers[-1].strength.assign(np.zeros(len(KINDS)))
    assert shares(rivals) == pytest.approx(dict.fromkeys(KINDS, 1 / len(KINDS)))
    ends = [rivals.get_layer(f"{kind}_logits").output for kind in KINDS]
    apart = keras.Model(rivals.input, ends)(EXAMPLES.x)
    mean = np.mean([tf.nn.softmax(one).numpy() for one in apart], axis=0)
    assert np.exp(rivals(EXAMPLES.x)) == pytest.approx(mean, rel=1e-4)
    assert mean.std(axis=1).min() > 0


def test_training_moves_the_shares_and_all_heads(tmp_path: Path) -> None:
    model = compete(student(), KINDS, seed=5)
    before = {weight.name: weight.numpy() for weight in model.trainable_weights}
    history = fit(model, EXAMPLES, EXAMPLES, CONFIG)
    assert np.isfinite(history.epochs[-1].loss)
    for weight in model.trainable_weights:
        assert not np.array_equal(before[weight.name], weight.numpy()), weight.name
    assert sum(shares(model).values()) == pytest.approx(1.0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert again(EXAMPLES.x).numpy() == pytest.approx(model(EXAMPLES.x).numpy(), abs=1e-5)
    assert shares(again) == pytest.approx(shares(model))


@pytest.mark.parametrize("kind", KINDS)
def test_the_winner_alone_says_what_it_said_among_the_others(
    kind: str, rivals: keras.Model
) -> None:
    favour(rivals, kind)
    winner = choose(rivals, deployable=False)
    assert winner.layers[-1].name == "logits"
    assert total_cost(winner).parameters < total_cost(rivals).parameters
    own = keras.Model(rivals.input, rivals.get_layer(f"{kind}_logits").output)(EXAMPLES.x).numpy()
    said = winner(EXAMPLES.x).numpy()
    if kind == "cosine":
        assert (said.argmax(axis=1) == own.argmax(axis=1)).all()
        factor = said / own
        assert factor == pytest.approx(np.broadcast_to(factor[:, :1], factor.shape), rel=1e-3)
    else:
        assert said == pytest.approx(own, abs=1e-5)


def test_a_head_that_no_band_runs_is_passed_over(rivals: keras.Model) -> None:
    rivals.layers[-1].strength.assign([0.0, 0.0, 0.0, 1.0, 2.0])
    assert "mlp_hidden" in {layer.name for layer in choose(rivals).layers}
    assert "attention_pool" in {layer.name for layer in choose(rivals, deployable=False).layers}


@pytest.mark.parametrize("kind", [kind for kind, head in HEADS.items() if head.deployable])
def test_a_chosen_student_can_be_pruned(kind: str, rivals: keras.Model) -> None:
    favour(rivals, kind)
    smaller = compress.prune_channels(choose(rivals), keep=0.9)
    assert smaller(EXAMPLES.x).shape == (len(EXAMPLES), CLASSES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind, head in HEADS.items() if head.deployable])
def test_a_chosen_student_becomes_int8_that_a_band_runs(kind: str, rivals: keras.Model) -> None:
    favour(rivals, kind)
    aware = compress.quantise_aware(choose(rivals), EXAMPLES.x, clip=4.0)
    facts = compress.check_deployable(compress.to_tflite(aware, isolated=False))
    assert ("SOFTMAX" in facts.operators) == (kind == "memory")


def test_nonsense_is_named(rivals: keras.Model) -> None:
    with pytest.raises(ModelError, match=r"'svm'.*linear, cosine, memory, mlp, attention"):
        compete(student(), ["linear", "svm"], seed=0)
    for lonely in (["linear"], ["linear", "linear"], []):
        with pytest.raises(ModelError, match="two or more different"):
            compete(student(), lonely, seed=0)
    with pytest.raises(ModelError, match="no heads compete"):
        choose(student())
    two = compete(student(), ["linear", "mlp"], seed=0)
    with pytest.raises(ModelError, match="no head 'memory': linear, mlp"):
        alone(two, "memory")
    bare = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name="logits")])
    with pytest.raises(ModelError, match="no layer 'pool'"):
        compete(bare, ["linear", "mlp"], seed=0)
