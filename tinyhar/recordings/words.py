"""Counts in sentences for people."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 sample``, ``2 samples``, ``3 activities``: for nouns with the regular plural."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"
