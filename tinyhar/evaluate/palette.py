"""Colours of the report: safe for colour-blind readers, the same class always in the same one.

Okabe and Ito's eight, grey in place of black so that it shows on a dark page too; then the same
eight darkened, then lightened. With more than 24 classes they come round again: a class is
therefore always shown with its number.
"""

from __future__ import annotations

from typing import Final

_HUES: Final = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#8c8c8c",
)


def _mixed(colour: str, other: int, share: float) -> str:
    """Colour "#rrggbb" with `share` of a grey (0 black, 255 white) mixed in."""
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * c + share * other):02x}" for c in channels)


CLASS_COLOURS: Final = (
    *_HUES,
    *(_mixed(hue, 0, 0.5) for hue in _HUES),
    *(_mixed(hue, 255, 0.6) for hue in _HUES),
)

SERIES: Final = ("first", "second", "third", "fourth", "fifth", "sixth")
"""Roles of lines that are told apart on one picture."""

ROLES: Final = ("ink", "soft", "line", "kept", *SERIES)
"""What a stroke or a text of a picture is for; report.css gives each a colour per theme."""


def class_colour(index: int) -> str:
    """Background of class `index`'s chip."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def text_on(colour: str) -> str:
    """Black or white, whichever contrasts more with `colour` (WCAG relative luminance)."""
    bright = luminance(colour)
    return "#000000" if (bright + 0.05) / 0.05 > 1.05 / (bright + 0.05) else "#ffffff"


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance of "#rrggbb", 0..1."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def role_colour(role: str) -> str:
    """Stand-in colour that matplotlib draws `role` with; `themed` turns it into the theme's."""
    return f"#0101{ROLES.index(role):02x}"
