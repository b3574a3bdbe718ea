"""Windows of a calibration are those that the protocols cut, and no more than were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.personal.written import movement
from tinyhar.counts import lsb_of, to_counts
from tinyhar.personal.course import windows_of
from tinyhar.personal.time_split import stretches, whole
from tinyhar.recordings.recording import Recording, triaxial
from tinyhar.windows import cut

CHANNELS = triaxial("wrist", "acc", "gyro")
LSB = lsb_of(CHANNELS)


def recording(runs: list[tuple[int, int]], seed: int = 0) -> Recording:
    labels = np.concatenate([np.full(n, k) for k, n in runs]).astype(np.int16)
    signal = movement(len(labels) / 50, seed=seed).astype(np.float32)
    return Recording("anna", 50.0, CHANNELS, signal, labels, ("a", "b", "c"), f"made {seed}")


runs = st.lists(st.tuples(st.integers(-1, 2), st.integers(10, 60)), min_size=2, max_size=6)


@given(runs, st.integers(5, 20), st.integers(2, 20), st.sampled_from(["labels", "recording"]))
def test_without_a_limit_they_are_the_protocol_s(several, window, stride, within) -> None:
    one = recording([(0, 70), (1, 70), *several])
    expected = cut([one], window=window, stride=stride, threshold=0.0, within=within)
    parts = stretches([one.labels]) if within == "labels" else whole([one.labels])
    found = windows_of([one], parts, window=window, stride=stride, lsb=LSB, numbers=np.arange(3))
    assert found.y.tolist() == expected.y.tolist()
    assert np.array_equal(found.counts, to_counts(expected.x, LSB))


@pytest.mark.parametrize("limit", [10, 35, 60])
def test_a_limit_is_samples_of_each_class(limit: int) -> None:
    takes = [recording([(0, 25), (1, 25)], 1), recording([(0, 25), (2, 5)], 2)]
    found = windows_of(
        takes,
        stretches([one.labels for one in takes]),
        window=10,
        stride=1,
        lsb=LSB,
        numbers=np.arange(3),
        limit=limit,
    )
    first = min(limit, 25) - 9
    second = max(0, min(limit - 25, 25) - 9)
    assert np.bincount(found.y, minlength=2).tolist() == [first + second, first]


def test_numbers_are_the_personal_model_s() -> None:
    one = recording([(0, 20), (1, 20), (2, 20)])
    found = windows_of(
        [one], stretches([one.labels]), window=20, stride=20, lsb=LSB, numbers=np.array([5, -1, 0])
    )
    assert found.y.tolist() == [5, 0]


def test_nothing_to_cut_is_no_window() -> None:
    found = windows_of([], [], window=20, stride=20, lsb=LSB, numbers=np.array([0]))
    assert len(found) == 0 and found.counts.shape == (0, 20, 6)
