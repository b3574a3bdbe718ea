"""Recordings of several devices worn at once become one recording with all their channels.

Many data sets keep a file a device: the phone's, the watch's, each wrist's. Their readers name the
``session`` that a recording belongs to and its ``start`` on the session's clock. ``align`` puts the
devices on one even grid wherever all of them were recording. The grid is the first device's own
where the rate is, so that its samples stay as they are; all others are interpolated by straight
lines, after a low-pass filter where they are faster than the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.clock import Clock, estimate_clock, whose
from tinyhar.recordings.recording import Recording
from tinyhar.recordings.words import counted

SHORTEST: Final = 1.0
"""Seconds: what several devices have in common for less is left out."""
SAME_TIME: Final = 1e-4
"""Samples: times that differ by less are the same; a clock in s since 1970 is no finer."""
FASTER: Final = 1.01
"""A device whose rate is this many times the grid's is filtered first."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aligned:
    """What ``align`` made, and what it had to leave out.

    Args:
        recordings: each with all wanted positions.
        left_out: one sentence for each session, or recording of none, that lacks a position.
    """

    recordings: tuple[Recording, ...]
    left_out: tuple[str, ...] = ()


def align(
    recordings: Sequence[Recording],
    positions: Sequence[str],
    *,
    rate: float | None = None,
    synchronise: bool = False,
) -> Aligned:
    """Recordings that have all these positions, in the order of their sessions.

    One that has them by itself passes with those channels, at its own rate. Others of the same
    subject and session are joined: one recording for each longest stretch in which all positions
    were recorded, with channels in the order of ``positions`` and then as the device has them,
    labels of the first position's device (its nearest sample) and everybody's notes. Where two
    devices were worn at one position, the one with more of the wanted positions is taken.

    Args:
        recordings: as a reader gives them.
        positions: where on the body.
        rate: Hz of joined recordings; None takes that of the first position's device. Grid times
            are that device's, counted from its first sample of the stretch's recording on.
        synchronise: the devices' clocks run free: find offset and drift of each against the first
            position's by common movement, see ``estimate_clock``.

    Raises:
        DataError: a position that nobody wears, or not together with the others in any session;
            devices of a session that were never recording together, or one that did so twice at
            once; activities that differ; with ``synchronise`` movement that tells no clock.
    """
    recordings = [recording for recording in recordings if len(recording)]
    _check_wanted(recordings, positions, rate)
    done: list[Recording] = []
    left_out: list[str] = []
    for group in _sessions(recordings):
        whole = [r for r in group if set(positions) <= set(r.positions)]
        there = {position for recording in group for position in recording.positions}
        lacking = [position for position in positions if position not in there]
        if whole:
            done += [recording.select(positions=positions) for recording in whole]
        elif lacking:
            left_out.append(f"{whose(group[0])}: nothing worn at {', '.join(lacking)}")
        else:
            joined = _join(group, positions, rate, synchronise)
            done += joined
            if not joined:
                left_out.append(
                    f"{whose(group[0])}: {', '.join(positions)} share under {SHORTEST:g} s"
                )
    if not done:
        more = f", and so on for {len(left_out) - 1} more" if len(left_out) > 1 else ""
        raise DataError(f"no recordings at {' and '.join(positions)} together: {left_out[0]}{more}")
    return Aligned(tuple(done), tuple(left_out))


def _check_wanted(
    recordings: Sequence[Recording], positions: Sequence[str], rate: float | None
) -> None:
    if not recordings:
        raise DataError("no recordings to align")
    if not positions or len(set(positions)) != len(positions):
        raise DataError(f"positions {', '.join(positions) or 'none'}: name each wanted one once")
    if rate is not None and not rate > 0:
        raise DataError(f"cannot align to {rate} Hz: a rate is positive")
    there = sorted({position for recording in recordings for position in recording.positions})
    for position in positions:
        if position not in there:
            raise DataError(f"nobody wears anything at {position!r}; there is {', '.join(there)}")


def _sessions(recordings: Sequence[Recording]) -> list[list[Recording]]:
    """By subject and session, in order of appearance; each recording of no session by itself."""
    groups: dict[tuple[str, str, int], list[Recording]] = {}
    for index, recording in enumerate(recordings):
        alone = -1 if recording.session else index
        groups.setdefault((recording.subject, recording.session, alone), []).append(recording)
    return list(groups.values())


