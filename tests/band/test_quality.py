"""Findings about a take: each fault is found, and real movement is not taken for a fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.band.simulated import SimulatedBand
from tinyhar.band.client import Client
from tinyhar.band.distinct import Labelled, confusions
from tinyhar.band.quality import check, rests
from tinyhar.band.sensing import Sensing, sensing_of
from tinyhar.counts import FULL_SCALE, lsb_of, to_counts
from tinyhar.recordings import load
from tinyhar.recordings.recording import Recording
from tinyhar.recordings.synthetic import generate
from tinyhar.windows import resample

SECONDS = 10


@pytest.fixture(scope="module")
def sensing() -> Sensing:
    return sensing_of(Client(SimulatedBand()))


def take(sway: float, seed: int = 0) -> np.ndarray:
    """Counts of a sensor that sways by so many m/s^2 about gravity, int16 [500, 3]."""
    random = np.random.default_rng(seed)
    acc = random.normal(0, 0.02, (500, 3)) + np.array([0, 0, 9.8])
    acc[:, 0] += sway * np.sin(np.arange(500) / 50 * 2 * np.pi * 1.5)
    return to_counts(acc, np.full(3, FULL_SCALE["acc"] / 32768))


def kinds(sensing: Sensing, counts: np.ndarray, **facts: object) -> list[str]:
    return [f.kind for f in check(counts, sensing, wanted=500, **facts)]  # type: ignore[arg-type]


def test_a_good_take_has_no_findings(sensing: Sensing) -> None:
    assert kinds(sensing, take(3.0)) == []
    assert kinds(sensing, take(0.0), resting=True) == []


def test_a_sensor_that_hardly_moved(sensing: Sensing) -> None:
    assert kinds(sensing, take(0.0)) == ["still"]
    assert kinds(sensing, take(0.0), resting=False) == ["still"]


def test_a_rest_that_was_none(sensing: Sensing) -> None:
    assert kinds(sensing, take(9.0), resting=True) == ["moving"]
    assert kinds(sensing, take(9.0), resting=False) == []


def test_a_sensor_that_sleeps(sensing: Sensing) -> None:
    counts = take(3.0)
    counts[:, 1] = 7
    found = check(counts, sensing, wanted=500)
    assert [f.kind for f in found] == ["dead"]
    assert "wrist_acc_y" in found[0].words


def test_clipping_is_grave_only_when_it_is_more_than_a_touch(sensing: Sensing) -> None:
    counts = take(3.0)
    counts[7, 2] = 32767
    found = check(counts, sensing, wanted=500)
    assert [(f.kind, f.grave) for f in found] == [("clipped", False)]
    counts[100:110, 2] = -32768
    found = check(counts, sensing, wanted=500)
    assert [(f.kind, f.grave) for f in found] == [("clipped", True)]
    assert "wrist_acc_z is at full scale in 2.2%" in found[0].words


def test_too_few_and_lost_samples(sensing: Sensing) -> None:
    assert kinds(sensing, take(3.0)[:400]) == ["short"]
    found = check(take(3.0), sensing, wanted=500, lost=3)
    assert [(f.kind, f.grave) for f in found] == [("lost", False)]
    assert check(take(3.0), sensing, wanted=500, lost=50)[0].grave


def test_names_tell_what_is_done_at_rest() -> None:
    at_rest = ["resting", "SITTING", "standing_in_elevator", "lying on back", "Seated", "LAYING"]
    at_rest += ["lying down"]
    moving = [
        "walking",
        "writing",
        "waving",
        "STANDING_UP",
        "sit-ups",
        "drinking",
        "brush_teeth",
        "standing jump",
    ]
    assert all(rests(name) for name in at_rest)
    assert [rests(name) for name in moving] == [False] * len(moving)
    assert rests("class 7") is None


# -- real and computed movement --------------------------------------------------------------


def sensing_for(recording: Recording) -> Sensing:
    base = sensing_of(Client(SimulatedBand()))
    identity = replace(base.identity, rate_mhz=round(recording.rate * 1000))
    names = tuple(c.name for c in recording.channels)
    return replace(base, identity=identity, channels=names, lsb=lsb_of(recording.channels))


def takes_of(recording: Recording) -> list[Labelled]:
    """The first seconds of each of its activities."""
    found = []
    for index, name in enumerate(recording.activities):
        chosen = np.flatnonzero(recording.labels == index)[: round(SECONDS * recording.rate)]
        if len(chosen) == round(SECONDS * recording.rate):
            found.append(Labelled(name, recording.signal[chosen].astype(np.float64)))
    return found


def faults_in(recording: Recording) -> list[str]:
    """What the checks have against takes of real activities, which are all good."""
    sensing = sensing_for(recording)
    found = []
    for each in takes_of(recording):
        counts = to_counts(each.signal, sensing.lsb)
        for f in check(counts, sensing, wanted=len(counts), resting=rests(each.name)):
            found += [f"{each.name}: {f.words}"] if f.grave else []
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_computed_movement_has_no_faults(seed: int) -> None:
    (recording,) = generate(1, seed=seed)
    assert faults_in(recording) == []


def test_hapt_has_no_faults(real_data: Path) -> None:
    if not (real_data / "hapt").is_dir():
        pytest.skip(f"{real_data / 'hapt'} is not there")
    by_subject = {r.subject: r for r in load("hapt", real_data)}
    faults = {s: faults_in(r) for s, r in list(by_subject.items())[:8]}
    assert not any(faults.values()), faults


# -- distinct classes ------------------------------------------------------------------------


def test_classes_that_differ_are_distinct() -> None:
    (recording,) = generate(1, seed=2)
    takes = takes_of(recording)
    kinds = sensing_for(recording).kinds
    strayed = {t.name: confusions(takes, t.name, kinds, recording.rate) for t in takes}
    assert not any(strayed.values()), strayed


def test_the_same_movement_by_another_name_is_confused_with_its_twin() -> None:
    (recording,) = generate(1, seed=2, seconds=60)
    takes = takes_of(recording)
    walk = np.flatnonzero(recording.labels == recording.activities.index("walk"))
    twin = recording.signal[walk[500:1000]].astype(np.float64)
    takes.append(Labelled("strolling", twin))
    found = confusions(takes, "strolling", sensing_for(recording).kinds, recording.rate)
    assert [c.other for c in found] == ["walk"]
    assert found[0].share > 0.4


def test_posture_alone_tells_still_classes_apart() -> None:
    random = np.random.default_rng(0)
    lying, sitting = (
        random.normal(0, 0.05, (500, 3)) + gravity for gravity in ([0, 0, 9.8], [0, 9.8, 0])
    )
    takes = [Labelled("lying", lying), Labelled("sitting", sitting)]
    assert confusions(takes, "sitting", ("acc",) * 3, 50.0) == []


def test_one_class_alone_and_takes_too_short_are_distinct_from_nothing() -> None:
    one = Labelled("a", np.zeros((500, 3)))
    assert confusions([one], "a", ("acc",) * 3, 50.0) == []
    short = Labelled("b", np.zeros((20, 3)))
    assert confusions([one, short], "b", ("acc",) * 3, 50.0) == []


def test_rate_does_not_matter() -> None:
    (recording,) = generate(1, seed=2)
    slow = resample(recording, 25)
    takes = takes_of(slow)
    assert len(takes) == 7
    assert confusions(takes, "walk", sensing_for(slow).kinds, 25.0) == []
