from __future__ import annotations

import time

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import digest, load, synthetic
from tinyhar.recordings.recording import STANDARD_GRAVITY
from tinyhar.windows import cut


@pytest.fixture(scope="module")
def people():
    return synthetic.generate()


def test_it_is_called_synthetic_wherever_it_shows(people):
    for recording in people:
        assert recording.subject.startswith("synthetic-")
        assert recording.source.startswith("synthetic:")
        assert "worn by nobody" in recording.notes[0]
        assert recording.positions == ("wrist",)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(people):
    assert digest(people) == digest(load("synthetic"))
    assert digest(people[:3]) == digest(synthetic.generate(3))
    assert digest(people) != digest(synthetic.generate(seed=1))


def test_it_is_quick():
    begin = time.perf_counter()
    synthetic.generate()
    assert time.perf_counter() - begin < 3


def test_a_resting_wrist_feels_gravity_and_hardly_turns(people):
    for recording in people:
        still = recording.signal[recording.labels == synthetic.ACTIVITIES.index("rest")]
        assert np.median(np.linalg.norm(still[:, :3], axis=1)) == pytest.approx(
            STANDARD_GRAVITY, abs=0.6
        )
        assert np.median(np.linalg.norm(still[:, 3:], axis=1)) < 0.3


def test_the_gyroscope_tells_how_gravity_turns():
    """Rigid body: without linear acceleration, d(acc)/dt = -gyro x acc."""
    t = np.arange(2000) / synthetic.RATE
    slow = np.stack([0.4 * np.sin(0.5 * t), 0.3 * np.cos(0.4 * t), 0.6 * np.sin(0.3 * t)], axis=1)
    acc, gyro = synthetic._felt(slow, np.zeros((2000, 3)))
    change = np.gradient(acc, 1 / synthetic.RATE, axis=0)
    expected = -np.cross(gyro, acc)
    assert np.abs(change - expected)[10:-10].max() < 0.12
    assert np.abs(expected).max() > 1.5


def test_subjects_differ_in_cadence_and_mounting(people):
    walk = synthetic.ACTIVITIES.index("walk")
    windows = cut(people, window=256, stride=128, activities=["walk"])
    cadence, posture = [], []
    for subject in windows.subjects:
        x = windows.only([subject]).x
        spectrum = (
            np.abs(np.fft.rfft(x[:, :, 3] - x[:, :, 3].mean(1, keepdims=True), 1024)) ** 2
        ).sum(0)
        cadence.append(np.argmax(spectrum) * 50 / 1024)
        posture.append(x[:, :, :3].mean((0, 1)))
    assert walk == 1
    assert np.std(cadence) > 0.05
    assert np.std(posture, axis=0).max() > 0.5


def test_moves_between_bouts_are_unlabelled_and_all_is_balanced(people):
    for recording in people:
        assert 0.02 < (recording.labels == -1).mean() < 0.15
        seconds = np.bincount(recording.labels[recording.labels >= 0]) / recording.rate
        assert seconds.min() > 30


def test_nothing_exceeds_what_a_wrist_can_feel(people):
    peak = np.abs(np.concatenate([r.signal for r in people])).max(axis=0)
    assert peak[:3].max() < 16 * STANDARD_GRAVITY
    assert peak[3:].max() < 35


def test_no_shortcut_scores_full_marks_on_unseen_subjects(people):
    """A strong classic recipe reads it well, but neither perfectly nor by chance."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score

    windows = cut(people, window=128, stride=96)
    x = windows.x
    spectrum = np.log(np.abs(np.fft.rfft(x, axis=1))[:, 1:10].reshape(len(x), -1) + 1)
    features = np.concatenate([x.mean(1), x.std(1), spectrum], axis=1)
    test = np.isin(windows.subject, windows.subjects[-4:])
    forest = RandomForestClassifier(60, random_state=0).fit(features[~test], windows.y[~test])
    score = f1_score(windows.y[test], forest.predict(features[test]), average="macro")
    assert 0.6 < score < 0.97


def test_senseless_sizes_are_refused():
    with pytest.raises(DataError, match="subjects=0"):
        synthetic.generate(0)
