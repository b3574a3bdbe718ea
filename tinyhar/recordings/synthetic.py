"""Synthetic wrist movement: the physics of an accelerometer and gyroscope on a moving forearm.

Nobody wore this. It exists so that the whole chain runs without a download; figures measured on it
say that the chain works, not how well anybody's movement is recognised.

The forearm hangs from a shoulder and turns by three angles (swing, lift, roll) that follow each
activity: a resting posture and a periodic part with harmonics, whose cadence and size wander
slowly. The trunk adds its own bounce. From the angles follow the rotation R(t) (sensor to world),
the wrist's path p(t), and what the sensor feels (ours, textbook rigid-body kinematics):

    acc  = R^T (p'' + trunk'' + g z)        gyro = vee(R^T R')

then a constant mounting rotation, gain, bias and white noise that belong to the subject. Subjects
differ in cadence, amplitude, posture and in how the band sits; neighbouring activities overlap on
purpose. Activities follow each other in bouts, with unlabelled moves between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import STANDARD_GRAVITY, UNLABELLED, Recording, triaxial
from tinyhar.recordings.source import Source

RATE: Final = 50.0
SUBJECTS: Final = 12
FOREARM: Final = 0.55
"""Metres from the shoulder's pivot to the wrist of a slightly bent arm."""
MOVE_SECONDS: Final = 2.0
"""How long the unlabelled move between two bouts takes."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """One activity: posture, periodic part and bounce, before a subject makes it their own.

    Angles in rad as (swing, lift, roll); ``cadence`` in Hz; ``bounce`` is the trunk's vertical
    acceleration amplitude in m/s^2, at twice the arm's cadence as two steps make one swing.
    """

    name: str
    posture: tuple[float, float, float]
    sweep: tuple[float, float, float]
    cadence: float
    bounce: float
    second_harmonic: float
    pause: float
    """Share of the time in which the hands hold still."""


MOTIONS: Final = (
    Motion("rest", (-0.9, 0.10, 0.6), (0.02, 0.02, 0.03), 0.25, 0.00, 0.0, 0.6),
    Motion("walk", (-0.05, 0.10, 0.1), (0.36, 0.06, 0.10), 0.92, 1.60, 0.15, 0.0),
    Motion("stairs", (-0.15, 0.12, 0.1), (0.26, 0.09, 0.13), 0.80, 1.90, 0.30, 0.0),
    Motion("run", (-0.90, 0.20, 0.2), (0.42, 0.10, 0.15), 1.35, 6.00, 0.10, 0.0),
    Motion("drink", (-1.15, 0.30, 0.5), (0.45, 0.12, 0.55), 0.17, 0.00, 0.3, 0.4),
    Motion("brush_teeth", (-1.75, 0.45, 0.8), (0.03, 0.025, 0.14), 2.60, 0.00, 0.08, 0.25),
    Motion("stir", (-1.05, 0.20, 0.3), (0.06, 0.06, 0.10), 1.70, 0.00, 0.12, 0.2),
)
ACTIVITIES: Final = tuple(motion.name for motion in MOTIONS)


def read(_source: Source) -> list[Recording]:
    """The default set: ``generate()``."""
    return generate()


def generate(
    subjects: int = SUBJECTS, *, seed: int = 0, bouts: int = 2, seconds: float = 24.0
) -> list[Recording]:
    """One recording a subject, the same for the same arguments.

    Args:
        subjects: how many people to invent; named ``synthetic-01`` and so on.
        seed: of everything random.
        bouts: how often each subject does each activity.
        seconds: a bout's mean length.
    """
    if subjects < 1 or bouts < 1 or seconds < 4:
        raise DataError(
            f"synthetic: subjects={subjects}, bouts={bouts}, seconds={seconds}; "
            "at least 1, 1 and 4 are needed"
        )
    streams = np.random.SeedSequence(seed).spawn(subjects)
    return [
        _subject(f"synthetic-{i + 1:02d}", np.random.default_rng(stream), seed, bouts, seconds)
        for i, stream in enumerate(streams)
    ]


def _subject(
    name: str, rng: np.random.Generator, seed: int, bouts: int, seconds: float
) -> Recording:
    angles, trunk, labels = _day(rng, bouts, seconds)
    acc, gyro = _felt(angles, trunk)
    mounting = _euler(rng.normal(0, [0.30, 0.12, 0.10])[None])[0]
    signal = np.concatenate([acc @ mounting, gyro @ mounting], axis=1)
    gain = rng.normal(1, 0.01, 6)
    bias = np.concatenate([rng.normal(0, 0.12, 3), rng.normal(0, 0.02, 3)])
    noise = rng.normal(size=signal.shape) * ([0.12] * 3 + [0.03] * 3)
    return Recording(
        subject=name,
        rate=RATE,
        channels=triaxial("wrist", "acc", "gyro"),
        signal=(signal * gain + bias + noise).astype(np.float32),
        labels=labels,
        activities=ACTIVITIES,
        source=f"synthetic:seed={seed}:{name}",
        notes=("synthetic: computed from a model of an arm, worn by nobody",),
    )


def _day(
    rng: np.random.Generator, bouts: int, seconds: float
) -> tuple[Array, Array, NDArray[np.int16]]:
    """Angles [t, 3], trunk acceleration [t, 3] and labels of all bouts with moves between them."""
    habits = [_habit(motion, rng) for motion in MOTIONS]
    order = np.concatenate([rng.permutation(len(MOTIONS)) for _ in range(bouts)])
    angles: list[Array] = []
    trunks: list[Array] = []
    labels: list[NDArray[np.int16]] = []
    for activity in order:
        samples = int(seconds * rng.uniform(0.75, 1.25) * RATE)
        bout, trunk = _bout(habits[activity], samples, rng)
        if angles:
            move = _move(angles[-1][-1], bout[0], rng)
            angles.append(move)
            trunks.append(np.zeros((len(move), 3)))
            labels.append(np.full(len(move), UNLABELLED, np.int16))
        angles.append(bout)
        trunks.append(trunk)
        labels.append(np.full(samples, activity, np.int16))
    return np.concatenate(angles), np.concatenate(trunks), np.concatenate(labels)


def _habit(motion: Motion, rng: np.random.Generator) -> Motion:
    """The same activity as this subject does it."""
    return Motion(
        name=motion.name,
        posture=_three(np.array(motion.posture) + rng.normal(0, [0.22, 0.14, 0.30])),
        sweep=_three(np.array(motion.sweep) * rng.lognormal(0, 0.28, 3)),
        cadence=motion.cadence * float(rng.lognormal(0, 0.12)),
        bounce=motion.bounce * float(rng.lognormal(0, 0.25)),
        second_harmonic=motion.second_harmonic * float(rng.uniform(0.4, 1.6)),
        pause=motion.pause,
    )


def _three(values: Array) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _bout(motion: Motion, samples: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Angles [t, 3] and trunk acceleration [t, 3] of one stretch of one activity."""
    cadence = motion.cadence * rng.lognormal(0, 0.06) * np.exp(_wander(samples, 0.06, rng))
    phase = 2 * np.pi * (np.cumsum(cadence) / RATE + rng.uniform())
    size = np.exp(_wander(samples, 0.20, rng)) * _busy(samples, motion.pause, rng)
    size *= _eased(samples)
    lags = np.array([0.0, 0.9, 0.4]) + rng.normal(0, 0.3, 3)
    turn = phase[:, None] + lags
    wave = np.sin(turn) + motion.second_harmonic * np.sin(2 * turn + 0.7)
    drift = np.stack([_wander(samples, 0.08, rng) for _ in range(3)], axis=1)
    posture = np.array(motion.posture) + rng.normal(0, 0.10, 3)
    angles = posture + drift + size[:, None] * wave * motion.sweep
    steps = np.sin(2 * phase) + 0.4 * np.sin(4 * phase + 1.1) + 0.15 * np.sin(6 * phase)
    forward = 0.4 * np.cos(2 * phase) + 0.1 * np.sin(4 * phase)
    sideways = 0.3 * np.sin(phase)
    return angles, motion.bounce * size[:, None] * np.stack([forward, sideways, steps], axis=1)


