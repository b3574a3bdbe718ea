"""Was a recording made at the full scale that the base run's band is set to?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.counts import COUNTS
from tinyhar.errors import DataError
from tinyhar.recordings import STANDARD_GRAVITY, Recording

UNITS: Final = {"acc": ("g", STANDARD_GRAVITY), "gyro": ("deg/s", np.pi / 180)}
"""What people give a full scale in, and its worth in SI units."""
BEYOND: Final = 0.001
"""Share of a recording's samples that may exceed the full scale: a glitch is not another scale."""
STUCK: Final = 0.02
"""Share of a sensor's samples at one extreme value from which on it was clipped there."""

_NOTE = re.compile(r"^#\s*note:\s*full scale:(.*)$", re.IGNORECASE | re.MULTILINE)
_PART = re.compile(r"(acc|gyro)\s*±?\s*([\d.]+)\s*(g|deg/s)")


def check_scale(one: Recording, lsb: NDArray[np.float64]) -> None:
    """DataError names the sensor whose full scale is another than the band's.

    Known from the comment `# note: full scale: acc ±8 g, gyro ±2000 deg/s` that a calibration
    writes; else seen: values that no band of this scale can deliver, or values that stop at a
    smaller full scale.

    Args:
        one: a recording through the band's channels.
        lsb: what one of the band's counts is worth, float64 [channel].
    """
    told = told_scales(Path(one.source))
    for kind in dict.fromkeys(channel.kind for channel in one.channels):
        if kind not in UNITS:
            continue
        word, unit = UNITS[kind]
        columns = [i for i, channel in enumerate(one.channels) if channel.kind == kind]
        full = float(lsb[columns[0]]) * COUNTS
        found = told.get(kind) or _seen(np.abs(one.signal[:, columns]), full, unit)
        if found is not None and abs(found / full - 1) > 0.01:
            raise DataError(
                f"{one.source}: {kind} was recorded at a full scale of ±{found / unit:.4g} {word}, "
                f"but the base run's band is set to ±{full / unit:.4g} {word}; record at that scale"
            )


def told_scales(file: Path) -> dict[str, float]:
    """Full scales by kind in SI units, as a file's comment says; empty where none does."""
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            head = "".join(line for _, line in zip(range(50), lines, strict=False))
    except OSError:
        return {}
    note = _NOTE.search(head)
    if note is None:
        return {}
    return {
        kind: float(value) * UNITS[kind][1] for kind, value, _unit in _PART.findall(note.group(1))
    }


def _seen(values: NDArray[np.float32], full: float, unit: float) -> float | None:
    """A full scale that the magnitudes [time, 3] betray; None where they fit `full`."""
    largest = float(values.max())
    if float((values > 1.01 * full).any(axis=1).mean()) > BEYOND:
        return largest
    for part in (2, 4, 8, 16):
        smaller = full / part
        at_stop = (np.abs(values - smaller) < 0.002 * smaller).any(axis=1).mean()
        if largest < 1.002 * smaller and at_stop > STUCK:
            return smaller
    return None