@dataclass(frozen=True, eq=False)
class _Piece:
    """A recording on the session's clock, which starts at the session's earliest sample."""

    recording: Recording
    begin: float
    rate: float

    @property
    def end(self) -> float:
        """The last sample's time, s."""
        return self.begin + (len(self.recording) - 1) / self.rate


@dataclass(frozen=True, eq=False)
class _Device:
    """All of a session's recordings with the same positions, in the order of time."""

    positions: tuple[str, ...]
    pieces: tuple[_Piece, ...]

    @property
    def name(self) -> str:
        return "+".join(self.positions)


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Seconds from ``begin`` to ``end`` in which each device has the piece in its place."""

    begin: float
    end: float
    pieces: tuple[_Piece, ...]


def _join(
    group: list[Recording], positions: Sequence[str], rate: float | None, synchronise: bool
) -> list[Recording]:
    devices = _devices(group, positions)
    notes: list[str] = []
    if synchronise:
        devices, notes = _synchronised(devices)
    epoch = min(recording.start for recording in group)
    rate = rate or devices[0].pieces[0].rate
    joined = []
    short = 0
    for stretch in _stretches(devices, whose(group[0])):
        times = _grid(stretch, rate)
        if len(times) < SHORTEST * rate:
            short += 1
        else:
            joined.append(_joined(stretch, devices, positions, times, rate, epoch, notes))
    if short and joined:
        note = f"{whose(group[0])}: {counted(short, 'overlap')} of under {SHORTEST:g} s left out"
        joined[0] = replace(joined[0], notes=(*joined[0].notes, note))
    return joined


def _devices(group: list[Recording], positions: Sequence[str]) -> list[_Device]:
    """Those that have the wanted positions, the first position's first."""
    epoch = min(recording.start for recording in group)
    by_place: dict[tuple[str, ...], list[Recording]] = {}
    for recording in group:
        by_place.setdefault(recording.positions, []).append(recording)
    chosen: dict[tuple[str, ...], _Device] = {}
    covered: set[str] = set()
    for position in positions:
        if position in covered:
            continue
        place = max(
            (place for place in by_place if position in place),
            key=lambda place: len(set(place) & set(positions)),
        )
        covered |= set(place)
        pieces = sorted(by_place[place], key=lambda recording: recording.start)
        chosen[place] = _Device(place, tuple(_Piece(r, r.start - epoch, r.rate) for r in pieces))
    devices = list(chosen.values())
    _check_devices(devices)
    return devices


def _check_devices(devices: list[_Device]) -> None:
    first = devices[0].pieces[0].recording
    for device in devices:
        for piece in device.pieces:
            if piece.recording.activities != first.activities:
                raise DataError(
                    f"{whose(first)}: the activities at {device.name} "
                    f"({', '.join(piece.recording.activities)}) are not those at "
                    f"{devices[0].name} ({', '.join(first.activities)}); one session has one list"
                )
        for before, after in pairwise(device.pieces):
            if after.begin < before.end + (0.5 - SAME_TIME) / before.rate:
                raise DataError(
                    f"{whose(first)}: two recordings at {device.name} at the same time, "
                    f"{before.recording.source} to {before.end:.2f} s and "
                    f"{after.recording.source} from {after.begin:.2f} s; are they of one session?"
                )


def _synchronised(devices: list[_Device]) -> tuple[list[_Device], list[str]]:
    """The devices by the first one's clock, and a note on each other's."""
    first, *others = devices
    reference = [piece.recording for piece in first.pieces]
    moved = [first]
    notes = []
    for device in others:
        clock = estimate_clock(reference, [piece.recording for piece in device.pieces])
        moved.append(_Device(device.positions, tuple(_moved(p, clock) for p in device.pieces)))
        notes.append(
            f"the clock at {device.name} set by {clock.offset_s:+.3f} s and "
            f"{clock.drift_ppm:+.0f} ppm to that at {first.name} by common movement "
            f"(correlation {clock.confidence:.2f})"
        )
    return moved, notes


