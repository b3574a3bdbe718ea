"""The other wrist's movement, turned to lie as the band's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.pipeline.borrow import borrowed, fitting_turn
from tinyhar.recordings import triaxial
from tinyhar.windows import Windows

MIRROR = np.diag([1.0, -1.0, 1.0])


def orthogonal(seed: int) -> np.ndarray:
    """A random rotation, or the mirror image of one."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(q)


def windows(position: str, x: np.ndarray, kinds: tuple[str, ...] = ("acc", "gyro")) -> Windows:
    """Three people, each with two windows of each of four classes."""
    count = len(x)
    return Windows(
        x=x.astype(np.float32),
        y=np.tile(np.arange(4), count // 4),
        subject=np.repeat(np.array(["1", "2", "3"]), count // 3),
        activities=("a", "b", "c", "d"),
        rate=25.0,
        channels=triaxial(position, *kinds),
        recording=np.zeros(count, np.int64),
        start=np.arange(count),
    )


def movement(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    rests = np.tile(random.normal(0, 5, (4, 1, 3)), (6, 1, 1))
    return np.concatenate(
        [rests + random.normal(0, 1, (24, 20, 3)), random.normal(size=(24, 20, 3))], 2
    )


@given(st.integers(0, 2**31))
def test_the_turn_is_found_again(seed: int) -> None:
    turn = orthogonal(seed)
    here = np.random.default_rng(seed + 1).normal(size=(5, 3))
    found = fitting_turn(here @ turn.T, here)
    np.testing.assert_allclose(found, turn, atol=1e-6)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)


@pytest.mark.parametrize("turn", [MIRROR, orthogonal(3), orthogonal(4)], ids=["mirror", "a", "b"])
def test_a_mirrored_wrist_comes_out_as_the_band_s_own(turn: np.ndarray) -> None:
    """A mirror leaves an acceleration's image, and turns an angular rate's round."""
    own = movement()
    there = np.concatenate([own[..., :3] @ turn.T, np.linalg.det(turn) * own[..., 3:] @ turn.T], 2)
    more = borrowed(windows("right", own), windows("left", there), ["1", "3"])
    assert set(more.subject) == {"1", "3"} and len(more.y) == 16
    assert [channel.position for channel in more.channels] == ["right"] * 6
    theirs = np.isin(windows("right", own).subject, ["1", "3"])
    np.testing.assert_allclose(more.x, own[theirs], atol=1e-4)
    np.testing.assert_array_equal(more.y, windows("right", own).y[theirs])


def test_test_people_tell_nothing_of_the_turn() -> None:
    own = movement()
    there = own.copy()
    there[windows("left", own).subject == "2"] *= -3.0
    before = borrowed(windows("right", own), windows("left", own), ["1", "3"])
    after = borrowed(windows("right", own), windows("left", there), ["1", "3"])
    np.testing.assert_array_equal(before.x, after.x)


@pytest.mark.parametrize("kinds", [("gyro",), ("acc", "mag")])
def test_sensors_that_cannot_be_turned_are_named(kinds: tuple[str, ...]) -> None:
    x = movement()[..., : 3 * len(kinds)]
    with pytest.raises(DataError, match=rf"data\.borrow: .*right_{kinds[0]}_x"):
        borrowed(windows("right", x, kinds), windows("left", x, kinds), ["1"])
