"""Clocks that run free, told from movement that all devices feel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyhar.errors import DataError
from tinyhar.recordings import Clock, Recording, align, estimate_clock, triaxial

SECONDS = 1200.0


def movement(seconds: float, seed: int, rate: float = 200.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and how hard somebody moves: bursts of irregular strength that no other second has."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(seconds * rate)) / rate
    strength = np.zeros_like(times)
    at = 0.0
    while at < seconds:
        at += rng.exponential(3.0)
        strength += rng.uniform(1, 4) * np.exp(-(((times - at) / rng.uniform(0.1, 0.6)) ** 2))
    return times, strength


def device(
    position: str,
    felt: tuple[np.ndarray, np.ndarray],
    *,
    rate: float,
    offset: float = 0.0,
    drift_ppm: float = 0.0,
    begin: float = 0.0,
    end: float = SECONDS,
    noise: float = 0.3,
) -> Recording:
    """What a unit records whose own clock must be set by ``offset`` and drift to be right."""
    rng = np.random.default_rng(len(position))
    count = int((end - begin) * rate)
    shown = begin - offset + np.arange(count) / rate
    true = begin + (1 + drift_ppm * 1e-6) * np.arange(count) / rate
    strength = np.interp(true, *felt)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    shake = strength[:, None] * rng.normal(size=(count, 3)) + noise * rng.normal(size=(count, 3))
    return Recording(
        subject="anna",
        rate=rate,
        channels=triaxial(position, "acc"),
        signal=((shake + np.array([0, 0, 9.81])) @ turn).astype(np.float32),
        labels=np.zeros(count, np.int16),
        activities=("work",),
        source=f"{position}.csv",
        session="S1",
        start=float(shown[0]),
    )


FELT = movement(SECONDS + 1, seed=1)


@pytest.mark.parametrize("offset, drift", [(3.217, 100.0), (-41.5, -60.0), (0.0, 0.0)])
def test_offset_and_drift_are_found(offset, drift):
    reference = device("left_wrist", FELT, rate=100)
    other = device("right_wrist", FELT, rate=64, offset=offset, drift_ppm=drift, begin=90)
    clock = estimate_clock(reference, other)
    assert clock.since == other.start
    assert clock.offset_s == pytest.approx(offset, abs=0.02)
    assert clock.drift_ppm == pytest.approx(drift, abs=20)
    assert 0.5 < clock.confidence <= 1
    assert clock.reference(other.start + 1000) == pytest.approx(
        90 + 1000 * (1 + drift * 1e-6), abs=0.02
    )


def test_recordings_with_gaps_between_them_tell_it_too():
    reference = [device("left_wrist", FELT, rate=50, begin=b, end=b + 40) for b in (0, 60, 300)]
    other = [
        device("right_wrist", FELT, rate=50, offset=7.3, begin=b, end=b + 60) for b in (290, 20)
    ]
    clock = estimate_clock(reference, other)
    assert clock.offset_s == pytest.approx(7.3, abs=0.03)


def test_a_short_session_tells_no_drift():
    pair = [device(p, FELT, rate=50, end=60, drift_ppm=d) for p, d in (("a", 0), ("bb", 100))]
    assert estimate_clock(*pair).drift_ppm == 0


def test_reference_time_runs_from_the_other_s_first_sample():
    clock = Clock(2.0, 100.0, 1.0, since=50.0)
    assert clock.reference(50.0) == 52.0
    assert clock.reference(1050.0) == pytest.approx(1052.1)


def test_align_joins_free_running_devices_by_movement():
    """Both measure the time itself beside the acceleration: joined, it must be the same."""
    pair = []
    for position, rate, offset, drift in (("left", 50.0, 0.0, 0.0), ("right", 60.0, 12.4, 100.0)):
        made = device(position, FELT, rate=rate, offset=offset, drift_ppm=drift)
        true = (1 + drift * 1e-6) * np.arange(len(made)) / rate
        watch = np.stack([true, np.sin(true), np.cos(true)], axis=1).astype(np.float32)
        channels = (*made.channels, *triaxial(position, "time", units={"time": "s"}))
        pair.append(replace(made, channels=channels, signal=np.hstack([made.signal, watch])))
    (joined,) = align(pair, ["left", "right"], synchronise=True).recordings
    np.testing.assert_allclose(joined.signal[:, 9], joined.signal[:, 3], atol=0.03)
    assert joined.duration == pytest.approx(SECONDS, abs=0.5)
    (note,) = joined.notes
    assert note.startswith("the clock at right set by +12.4") and "to that at left" in note


def still(position: str) -> Recording:
    return device(position, (FELT[0], 0 * FELT[1]), rate=50)


def rhythm(position: str) -> Recording:
    return device(position, (FELT[0], 2 + 2 * np.sin(np.pi * FELT[0] / 2)), rate=50)


@pytest.mark.parametrize(
    "pair, message",
    [
        (
            lambda: (device("left", FELT, rate=50), device("right", movement(1201, 2), rate=50)),
            "left and right of subject anna, session S1: their movement correlates by 0.* too weak",
        ),
        (lambda: (still("left"), still("right")), "too weak to tell their clocks apart; leave"),
        (lambda: (rhythm("left"), rhythm("right")), "fits as well .* as it repeats itself"),
        (
            lambda: (
                device("left", FELT, rate=50, end=600),
                device("right", FELT, rate=50, begin=700),
            ),
            "within 60 s of each other's clock they share under 125 s; are they",
        ),
    ],
)
def test_movement_that_tells_nothing_is_refused(pair, message):
    with pytest.raises(DataError, match=message) as caught:
        estimate_clock(*pair())
    assert "\n" not in str(caught.value)


def test_an_offset_out_of_reach_is_found_with_a_wider_search():
    pair = device("left", FELT, rate=50), device("right", FELT, rate=50, offset=130.0)
    with pytest.raises(DataError):
        estimate_clock(*pair)
    assert estimate_clock(*pair, search=200).offset_s == pytest.approx(130, abs=0.02)