def _wander(samples: int, deviation: float, rng: np.random.Generator) -> Array:
    """A slow random course: knots every two seconds, joined smoothly by a cosine."""
    step = int(2 * RATE)
    knots = rng.normal(0, deviation, samples // step + 2)
    where = np.arange(samples) / step
    left = where.astype(int)
    blend = (1 - np.cos(np.pi * (where - left))) / 2
    return np.asarray(knots[left] * (1 - blend) + knots[left + 1] * blend)


def _busy(samples: int, pause: float, rng: np.random.Generator) -> Array:
    """1 while the hand works and nearly 0 while it holds still, with smooth edges."""
    if pause == 0:
        return np.ones(samples)
    step = int(1.5 * RATE)
    working = (rng.uniform(size=samples // step + 2) >= pause).astype(float)
    edges = np.repeat(np.where(working > 0, 1.0, 0.06), step)[: samples + 25]
    return np.convolve(edges, np.hanning(25) / np.hanning(25).sum(), mode="same")[:samples]


def _eased(samples: int) -> Array:
    """1, but from and to standstill within half a second at the ends: no arm starts at speed."""
    ramp = int(0.5 * RATE)
    distance = np.minimum(np.arange(samples), np.arange(samples)[::-1])
    return np.asarray((1 - np.cos(np.pi * np.minimum(distance / ramp, 1))) / 2)


def _move(start: Array, end: Array, rng: np.random.Generator) -> Array:
    """From one posture to the next along a minimum-jerk course (Flash and Hogan 1985)."""
    samples = int(MOVE_SECONDS * rng.uniform(0.7, 1.5) * RATE)
    s = np.linspace(0, 1, samples)[:, None]
    return np.asarray(start + (end - start) * (10 * s**3 - 15 * s**4 + 6 * s**5))


def _felt(angles: Array, trunk: Array) -> tuple[Array, Array]:
    """Specific force (m/s^2) and angular rate (rad/s) in the sensor's frame, each [t, 3]."""
    rotation = _euler(angles[:, ::-1])
    path = rotation @ np.array([0.0, 0.0, -FOREARM])
    speed = np.gradient(path, 1 / RATE, axis=0)
    force = np.gradient(speed, 1 / RATE, axis=0) + trunk + [0.0, 0.0, STANDARD_GRAVITY]
    acc = np.einsum("tji,tj->ti", rotation, force)
    spin = np.einsum("tji,tjk->tik", rotation, np.gradient(rotation, 1 / RATE, axis=0))
    gyro = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
    return acc, gyro


def _euler(angles: Array) -> Array:
    """Rotations [t, 3, 3], sensor to world, from (roll, lift, swing): Ry(swing) Rx(lift) Rz(roll).

    The forearm points along the sensor's -z, so that roll turns the band about the forearm.
    """
    (cz, cx, cy), (sz, sx, sy) = np.cos(angles).T, np.sin(angles).T
    rows = [
        [cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
