from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError, LeakError
from tinyhar.recordings import Channel, triaxial
from tinyhar.splits import Split, check_fitted, check_inputs, make_split

PEOPLE = [str(i) for i in range(1, 13)]


@given(st.permutations(PEOPLE), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**31))
def test_drawn_splits_hold_everybody_once_whatever_the_order(people, test, validation, seed):
    split = make_split(people, test=test, validation=validation, seed=seed)
    assert len(split.test) == test and len(split.validation) == validation
    assert sorted(split.train + split.validation + split.test) == sorted(PEOPLE)
    assert split == make_split(PEOPLE, test=test, validation=validation, seed=seed)


def test_seeds_draw_differently():
    assert len({make_split(PEOPLE, test=4, validation=2, seed=seed) for seed in range(10)}) > 5


def test_named_subjects_go_where_they_are_named():
    split = make_split(PEOPLE * 3, test=["2", "9"], validation=["4"])
    assert split.test == ("2", "9") and split.validation == ("4",)
    assert split.train == ("1", "3", "5", "6", "7", "8", "10", "11", "12")
    drawn = make_split(PEOPLE, test=["2", "9"], validation=3, seed=5)
    assert not {"2", "9"} & {*drawn.validation, *drawn.train}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"test": ["77"], "validation": 1}, "'77'; there is 1, 2"),
        ({"test": 12, "validation": 0}, r"split\.test = 12: of 12 subjects"),
        ({"test": 6, "validation": 6}, r"split\.validation = 6"),
        ({"test": -1, "validation": 0}, r"split\.test = -1: .*1 to 11"),
        ({"test": PEOPLE, "validation": []}, "name everybody, but somebody must train"),
        ({"test": PEOPLE, "validation": 0}, "name everybody, but somebody must train"),
    ],
)
def test_impossible_splits_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        make_split(PEOPLE, **options)


def test_a_split_too_large_for_the_people_says_what_to_write():
    with pytest.raises(DataError) as caught:
        make_split(["anna", "bert", "cleo"], test=["cleo"], validation=3)
    assert str(caught.value) == (
        "split.validation = 3: of 3 subjects (anna, bert, cleo), 1 of them taken by the other "
        "side, at most 1 can be drawn, as somebody must train; write validation = 1 in the table "
        "[split]"
    )
    with pytest.raises(DataError, match=r"split\.validation = 3: of 2 subjects .*record more"):
        make_split(["anna", "bert"], test=["bert"], validation=3)


def test_a_subject_on_two_sides_is_a_leak():
    with pytest.raises(LeakError, match="subject 3 is in train and in test"):
        Split(train=("1", "3"), validation=("2",), test=("3",))
    with pytest.raises(LeakError, match="subject 2 is in validation and in test"):
        make_split(PEOPLE, test=["2"], validation=["2"])


@pytest.mark.parametrize("kind", ["label", "activity", "activity_id", "subject", "user", "time"])
def test_a_label_or_identity_by_name_is_a_leak(kind):
    channels = (*triaxial("hand", "acc"), Channel("hand", kind, "x", ""))
    with pytest.raises(LeakError, match=f"hand_{kind}_x"):
        check_inputs(channels)


def test_sensors_are_no_leak():
    rng = np.random.default_rng(0)
    channels = triaxial("valid_timer_identity", "acc", "gyro", "body_acc")  # words, not substrings
    x = rng.normal(size=(50, 16, 9)).astype(np.float32)
    x[:, :, 8] = 1.0  # stands still, but tells nothing
    check_inputs(channels, x, rng.integers(0, 4, 50))


def test_a_label_under_a_harmless_name_is_a_leak():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 50)
    x = rng.normal(size=(50, 16, 6)).astype(np.float32)
    x[:, :, 4] = (y * 0.37 - 0.2)[:, None]
    with pytest.raises(LeakError, match=r"wrist_gyro_y stands still"):
        check_inputs(triaxial("wrist", "acc", "gyro"), x, y)


def test_what_was_fitted_on_test_data_is_a_leak():
    split = make_split(PEOPLE, test=["1", "2"], validation=["3"])
    check_fitted("normalisation", split.train, split)
    check_fitted("calibration", [*split.train, "3"], split)
    with pytest.raises(LeakError, match="normalisation was fitted on test subject 2"):
        check_fitted("normalisation", [*split.train, "2"], split)
    with pytest.raises(DataError, match="subject 99"):
        check_fitted("normalisation", ["99"], split)
    with pytest.raises(DataError, match="does not say"):
        check_fitted("normalisation", [], split)
