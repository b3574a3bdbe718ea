"""Free-running clocks: how one device's time relates to another's, told by common movement.

Two devices on one body feel the same movement, if not with the same strength. How strongly each
moves over time (the envelope of the acceleration's magnitude, which no rotation changes) is
compared by normalised cross-correlation: first over the whole session, smoothed so far that a drift
does not blur it, then in windows along it. A robust line through the windows' lags (Theil 1950, Sen
1968) is the other clock: its height the offset, its slope the drift. The windows, their number and
the thresholds are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import Recording

RATE: Final = 25.0
"""Of an envelope, Hz."""
COARSE: Final = 0.5
FINE: Final = 0.1
"""Standard deviations of the envelopes' smoothing, s."""
SLOW: Final = 3.0
"""That of the smoothing which is taken away from them, s: a minute of walking has no edges."""
SEARCH: Final = 60.0
"""Seconds that an offset may have, unless told otherwise."""
WINDOW: Final = 30.0
"""Seconds; a session of under five windows is cut into five shorter ones."""
NARROWEST: Final = 5.0
"""Seconds of the shortest window; less than two of these in common is too little."""
FEWEST: Final = 3
MOST_WINDOWS: Final = 100
"""Windows with the same movement that a line needs, and windows that a session is cut into."""
LARGEST_ERROR: Final = 0.08
"""Seconds that the offset's standard error may be, from the windows' scatter."""
LARGEST_DRIFT: Final = 500e-6
"""Of a second a second: ten times what a quartz has."""
NEAR: Final = 1.0
CLOSE: Final = 0.3
"""Seconds around the whole session's lag, then around the line, in which a window's is sought."""
WEAKEST: Final = 0.4
"""Correlation below which movement tells nothing, in the whole session and in a window."""
RIVAL: Final = 0.9
"""Share of the best correlation that none further off than RIVAL_FROM may reach."""
RIVAL_FROM: Final = 3.0
"""Seconds."""

REMEDY: Final = "leave the session out, or let both devices feel a few shakes together"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Clock:
    """Another device's clock against the reference's.

    Args:
        offset_s: seconds to add to the other's times at ``since``.
        drift_ppm: millionths of a second to add more with every second after that; 0 where the
            session is too short to tell it from none.
        confidence: 0 to 1, the median of the windows' correlations.
        since: the other's time, s, at which ``offset_s`` holds: its first sample's.
    """

    offset_s: float
    drift_ppm: float
    confidence: float
    since: float = 0.0

    def reference(self, time: float) -> float:
        """A time of the other device, s, as the reference's clock shows it."""
        return time + self.offset_s + self.drift_ppm * 1e-6 * (time - self.since)


def estimate_clock(
    reference: Recording | Sequence[Recording],
    other: Recording | Sequence[Recording],
    *,
    search: float = SEARCH,
    window: float = WINDOW,
) -> Clock:
    """The other device's clock, from the acceleration of both during one session.

    Args:
        reference: one device's recordings of a session, in the order of time.
        other: another device's.
        search: seconds that the clocks may differ by.
        window: seconds of the windows along the session.

    Raises:
        DataError: a device without acceleration, too little common time, or movement that does not
            tell the clocks' relation.
    """
    first, second = _pieces(reference), _pieces(other)
    who = f"{_name(first)} and {_name(second)} of {whose(first[0])}"
    origin, since = first[0].start, second[0].start
    rough = _rough(_Envelope(first, COARSE), _Envelope(second, COARSE), search, who)
    x, y = _Envelope(first, FINE), _Envelope(second, FINE)
    begin = max(x.begin, y.begin + rough)
    common = min(x.end, y.end + rough) - begin
    width = min(window, max(common / 5, NARROWEST))
    count = min(int(common / width), MOST_WINDOWS)
    starts = begin + np.linspace(0, common - width, count)
    guess = np.full(count, rough)
    for reach in (NEAR + LARGEST_DRIFT * common / 2, CLOSE):
        lags, fits = np.transpose(
            [_lag(x, y, start, width, g, reach) for start, g in zip(starts, guess, strict=True)]
        )
        felt = fits >= WEAKEST
        middles = starts + width / 2 - origin
        slope, height = _line(middles[felt], lags[felt], count, who)
        guess = height + slope * middles
    # The line gives the offset over the reference's time; the clock's runs over the other's.
    offset = (height + slope * (since - origin)) / (1 - slope)
    return Clock(
        offset_s=float(offset),
        drift_ppm=float(1e6 * slope / (1 - slope)),
        confidence=float(np.median(fits[felt])),
        since=since,
    )


