"""Lines of text for a terminal, in named tones instead of colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
"""A text and its tone: "", "dim", "bold", "good", "bad", or "class N", "axis N", "block N"."""

COLOURS: Final = ("#2c7fb8", "#b0641a", "#3c8a3c", "#a5509c", "#1f8a8a", "#b5577f", "#7a6fc0")
"""Classes and axes; each stands out from white and from black. (ours)"""

GOOD, BAD = "#3c8a3c", "#d04545"


@dataclass
class Line:
    """Pieces of text one after the other."""

    pieces: list[Piece] = field(default_factory=list)

    @classmethod
    def of(cls, text: str = "", tone: str = "") -> Line:
        """One piece, or none."""
        return cls([(text, tone)] if text else [])

    @property
    def text(self) -> str:
        """Without tones."""
        return "".join(text for text, _ in self.pieces)

    @property
    def width(self) -> int:
        """In cells."""
        return sum(cell_len(text) for text, _ in self.pieces)

    def add(self, text: str, tone: str = "") -> Line:
        """One more piece; returns the line."""
        if text:
            self.pieces.append((text, tone))
        return self

    def join(self, other: Line) -> Line:
        """All of another line's pieces; returns the line."""
        self.pieces += other.pieces
        return self

    def fit(self, width: int) -> Line:
        """A line of exactly so many cells: cut or padded."""
        pieces: list[Piece] = []
        left = width
        for text, tone in self.pieces:
            if left <= 0:
                break
            text = text if cell_len(text) <= left else cut(text, left)
            pieces.append((text, tone))
            left -= cell_len(text)
        if left > 0:
            pieces.append((" " * left, ""))
        return Line(pieces)


def cut(text: str, width: int) -> str:
    """At most so many cells, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def wide(text: str, width: int) -> str:
    """Exactly so many cells."""
    return set_cell_size(cut(text, width), width)


def spread(left: Line, right: Line, width: int) -> Line:
    """Both ends of a line; the left one is cut where they meet."""
    right = right.fit(min(right.width, width))
    return left.fit(width - right.width).join(right)


def beside(left: Iterable[Line], right: Iterable[Line], width: int, gap: int) -> list[Line]:
    """Columns side by side, the left one ``width`` cells wide."""
    return [
        a.fit(width).add(" " * gap).join(b) for a, b in zip(left, right, strict=True)
    ]  # fmt: skip


def filled(lines: list[Line], height: int) -> list[Line]:
    """Exactly so many lines: cut or padded."""
    return (lines + [Line() for _ in range(height - len(lines))])[:height]


def style(tone: str) -> str:
    """What rich calls a tone; without colours it is what is left of it."""
    kind, _, number = tone.partition(" ")
    if kind in ("class", "axis", "block"):
        colour = COLOURS[int(number) % len(COLOURS)]
        return {"class": f"bold {colour}", "axis": colour, "block": f"reverse {colour}"}[kind]
    return {"good": GOOD, "bad": f"bold {BAD}"}.get(tone, tone)


def colourless(tone: str) -> str:
    """The same where NO_COLOR is set."""
    kind = tone.partition(" ")[0]
    return {"class": "bold", "block": "reverse", "bad": "bold", "axis": "", "good": ""}.get(
        kind, tone
    )
