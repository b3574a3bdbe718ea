"""The Hopfield memory: what it associates, what the loss sees, how it learns beside a teacher."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.distill.tensors import SEEDS, descends
from tests.distill.tiny import CONFIG, EXAMPLES, tiny
from tinyhar.distill import Memorising, Memory, Teacher, fit
from tinyhar.distill.memory import log_association, memory_loss, retrieve
from tinyhar.errors import ModelError

N, D = 6, 4


def states(seed: int, count: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32)


PATTERNS = states(99, N)


@settings(max_examples=20)
@given(SEEDS)
def test_equal_states_cost_nothing_and_others_something(seed: int) -> None:
    one, other = states(seed), states(seed + 1)
    assert float(memory_loss(one, one, PATTERNS, 0.5, 1.0)) == pytest.approx(0.0, abs=1e-6)
    assert float(memory_loss(one, other, PATTERNS, 0.5, 1.0)) > 0


@settings(max_examples=20)
@given(SEEDS)
def test_the_order_of_the_patterns_does_not_matter(seed: int) -> None:
    one, other = states(seed), states(seed + 1)
    shuffled = np.random.default_rng(seed).permutation(PATTERNS)
    assert float(memory_loss(one, other, shuffled, 0.5, 1.0)) == pytest.approx(
        float(memory_loss(one, other, PATTERNS, 0.5, 1.0)), rel=1e-4, abs=1e-6
    )


def test_a_cold_memory_answers_with_the_nearest_pattern() -> None:
    upright = np.eye(N, D, dtype=np.float32)
    assert retrieve(upright[:3] * 0.6, upright, 100.0).numpy() == pytest.approx(
        upright[:3], abs=1e-4
    )
    associations = np.exp(log_association(states(1), PATTERNS, 1.0).numpy())
    assert associations.sum(axis=1) == pytest.approx(np.ones(5), rel=1e-5)
    assert associations.std() > 0.01  # more than one pattern: not always 1


def test_retrieval_has_a_switch() -> None:
    alone = float(memory_loss(states(1), states(2), PATTERNS, 0.5, 0.0))
    both = float(memory_loss(states(1), states(2), PATTERNS, 0.5, 2.0))
    answers = [retrieve(states(seed), PATTERNS, 0.5).numpy() for seed in (1, 2)]
    assert both - alone == pytest.approx(2 * ((answers[0] - answers[1]) ** 2).mean(), rel=1e-4)


def test_gradients_flow() -> None:
    for retrieval in (0.0, 1.0):
        assert descends(
            lambda x, mu=retrieval: memory_loss(states(1), x, PATTERNS, 0.5, mu), states(2)
        )


def test_one_pattern_is_no_memory() -> None:
    with pytest.raises(ModelError, match="N above 1"):
        Memory("stage3", PATTERNS[:1])


def test_a_memory_learns_beside_a_teacher_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    alone, watched = tiny(4, seed=1), tiny(4, seed=1)
    fit(alone, EXAMPLES, EXAMPLES, CONFIG)
    start = Memory.untrained(watched, patterns=N)
    beside = Memorising(start)
    history = fit(watched, EXAMPLES, EXAMPLES, CONFIG, method=beside)
    for one, other in zip(alone.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(history.epochs[0].losses) == {"label", "memory"}
    learned = beside.memory()
    assert (learned.stage, learned.patterns.shape) == ("stage3", (N, 4))
    assert not np.array_equal(learned.patterns, start.patterns)

    learned.save(tmp_path / "memory.npz")
    again = Memory.load(tmp_path / "memory.npz")
    np.testing.assert_array_equal(again.patterns, learned.patterns)
    assert Teacher(watched, again).shapes["memory/stage3"] == (N, 4)


def test_a_damaged_memory_is_named(tmp_path: Path) -> None:
    file = tmp_path / "memory.npz"
    file.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ModelError, match=r"memory\.npz.*train the teacher again"):
        Memory.load(file)