def whose(recording: Recording) -> str:
    """Whose it is and when it was made, for messages."""
    when = f"session {recording.session}" if recording.session else recording.source
    return f"subject {recording.subject}, {when}"


def _pieces(recordings: Recording | Sequence[Recording]) -> list[Recording]:
    pieces = [recordings] if isinstance(recordings, Recording) else list(recordings)
    pieces.sort(key=lambda recording: recording.start)
    for piece in pieces:
        if not any(channel.kind == "acc" for channel in piece.channels):
            raise DataError(
                f"{whose(piece)}: the device at {', '.join(piece.positions)} has no "
                "acceleration to find its clock by; align without synchronise, or without it"
            )
    return pieces


def _name(pieces: list[Recording]) -> str:
    return "+".join(pieces[0].positions)


class _Envelope:
    """How strongly a device moves, RATE times a second; where it has no recording, ``known`` is 0.

    Attributes: begin (s), values float64 [t], known float64 [t] of 0 and 1.
    """

    def __init__(self, pieces: list[Recording], smoothing: float) -> None:
        from scipy.ndimage import gaussian_filter1d

        self.begin = pieces[0].start
        count = int((max(p.start + p.duration for p in pieces) - self.begin) * RATE) + 1
        self.values = np.zeros(count)
        self.known = np.zeros(count)
        for piece in pieces:
            strength = _strength(piece, smoothing)
            at = np.ceil((piece.start - self.begin) * RATE - 1e-6)
            times = (at + np.arange(count - at)) / RATE - (piece.start - self.begin)
            times = times[times <= (len(piece) - 1) / piece.rate]
            where = slice(int(at), int(at) + len(times))
            self.values[where] = np.interp(times * piece.rate, np.arange(len(piece)), strength)
            self.known[where] = 1
        slow = gaussian_filter1d(self.values, SLOW * RATE, mode="constant")
        weight = gaussian_filter1d(self.known, SLOW * RATE, mode="constant")
        self.values -= self.known * slow / np.maximum(weight, 1e-3)

    @property
    def end(self) -> float:
        """Seconds."""
        return self.begin + (len(self.values) - 1) / RATE


def _strength(piece: Recording, smoothing: float) -> Floats:
    """[t]: the root keeps a few knocks from outweighing all other movement."""
    from scipy.ndimage import gaussian_filter1d

    acc = [i for i, channel in enumerate(piece.channels) if channel.kind == "acc"]
    place = piece.channels[acc[0]].position
    columns = [i for i in acc if piece.channels[i].position == place]
    size = np.linalg.norm(piece.signal[:, columns].astype(np.float64), axis=1)
    moving = np.sqrt(np.abs(size - np.median(size)))
    return np.asarray(gaussian_filter1d(moving, smoothing * piece.rate, mode="nearest"))


def _correlation(
    x: Floats, known_x: Floats, y: Floats, known_y: Floats
) -> tuple[NDArray[np.int_], Floats, Floats]:
    """Lags, normalised correlation of x[i + lag] with y[i] where both are known, and over how many.

    Padfield, "Masked object registration in the Fourier domain", 2012, in one dimension.
    """
    from scipy.signal import correlate, correlation_lags

    def both(a: Floats, b: Floats) -> Floats:
        return np.asarray(correlate(a, b, method="fft"))

    count = np.maximum(np.rint(both(known_x, known_y)), 1)
    sum_x, sum_y = both(x, known_y), both(known_x, y)
    varied_x = both(x * x, known_y) - sum_x**2 / count
    varied_y = both(known_x, y * y) - sum_y**2 / count
    least = 1e-9 * (np.dot(x, x) * np.dot(y, y)) + 1e-30
    product = np.maximum(varied_x, 0) * np.maximum(varied_y, 0)
    related = (both(x, y) - sum_x * sum_y / count) / np.sqrt(np.maximum(product, least))
    return correlation_lags(len(x), len(y)), related, count


