"""Numbers as the report writes them; what is unknown is a dash."""

from __future__ import annotations

import math
from typing import Final

from markupsafe import Markup

UNKNOWN: Final = "–"


def score(value: float | None) -> str:
    """F1 and its like, four decimals: 0.9547."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.4f}"


def change(value: float | None, digits: int = 4) -> str:
    """A difference of scores with its sign, never "-0.0000"."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    nothing = f"{0:.{digits}f}"
    text = f"{value:+.{digits}f}".replace("-", "−")
    return "±" + nothing if text[1:] == nothing else text


def count(value: float | None) -> str:
    """A whole number with thousands apart: 271,232."""
    return UNKNOWN if value is None else f"{round(value):,}"


def kib(value: float | None) -> str:
    """Bytes as KiB, for headlines: 29.3 KiB; below one KiB, bytes."""
    if value is None:
        return UNKNOWN
    return f"{value / 1024:.1f} KiB" if value >= 1024 else f"{round(value)} B"


def share(value: float | None) -> str:
    """A share 0..1 as per cent that says 100 % only where all of it is meant."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 1.0:
        return "100 %"
    return f"{math.floor(value * 1e5) / 1e3:.3f} %"


def fewer(value: float, than: float) -> str:
    """By how much a value is below another: "95.3 % fewer"; "more" where it is above."""
    change = 100 * (1 - value / than)
    return f"{abs(change):.1f} % {'fewer' if change >= 0 else 'more'}"


def number(value: float | None) -> str:
    """A measurement to four significant digits, without an exponent: 50, 2.56, 0.8123."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float | None) -> str:
    """Seconds as people say them: 48 s, 3 min 20 s, 1 h 5 min."""
    if seconds is None:
        return UNKNOWN
    whole = round(seconds)
    if whole < 60:
        return f"{number(seconds) if seconds < 10 else whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def unit(name: str) -> str:
    """A unit as print has it: m/s^2 -> m/s²."""
    return name.replace("^2", "²")


def spoken(name: str) -> str:
    """An identifier as words: trouser_pocket -> trouser pocket."""
    return name.replace("_", " ")


def breakable(name: str) -> Markup:
    """An identifier that may be broken after an underscore, so that a phone's table fits."""
    return Markup("_<wbr>").join(name.split("_"))
