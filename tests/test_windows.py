from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.recordings import Recording, triaxial
from tinyhar.windows import LARGEST_RATIO, cut, resample


def make(labels, rate: float = 50.0, subject: str = "1", activities=("a", "b", "c")) -> Recording:
    """The signal counts samples, so that a window tells where it was cut."""
    labels = np.array(labels, np.int16)
    signal = np.repeat(np.arange(len(labels), dtype=np.float32)[:, None], 3, axis=1)
    return Recording(
        subject=subject,
        rate=rate,
        channels=triaxial("wrist", "acc"),
        signal=signal,
        labels=labels,
        activities=activities,
        source=f"recording of {subject}",
    )


labels_strategy = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(1, 30)), min_size=1, max_size=8
).map(lambda runs: [label for label, length in runs for _ in range(length)])
sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))


def windows_or_none(recording, **options):
    try:
        return cut([recording], **options)
    except DataError as error:
        assert "no window" in str(error)
        return None


@given(labels_strategy, sizes)
def test_inside_labels_no_window_mixes_and_none_is_forgotten(labels, size):
    window, stride = size
    got = windows_or_none(make(labels), window=window, stride=stride)
    expected = []
    begin = 0
    for end in range(1, len(labels) + 1):
        if end == len(labels) or labels[end] != labels[begin]:
            if labels[begin] >= 0:
                expected += [(s, labels[begin]) for s in range(begin, end - window + 1, stride)]
            begin = end
    assert expected == ([] if got is None else list(zip(got.start, got.y, strict=True)))
    if got is not None:
        np.testing.assert_array_equal(got.x[:, 0, 0], got.start)
        np.testing.assert_array_equal(got.x[:, -1, 2], got.start + window - 1)


@given(labels_strategy, sizes, st.sampled_from([0, 0.3, 0.5, 0.75, 1.0]))
def test_sliding_takes_the_majority_or_drops(labels, size, threshold):
    window, stride = size
    got = windows_or_none(
        make(labels), window=window, stride=stride, within="recording", threshold=threshold
    )
    expected = []
    for start in range(0, len(labels) - window + 1, stride):
        piece = labels[start : start + window]
        counts = [piece.count(label) for label in range(3)]
        most = max(counts)
        if most and most >= threshold * window and most >= piece.count(-1):
            expected.append((start, counts.index(most)))
    assert expected == ([] if got is None else list(zip(got.start, got.y, strict=True)))


def test_chosen_activities_set_the_order_and_the_rest_counts_as_unlabelled():
    recording = make([0] * 10 + [1] * 10 + [2] * 10)
    got = cut([recording], window=10, stride=10, activities=["c", "a"])
    assert got.activities == ("c", "a")
    assert list(zip(got.start, got.y, strict=True)) == [(0, 1), (20, 0)]


def test_recordings_with_other_lists_of_activities_meet_by_name():
    first = make([0] * 10, activities=("walk",))
    second = make([1] * 10, subject="2", activities=("rest", "walk"))
    got = cut([first, second], window=10, stride=10)
    assert got.activities == ("walk", "rest")
    assert got.y.tolist() == [0, 0]


def test_only_keeps_subjects_and_refuses_strangers():
    got = cut([make([0] * 20), make([1] * 30, subject="2")], window=10, stride=10)
    assert len(got) == 5 and got.subjects == ("1", "2")
    assert got.recording.tolist() == [0, 0, 1, 1, 1]
    second = got.only(["2"])
    assert len(second) == 3 and set(second.subject) == {"2"} and set(second.y) == {1}
    with pytest.raises(DataError, match="subject 7"):
        got.only(["2", "7"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"activities": ["a", "jump"]}, "'jump'; there is a, b, c"),
        ({"activities": ["a", "a"]}, "named twice"),
        ({"window": 0}, "window=0"),
        ({"stride": 0}, "stride=0"),
        ({"threshold": 1.5}, "threshold=1.5"),
        ({"within": "windows"}, "within='windows'"),
        ({"window": 1000}, r"no window of 1000 samples \(20.00 s\)"),
    ],
)
def test_bad_wishes_are_one_clear_error(options, message):
    with pytest.raises(DataError, match=message):
        cut([make([0] * 50)], **({"window": 10, "stride": 5} | options))


def test_mixed_recordings_are_refused():
    one = make([0] * 50)
    with pytest.raises(DataError, match="25 Hz, but recording of 1 has 50 Hz; resample"):
        cut([one, make([0] * 50, rate=25, subject="2")], window=10, stride=5)
    with pytest.raises(DataError, match=r"channels wrist_acc_x differ"):
        cut([one, one.select(axes=["x"])], window=10, stride=5)
    with pytest.raises(DataError, match="no recordings"):
        cut([], window=10, stride=5)


@pytest.mark.parametrize("rate", [25.0, 20.0, 100.0, 30.0, 62.5, 50.0])
def test_resampling_keeps_slow_movement_and_labels_in_place(rate):
    time = np.arange(500) / 50
    recording = replace(
        make([0] * 250 + [1] * 250),
        signal=np.stack(
            [np.sin(2 * np.pi * time), 9.8 + 0.5 * time, np.cos(2 * np.pi * 2 * time)], axis=1
        ).astype(np.float32),
    )
    got = resample(recording, rate)
    grid = np.arange(len(got)) / rate
    assert got.rate == rate
    assert abs(got.duration - recording.duration) <= 1 / rate
    inner = slice(int(rate), -int(rate))
    np.testing.assert_allclose(got.signal[inner, 0], np.sin(2 * np.pi * grid)[inner], atol=0.01)
    np.testing.assert_allclose(got.signal[:, 1], 9.8 + 0.5 * grid, atol=0.02)  # no ringing at ends
    np.testing.assert_allclose(got.signal[inner, 2], np.cos(4 * np.pi * grid)[inner], atol=0.01)
    change = int(np.flatnonzero(np.diff(got.labels))[0]) + 1
    assert abs(change / rate - 5.0) <= 0.5 / rate + 0.5 / 50


@pytest.mark.parametrize("rate", [50 / np.pi, 50 * (LARGEST_RATIO + 1), 0.0, -5.0, float("nan")])
def test_a_rate_that_does_not_divide_is_refused(rate):
    with pytest.raises(DataError, match="resample"):
        resample(make([0] * 50), rate)


@pytest.mark.parametrize("within", ["labels", "recording"])
def test_recordings_without_any_label_are_refused_by_name(within):
    with pytest.raises(DataError, match="recording of 1: no activity has a name"):
        cut([make([-1] * 50, activities=())], window=10, stride=5, within=within)


def test_a_rate_that_a_file_rounds_is_the_same_rate():
    recording = make([0] * 50, rate=33.333)
    same = resample(recording, 100 / 3)
    assert same.rate == 100 / 3
    np.testing.assert_array_equal(same.signal, recording.signal)