def _rough(x: _Envelope, y: _Envelope, search: float, who: str) -> float:
    """The offset, s, at which the whole session's movement agrees best."""
    lags, related, count = _correlation(x.values, x.known, y.values, y.known)
    offsets = lags / RATE + x.begin - y.begin
    least = max(2 * NARROWEST * RATE, min(x.known.sum(), y.known.sum()) / 4)
    related = np.where((np.abs(offsets) <= search) & (count >= least), related, -1.0)
    best = int(related.argmax())
    if related[best] == -1:
        raise DataError(
            f"{who}: within {search:g} s of each other's clock they share under "
            f"{least / RATE:.0f} s; are they of the same session?"
        )
    if related[best] < WEAKEST:
        raise DataError(
            f"{who}: their movement correlates by {max(related[best], 0):.2f} at best, under "
            f"{WEAKEST:g}: too weak to tell their clocks apart; {REMEDY}"
        )
    rival = np.where(np.abs(offsets - offsets[best]) > RIVAL_FROM, related, -1.0)
    if rival.max() > RIVAL * related[best]:
        raise DataError(
            f"{who}: their movement fits as well {offsets[rival.argmax()]:+.1f} s apart as "
            f"{offsets[best]:+.1f} s, as it repeats itself; {REMEDY}"
        )
    return float(offsets[best])


def _lag(
    x: _Envelope, y: _Envelope, start: float, width: float, near: float, reach: float
) -> tuple[float, float]:
    """The offset, s, within ``reach`` of ``near`` that fits a window of x best, and how well."""
    i, j = (
        _slice(x, start, start + width),
        _slice(y, start - near - reach, start + width - near + reach),
    )
    if i.stop - i.start < 2 or j.stop - j.start < 2:
        return near, 0.0
    lags, related, count = _correlation(x.values[i], x.known[i], y.values[j], y.known[j])
    offsets = (lags + i.start - j.start) / RATE + x.begin - y.begin
    least = max(0.8 * x.known[i].sum(), NARROWEST * RATE)
    usable = (np.abs(offsets - near) <= reach) & (count >= least)
    related = np.where(usable, related, -1.0)
    best = int(related.argmax())
    if related[best] <= 0:
        return near, 0.0
    return float(offsets[best] + _vertex(related, best) / RATE), float(related[best])


def _slice(envelope: _Envelope, begin: float, end: float) -> slice:
    edges = np.rint((np.array([begin, end]) - envelope.begin) * RATE).astype(int)
    first, last = np.clip(edges, 0, len(envelope.values))
    return slice(int(first), int(last))


def _vertex(values: Floats, best: int) -> float:
    """Where between -0.5 and 0.5 around ``best`` the parabola through three values has its top."""
    if not 0 < best < len(values) - 1 or min(values[best - 1], values[best + 1]) <= -1:
        return 0.0
    left, top, right = values[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _line(times: Floats, lags: Floats, windows: int, who: str) -> tuple[float, float]:
    """Slope and height at time 0; the slope is 0 unless its 95 % interval excludes that."""
    from scipy.stats import theilslopes

    if len(times) < max(FEWEST, windows / 4):
        raise DataError(
            f"{who}: {len(times)} of {windows} windows show the same movement, too few to tell "
            f"their clocks apart; {REMEDY}"
        )
    slope, height, low, high = theilslopes(lags, times, 0.95)
    if low <= 0 <= high:
        slope, height = 0.0, np.median(lags)
    scatter = 1.4826 * np.median(np.abs(lags - height - slope * times))
    if scatter / np.sqrt(len(lags)) > LARGEST_ERROR:
        raise DataError(
            f"{who}: {len(times)} windows put their clocks apart by {height:+.1f} s with a scatter "
            f"of {scatter:.1f} s, too wide to align by; {REMEDY}"
        )
    return float(slope), float(height)