def _moved(piece: _Piece, clock: Clock) -> _Piece:
    start = piece.recording.start
    drift = 1e-6 * clock.drift_ppm
    return replace(
        piece,
        begin=piece.begin + clock.reference(start) - start,
        rate=piece.rate / (1 + drift),
    )


def _stretches(devices: list[_Device], who: str) -> list[_Stretch]:
    """All longest ones in which every device was recording, in the order of time."""
    common = [_Stretch(piece.begin, piece.end, (piece,)) for piece in devices[0].pieces]
    for number, device in enumerate(devices[1:], start=1):
        common = [
            _Stretch(begin, end, (*stretch.pieces, piece))
            for stretch in common
            for piece in device.pieces
            if (begin := max(stretch.begin, piece.begin)) <= (end := min(stretch.end, piece.end))
        ]
        if not common:
            spans = ", ".join(
                f"{d.name} {d.pieces[0].begin:.2f} to {d.pieces[-1].end:.2f} s"
                for d in devices[: number + 1]
            )
            raise DataError(
                f"{who}: {device.name} was never recording together with "
                f"{', '.join(d.name for d in devices[:number])} ({spans} from the first sample "
                "on); do their clocks agree? If they run free, align with synchronise"
            )
    return common


def _grid(stretch: _Stretch, rate: float) -> Floats:
    """Times, s, every 1/rate from the first device's first sample on that lie in the stretch."""
    origin = stretch.pieces[0].begin
    first = np.ceil((stretch.begin - origin) * rate - SAME_TIME)
    last = np.floor((stretch.end - origin) * rate + SAME_TIME)
    return np.asarray(origin + np.arange(first, last + 1) / rate)


def _joined(
    stretch: _Stretch,
    devices: list[_Device],
    positions: Sequence[str],
    times: Floats,
    rate: float,
    epoch: float,
    notes: list[str],
) -> Recording:
    first = stretch.pieces[0]
    chosen = []
    signals = []
    for position in positions:
        piece = next(
            p for p, d in zip(stretch.pieces, devices, strict=True) if position in d.positions
        )
        chosen.append(piece.recording.select(positions=[position]))
        signals.append(_sampled(chosen[-1].signal, piece, times, rate))
    nearest = np.rint((times - first.begin) * first.rate).astype(int)
    parts = [piece.recording for piece in stretch.pieces]
    return replace(
        first.recording,
        rate=rate,
        channels=tuple(channel for recording in chosen for channel in recording.channels),
        signal=np.concatenate(signals, axis=1),
        labels=first.recording.labels[np.clip(nearest, 0, len(first.recording) - 1)],
        source=" + ".join(part.source for part in parts),
        notes=tuple(dict.fromkeys([note for part in parts for note in part.notes] + notes)),
        start=epoch + float(times[0]),
    )


def _sampled(
    signal: NDArray[np.float32], piece: _Piece, times: Floats, rate: float
) -> NDArray[np.float32]:
    """A piece's signal [t, c] at other times, by straight lines between its samples."""
    place = (times - piece.begin) * piece.rate
    share = rate / piece.rate
    margin = 1 if share * FASTER > 1 else _reach(share)
    first = max(int(place[0]) - margin, 0)
    near = signal[first : int(place[-1]) + margin + 2].astype(np.float64)
    if margin > 1:
        near = _low(near, share)
    index = np.arange(len(near))
    return np.stack(
        [np.interp(place - first, index, near[:, i]) for i in range(near.shape[1])], axis=1
    ).astype(np.float32)


def _reach(share: float) -> int:
    """Samples on either side that the filter takes in: scipy.signal.resample_poly's length."""
    return int(np.ceil(10 / share))


def _low(signal: Floats, share: float) -> Floats:
    """Only what lies under ``share`` of the Nyquist frequency, without delay.

    The ends are continued by their mirror image through the end point, so that gravity does not
    ring there.
    """
    from scipy.signal import firwin, oaconvolve

    reach = _reach(share)
    taps = firwin(2 * reach + 1, share, window=("kaiser", 5.0))
    longer = np.pad(signal, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    return np.asarray(oaconvolve(longer, taps[:, np.newaxis], mode="valid", axes=0))
