"""What a .csv file from a logger, an app or a spreadsheet gets wrong, a sentence for each.

All functions raise DataError that names the file, what is wrong there and what to do; they return
nothing when all is well.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tinyhar.errors import DataError
from tinyhar.recordings.recording import STANDARD_GRAVITY
from tinyhar.recordings.words import counted

LARGEST_STEP: Final = 0.5
"""Seconds."""
CLOCKS: Final = ((1e6, "nanoseconds", "1000000000"), (1e3, "microseconds", "1000000"))
"""From which usual step of ``time_s`` on it must be this unit, and what to divide by. (ours)"""
FITS: Final = (0.7, 1.5)
"""A median acceleration within these, in g, is gravity and some movement. (ours)"""
POSSIBLE: Final = (0.4, 5.0)
"""No person's median acceleration lies outside these, in g: nobody falls or jumps for half of a
recording. (ours)"""
FASTEST_TURN: Final = 2000 * np.pi / 180
"""rad/s: the full scale of common gyroscopes; one sample in a hundred beyond it is none. (ours)"""

_NUMBER = re.compile(r"\s*-?\d+\.?\d*(e-?\d+)?\s*", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d,\d")
_QUOTED_DECIMAL_COMMA = re.compile(r'"\s*-?\d+,\d+\s*"')


def hint(word: str, known: Sequence[str], alike: float = 0.6) -> str:
    """The known word that is meant, else all of them."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=alike)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def check_header(line: str, body: str, known: Sequence[str], origin: str) -> None:
    """The header line: there, separated by commas, and only columns that are known."""
    example = f"expected a header such as {','.join(known)}"
    if not line.strip():
        raise DataError(f"{origin}: the file is empty; {example} and one line a sample below it")
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if separator in line:
            commas = separator in body and _DECIMAL_COMMA.search(body)
            point = ", and with decimal commas" if commas else ""
            raise DataError(
                f"{origin}: its columns are separated by {name}{point}; save it with commas "
                "between columns and points in numbers"
            )
    columns = [column.strip() for column in line.split(",")]
    if _NUMBER.fullmatch(columns[0]):
        raise DataError(f"{origin}: begins with numbers, there is no header line; {example}")
    for number, column in enumerate(columns, 1):
        if not column:
            raise DataError(f"{origin}: column {number} has no name; {example}")
        if column not in known:
            raise DataError(f"{origin}: unknown column {column!r}; {hint(column, known)}")
    for column in columns:
        if columns.count(column) > 1:
            raise DataError(f"{origin}: there are {columns.count(column)} columns {column}")


def check_fields(lines: Sequence[str], columns: int, first_line: int, origin: str) -> None:
    """Every line has as many fields as the header has columns.

    ``first_line`` is the number in the file of ``lines[0]``.
    """
    for number, line in enumerate(lines, first_line):
        if '"' in line:  # commas within quotes are no separators
            if _QUOTED_DECIMAL_COMMA.search(line):
                raise DataError(
                    f"{origin}: line {number} has numbers with a decimal comma; save it with "
                    "points (9.81)"
                )
            continue
        fields = line.count(",") + 1
        if fields == columns or not line.strip():
            continue
        fault = f"line {number} has {counted(fields, 'field')}, but the header names {columns}"
        if fields - columns >= columns // 2:
            raise DataError(
                f"{origin}: {fault}, as if numbers had a decimal comma; save it with points (9.81)"
            )
        raise DataError(f"{origin}: {fault}; was the file cut off, or edited there?")


def check_times(times: NDArray[np.float64], origin: str) -> None:
    """Times [t] in seconds: at least two, increasing, without a hole."""
    if len(times) < 2:
        raise DataError(f"{origin}: one sample is no recording")
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0])
        raise DataError(f"{origin}: time_s of sample {row + 1} is not a number")
    step = np.diff(times)
    if (step <= 0).any():
        row = int(np.flatnonzero(step <= 0)[0])
        raise DataError(
            f"{origin}: time_s does not increase from sample {row + 1} ({times[row]:.12g} s) to "
            f"the next ({times[row + 1]:.12g} s)"
        )
    usual = float(np.median(step))
    if usual >= 1 and len(times) > 2:
        clock = next((c for c in CLOCKS if usual >= c[0]), (1.0, "milliseconds", "1000"))
        raise DataError(
            f"{origin}: time_s goes up by {usual:g} from sample to sample, as {clock[1]} do; "
            f"divide it by {clock[2]}"
        )
    if step.max() > LARGEST_STEP:
        row = int(step.argmax())
        raise DataError(
            f"{origin}: nothing for {step.max():.2f} s after {times[row]:g} s; "
            "make it two files there"
        )


def check_acceleration(
    values: NDArray[np.float64], unit: str, factors: dict[str, float], origin: str
) -> None:
    """Acceleration [t, 3] holds gravity in the unit that the file says (or was taken to say)."""
    usual = float(np.median(np.linalg.norm(values, axis=1)))
    in_g = usual * factors[unit] / STANDARD_GRAVITY
    if POSSIBLE[0] <= in_g <= POSSIBLE[1]:
        return
    seen = f"{origin}: the usual length of acc is {usual:.3g}"
    for other, factor in factors.items():
        if other != unit and FITS[0] <= usual * factor / STANDARD_GRAVITY <= FITS[1]:
            raise DataError(
                f"{seen}, which is gravity in {other}, not in {unit}: write '# unit acc: {other}' "
                "above the header"
            )
    wanted = STANDARD_GRAVITY / factors[unit]
    remedy = f"convert it to {' or '.join(factors)}"
    if in_g < POSSIBLE[0]:
        remedy = "gravity is missing: record acceleration with gravity, not linear acceleration"
    raise DataError(f"{seen} {unit} where gravity alone makes {wanted:.3g}; {remedy}")


def check_turning(values: NDArray[np.float64], unit: str, origin: str) -> None:
    """Angular rate [t, 3] is not deg/s taken for rad/s; slow movement cannot be told."""
    fastest = float(np.quantile(np.abs(values).max(axis=1), 0.99))
    if unit == "rad/s" and fastest > FASTEST_TURN:
        raise DataError(
            f"{origin}: gyro goes beyond {fastest:.0f} rad/s, faster than any wrist turns; if it "
            "is in degrees, write '# unit gyro: deg/s' above the header"
        )
